"""The A-pose: how a person stands for views, files and the driving sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from svad.body.skeleton import FINGERS, MIRROR, Joint
from svad.geometry.rotation import rodrigues
from svad.motion.motion import Motion
from svad.motion.rig import Skeleton, Track, contact_points
from svad.types import Avatar, Pose

STAND = "stand"
# The left half of the A-pose, degrees about x, y, z; the right half is its mirror image. Arms about
# 50 degrees down, elbows and knees soft, fingers relaxed, feet a little apart with flat soles.
A_POSE_LEFT: dict[int, tuple[float, float, float]] = {
    Joint.LEFT_HIP: (-4.0, 6.0, 2.5),
    Joint.LEFT_KNEE: (8.0, 0.0, 0.0),
    Joint.LEFT_ANKLE: (-4.0, 0.0, -2.5),
    Joint.LEFT_COLLAR: (0.0, 0.0, -9.0),
    Joint.LEFT_SHOULDER: (0.0, -3.0, -41.0),
    Joint.LEFT_ELBOW: (-5.0, -12.0, 0.0),
    **dict.fromkeys(FINGERS["left"], (0.0, 0.0, -7.0)),
}


def _a_pose_rotations() -> np.ndarray:  # [55, 3] radians
    degrees = np.zeros((len(Joint), 3), np.float32)
    for joint, (x, y, z) in A_POSE_LEFT.items():
        degrees[joint], degrees[MIRROR[joint]] = (x, y, z), (x, -y, -z)
    return np.radians(degrees)


A_POSE = _a_pose_rotations()  # [55, 3] axis-angle


def a_pose(
    joints: np.ndarray,  # [55, 3] the person's rest joints, metres
    parents: Sequence[int],  # 55, root -1
    expressions: int = 0,  # number of expression coefficients
) -> Pose:  # T = 1
    """The A-pose with the soles on the floor of the rest pose, facing +z, neutral face."""
    skeleton = Skeleton(np.asarray(joints, np.float64), tuple(parents))
    track = Track.still(skeleton, 1)
    track.rotations[0] = rodrigues(torch.from_numpy(A_POSE).double()).numpy()
    lift = skeleton.floor - contact_points(track)[0, :, 1].min()
    return Pose(
        torch.from_numpy(A_POSE.copy())[None],
        torch.tensor([[0, lift, 0]], dtype=torch.float32),
        torch.zeros(1, expressions),
    )


def standing(avatar: Avatar) -> Motion:
    """The A-pose as a motion of one frame."""
    joints = avatar.joints.numpy(force=True)
    pose = a_pose(joints, avatar.parents, len(avatar.expression_names))
    return Motion(name=STAND, title="Stand", help="The A-pose.", fps=24.0, poses=pose, looped=True)
