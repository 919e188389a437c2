"""Lengthens or shortens limb groups of a rest body, skin included."""

from __future__ import annotations

import torch
from torch import Tensor

BONE_GROUPS = (
    *("upper_arm", "forearm", "hand", "thigh", "shin", "foot"),
    *("spine", "neck", "head", "collar", "pelvis"),
)

_HANDS = (20, 21, *range(25, 55))
_GROUP_OF_JOINT = {
    **dict.fromkeys((16, 17), 0),
    **dict.fromkeys((18, 19), 1),
    **dict.fromkeys(_HANDS, 2),
    **dict.fromkeys((1, 2), 3),
    **dict.fromkeys((4, 5), 4),
    **dict.fromkeys((7, 8, 10, 11), 5),
    **dict.fromkeys((3, 6, 9), 6),
    12: 7,
    **dict.fromkeys((15, 22, 23, 24), 8),
    **dict.fromkeys((13, 14), 9),
    0: 10,
}
_UNIFORM = (2, 5, 8)  # hand, foot and head keep their proportions
# Joints whose segment runs along a bone: joint -> the child at the bone's far end
_ALONG = {16: 18, 17: 19, 18: 20, 19: 21, 1: 4, 2: 5, 4: 7, 5: 8, 12: 15, 13: 16, 14: 17}


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
    places = [joints[0]]
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
    spine = eye + (scales[6] - 1) * y
    fixed = {0: spine + (scales[10] - 1) * x, 3: spine, 6: spine, 9: spine}
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
