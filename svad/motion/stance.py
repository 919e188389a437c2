"""Binds a person anew, so that the stance in which they turned is bent as motions mean it.

All frames of a turn show one stance, and what its joints bend cannot be told from the pictures: an
arm hangs as well from a raised collar as from a lowered one, and a straight leg may as well be a
bent one whose knee was seen too far behind. Motions lower collars with the arms. A stance that was
tracked otherwise, by 8 to 14 degrees at the collars and 9 to 11 at the knees of drawn people, would
be added to every motion. The person's own pictures stay as they are: poses lose what the rest pose
gains.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.body.lbs import rigid_chain
from svad.body.skeleton import ANKLES, COLLARS, HIPS, KNEES, SHOULDERS, Joint
from svad.body.skin import pose_gaussians, pose_points
from svad.geometry.rotation import rodrigues
from svad.motion.rest import reposed
from svad.motion.standing import A_POSE
from svad.types import Avatar, Pose

X, Z = 0, 2  # axes about which knees bend and arms are lowered
# of an arm's lowering the collar takes so much, in the A-pose as in the bundled motions
SHARE = float(
    A_POSE[Joint.LEFT_COLLAR, Z] / A_POSE[[Joint.LEFT_COLLAR, Joint.LEFT_SHOULDER], Z].sum()
)
SAME = 1e-3  # radians; bends that differ by less are the same
# radians, that knees are tracked too straight: by 8.6 to 10.7 degrees on drawn people who stand and
# step, alike in all frames
STRAIGHT = np.radians(10.0)


def bends(
    poses: Pose,  # T frames
) -> np.ndarray:  # [4] radians: left and right collar about z, left and right knee about x
    """How collars and knees are bent: the medians over the frames."""
    rotations = poses.rotations.numpy(force=True)
    found = [rotations[:, list(COLLARS), Z], rotations[:, list(KNEES), X]]
    return np.median(np.concatenate(found, 1), 0)


def likely_bends(
    poses: Pose,  # T frames of somebody who was tracked through a turn
) -> np.ndarray:  # [4] radians, as `bends`
    """How they are bent in truth: collars with the arms, knees more than they were tracked."""
    rotations = poses.rotations.numpy(force=True)
    arms = rotations[:, list(COLLARS), Z] + rotations[:, list(SHOULDERS), Z]
    return np.concatenate([SHARE * np.median(arms, 0), bends(poses)[2:] + STRAIGHT])


def turns(
    more: np.ndarray,  # [4] radians, as `bends`
) -> Tensor:  # [55, 3] axis-angles
    """The rest pose's bends: arms and soles keep their direction, heels stay below the hips."""
    out = torch.zeros(len(Joint), 3)
    for collar, shoulder, bend in zip(COLLARS, SHOULDERS, more[:2].tolist(), strict=True):
        out[collar, Z], out[shoulder, Z] = bend, -bend
    for hip, knee, ankle, bend in zip(HIPS, KNEES, ANKLES, more[2:].tolist(), strict=True):
        out[knee, X] = bend
        out[hip, X] = out[ankle, X] = -bend / 2
    return out


def bound_anew(
    avatar: Avatar,
    rest: Tensor,  # [55, 3] axis-angles that the new rest pose has in the old binding
) -> Avatar:
    """The avatar whose rest pose is another; in `reposed` poses it looks as it did before.

    But for what skinning blends: bent twice is not quite what is bent once by both together.
    """
    expression = avatar.pose.expression[0]
    pose = Pose(rest, torch.zeros(3), torch.zeros_like(expression))
    joints = rigid_chain(rodrigues(rest), avatar.joints, avatar.parents)[1]
    mesh = avatar.mesh
    vertices = pose_points(
        torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.joint_ids.astype(np.int64)),
        torch.from_numpy(mesh.joint_weights), avatar.joints, avatar.parents, pose,
    )  # fmt: skip
    return replace(
        avatar,
        gaussians=pose_gaussians(avatar, pose),
        joints=joints,
        mesh=replace(mesh, vertices=vertices.numpy().astype(np.float32)),
        pose=reposed(avatar.pose, rest, avatar.parents),
    )


def bound_as(
    avatar: Avatar,
    pose: Pose,  # T = 1
) -> Avatar:
    """The avatar bound such that collars and knees in its photo are bent as in this pose."""
    more = bends(avatar.pose) - bends(pose)
    return bound_anew(avatar, turns(more)) if np.abs(more).max() > SAME else avatar
