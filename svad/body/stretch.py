"""Lengthens or shortens limb groups of a rest body, skin included."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from svad.body import skeleton as sk
from svad.body.skeleton import Joint

BONE_GROUPS = (
    *("upper_arm", "forearm", "hand", "thigh", "shin", "foot"),
    *("spine", "neck", "head", "collar", "pelvis"),
)

_GROUPS: dict[str, tuple[Joint, ...]] = {
    "upper_arm": sk.SHOULDERS,
    "forearm": sk.ELBOWS,
    "hand": (*sk.HANDS["left"], *sk.HANDS["right"]),
    "thigh": sk.HIPS,
    "shin": sk.KNEES,
    "foot": (*sk.ANKLES, *sk.FEET),
    "spine": sk.SPINE,
    "neck": (Joint.NECK,),
    "head": sk.HEAD_JOINTS,
    "collar": sk.COLLARS,
    "pelvis": (Joint.PELVIS,),
}
_GROUP_OF_JOINT: dict[int, int] = {
    j: BONE_GROUPS.index(name) for name, joints in _GROUPS.items() for j in joints
}
_SPINE, _PELVIS = BONE_GROUPS.index("spine"), BONE_GROUPS.index("pelvis")
# these keep their proportions
_UNIFORM = tuple(BONE_GROUPS.index(name) for name in ("hand", "foot", "head"))
# Joints whose segment runs along a bone: joint -> the child at the bone's far end
_ALONG: dict[int, Joint] = {
    joint: child
    for limb in (
        *sk.ARMS.values(),
        *(leg[:3] for leg in sk.LEGS.values()),
        (Joint.NECK, Joint.HEAD),
    )
    for joint, child in pairwise(limb)
}


def stretch_transforms(
    joints: Tensor,  # [55, 3] rest joints, T-pose, metres
    parents: tuple[int, ...],  # 55, root -1
    scales: Tensor,  # [11] length factors in the order of BONE_GROUPS, 1 = unchanged
) -> tuple[Tensor, Tensor]:  # transforms [55, 3, 4], stretched joints [55, 3]
    """Affine transforms that carry rest points to the rest points of the stretched body.

    A limb's segment is scaled along its own bone only, so it keeps its thickness; hands, feet and
    the head are scaled evenly; the spine grows upward and the pelvis sideways. Each joint's frame
    starts where its parent's frame puts it, so segments stay joined.
    """
    matrices = _segment_matrices(joints, scales)
    places = [joints[Joint.PELVIS]]
    for joint in range(1, len(parents)):
        parent = parents[joint]
        places.append(places[parent] + matrices[parent] @ (joints[joint] - joints[parent]))
    moved = torch.stack(places)
    shift = moved - (matrices @ joints[..., None]).squeeze(-1)
    return torch.cat([matrices, shift[..., None]], -1), moved


def _segment_matrices(joints: Tensor, scales: Tensor) -> Tensor:
    """The linear part [55, 3, 3] of each joint's stretch."""
    eye = torch.eye(3, dtype=joints.dtype, device=joints.device)
    x, y = torch.outer(eye[0], eye[0]), torch.outer(eye[1], eye[1])
    spine = eye + (scales[_SPINE] - 1) * y
    fixed: dict[int, Tensor] = dict.fromkeys(sk.SPINE, spine)
    fixed[Joint.PELVIS] = spine + (scales[_PELVIS] - 1) * x
    matrices = []
    for joint in range(len(joints)):
        group = _GROUP_OF_JOINT[joint]
        if joint in fixed:
            matrices.append(fixed[joint])
        elif group in _UNIFORM:
            matrices.append(eye * scales[group])
        else:
            bone = joints[_ALONG[joint]] - joints[joint]
            bone = bone / bone.norm().clamp_min(1e-9)
            matrices.append(eye + (scales[group] - 1) * torch.outer(bone, bone))
    return torch.stack(matrices)
