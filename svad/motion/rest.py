"""Poses of a body with one rest pose as those of a body with another.

The default body's arms are level at rest. Those of SMPL-X slope down to the elbow, so rotations of
one taken for the other's would hold every arm 15 degrees too high or too low. SMPL's and SMPL-H's
are level within three degrees.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.body.lbs import rigid_chain
from svad.body.skeleton import ARMS, HANDS, LEGS, Joint
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues, shortest_rotation
from svad.motion.rig import unit
from svad.types import Pose

# directions of SMPL-X's left upper arm and forearm at rest, the mean of three bodies, whose own are
# within four degrees of them
UPPER_ARM = unit(np.array([0.959, -0.249, -0.135]))
FOREARM = unit(np.array([0.997, 0.078, 0.008]))
LEVEL = np.array([1.0, 0.0, 0.0])
SHORTEST = 1e-3  # metres, of a bone
OUTWARD = {"left": np.ones(3), "right": np.array([-1.0, 1.0, 1.0])}


def reposed(
    poses: Pose,  # T frames of a person as bound before
    rest: Tensor,  # [55, 3] axis-angles that the new rest pose has in the old binding
    parents: tuple[int, ...],  # 55, root -1
) -> Pose:  # T frames
    """The same stances of the person as bound anew: H_p R_j H_j^-1, H the rest's world turns."""
    world = rigid_chain(rodrigues(rest), torch.zeros(len(rest), 3), parents)[0]
    above = torch.stack([world[p] if p >= 0 else torch.eye(3) for p in parents])
    turned = above @ rodrigues(poses.rotations) @ world.transpose(-1, -2)
    # a turn of half a circle is not exact as an axis-angle, so what does not change stays
    same = (above == torch.eye(3)).flatten(1).all(1) & (world == torch.eye(3)).flatten(1).all(1)
    rotations = torch.where(same[:, None], poses.rotations, matrix_to_axis_angle(turned))
    return replace(poses, rotations=rotations)


def smplx_rest(
    joints: np.ndarray,  # [55, 3] rest joints, metres
) -> np.ndarray:  # [55, 3] metres
    """The rest joints with arms as SMPL-X has them; those of an SMPL-X body as they are."""
    return joints if _hang(joints) else _with_arms(joints, UPPER_ARM, FOREARM)


def t_pose(
    joints: np.ndarray,  # [55, 3] rest joints, metres
) -> np.ndarray:  # [55, 3] metres
    """The rest joints of an SMPL-X body with level arms; those of others as they are."""
    return _with_arms(joints, LEVEL, LEVEL) if _hang(joints) else joints


def _hang(joints: np.ndarray) -> bool:
    """Whether upper arms slope down as SMPL-X's, rather than not."""
    arms = [joints[elbow] - joints[shoulder] for _, shoulder, elbow, _ in ARMS.values()]
    return bool(unit(np.array(arms))[:, 1].mean() < UPPER_ARM[1] / 2)


def _with_arms(joints: np.ndarray, upper: np.ndarray, forearm: np.ndarray) -> np.ndarray:
    """With the left arm in these directions, and the right one mirrored."""
    out = joints.copy()
    for side, outward in OUTWARD.items():
        _, shoulder, elbow, wrist = ARMS[side]
        lengths = np.linalg.norm(np.diff(joints[[shoulder, elbow, wrist]], axis=0), axis=1)
        out[elbow] = joints[shoulder] + lengths[0] * outward * upper
        hand = out[elbow] + lengths[1] * outward * forearm - joints[wrist]
        out[list(HANDS[side])] = joints[list(HANDS[side])] + hand
    return out


def is_rest(
    joints: np.ndarray,  # [55, 3]
) -> bool:
    """Whether these can be a body's rest joints: limbs have lengths, and arms point outward."""
    chains = [*ARMS.values(), *LEGS.values()]
    bones = np.concatenate([np.diff(joints[list(chain)], axis=0) for chain in chains])
    arms = [joints[list(ARMS[side])] * outward for side, outward in OUTWARD.items()]
    outward = np.concatenate([np.diff(arm[1:, 0]) for arm in arms])
    return bool((np.linalg.norm(bones, axis=1) > SHORTEST).all() and (outward > 0).all())


def arm_turns(
    theirs: np.ndarray,  # [55, 3] rest joints, metres
    own: np.ndarray,  # [55, 3] rest joints, metres
) -> Tensor:  # [55, 3] axis-angles
    """The rest pose of one body's arms as another, to which it is new, bends into it."""
    local = np.tile(np.eye(3), (len(Joint), 1, 1))
    for _, shoulder, elbow, wrist in ARMS.values():
        upper, forearm = (
            shortest_rotation(theirs[end] - theirs[start], own[end] - own[start])
            for start, end in ((shoulder, elbow), (elbow, wrist))
        )
        local[shoulder], local[elbow], local[wrist] = upper, upper.T @ forearm, forearm.T
    return matrix_to_axis_angle(torch.from_numpy(local).float())
