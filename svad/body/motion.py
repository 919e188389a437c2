"""The motions and still poses an avatar can be shown in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from svad.body import choreography
from svad.body.kinematics import FINGERS, Skeleton, Track, contact_points
from svad.geometry.rotation import rodrigues
from svad.types import Pose

# The left half of the A-pose, degrees about x, y, z; the right half is its mirror image. Arms about
# 50 degrees down, elbows and knees soft, fingers relaxed, feet a little apart with flat soles.
A_POSE_LEFT: dict[int, tuple[float, float, float]] = {
    1: (-4.0, 6.0, 2.5),  # hip
    4: (8.0, 0.0, 0.0),  # knee
    7: (-4.0, 0.0, -2.5),  # ankle
    13: (0.0, 0.0, -9.0),  # collar
    16: (0.0, -3.0, -41.0),  # shoulder
    18: (-5.0, -12.0, 0.0),  # elbow
    **{joint: (0.0, 0.0, -7.0) for joint in FINGERS["left"]},
}
MIRROR = {left: left + 1 for left in A_POSE_LEFT if left < 25} | {
    j: j + 15 for j in FINGERS["left"]
}


def _a_pose_rotations() -> np.ndarray:  # [55, 3] radians
    degrees = np.zeros((55, 3), np.float32)
    for joint, (x, y, z) in A_POSE_LEFT.items():
        degrees[joint], degrees[MIRROR[joint]] = (x, y, z), (x, -y, -z)
    return np.radians(degrees)


A_POSE = _a_pose_rotations()  # [55, 3] axis-angle


@dataclass(frozen=True, kw_only=True)
class Motion:
    """An authored motion; it is fitted to each person when `poses` is called."""

    name: str
    title: str  # for a button
    help: str  # one sentence, what it shows
    seconds: float
    author: Callable[[Skeleton, np.ndarray], Track]
    fps: int = 24
    loop: bool = True  # the frame after the last is the first
    focus: str = "body"  # what a camera should show: "body" or "bust"
    yaw: float = 0.0  # radians, the side it is best seen from (`orbit_camera`)

    def poses(
        self,
        expression_names: Sequence[str],  # E
        joints: np.ndarray,  # [55, 3] the person's rest joints, metres
        parents: Sequence[int],  # 55, root -1
    ) -> Pose:
        """One pose per frame, the soles on the floor of the rest pose."""
        frames = round(self.seconds * self.fps)
        track = self.author(_skeleton(joints, parents), np.arange(frames) / frames)
        return track.poses(tuple(expression_names))


@dataclass(frozen=True, kw_only=True)
class Still:
    """One moment of a motion."""

    motion: str
    moment: float  # phase of the motion, 0..1

    def pose(
        self,
        expression_names: Sequence[str],  # E
        joints: np.ndarray,  # [55, 3] the person's rest joints, metres
        parents: Sequence[int],  # 55, root -1
    ) -> Pose:
        """The pose at that moment, with a neutral face."""
        motion = MOTIONS[self.motion]
        frames = round(motion.seconds * motion.fps)
        track = motion.author(_skeleton(joints, parents), np.arange(frames) / frames)
        pose = track.poses(tuple(expression_names))[[round(self.moment * frames)]]
        return Pose(pose.rotations, pose.translation, torch.zeros_like(pose.expression))


def a_pose(
    joints: np.ndarray,  # [55, 3] the person's rest joints, metres
    parents: Sequence[int],  # 55, root -1
    expressions: int = 0,  # number of expression coefficients
) -> Pose:
    """The A-pose with the soles on the floor of the rest pose, facing +z, neutral face."""
    skeleton = _skeleton(joints, parents)
    track = Track.still(skeleton, 1)
    track.rotations[0] = rodrigues(torch.from_numpy(A_POSE).double()).numpy()
    lift = skeleton.floor - contact_points(track)[0, :, 1].min()
    return Pose(
        torch.from_numpy(A_POSE.copy())[None],
        torch.tensor([[0, lift, 0]], dtype=torch.float32),
        torch.zeros(1, expressions),
    )


def _skeleton(joints: np.ndarray, parents: Sequence[int]) -> Skeleton:
    return Skeleton(np.asarray(joints, np.float64), tuple(parents))


MOTIONS: dict[str, Motion] = {
    m.name: m
    for m in (
        Motion(
            name="turn",
            title="Turn",
            help="Turns once on the spot with small steps.",
            seconds=6.0,
            author=choreography.turn,
        ),
        Motion(
            name="wave",
            title="Wave",
            help="Raises a hand, waves and smiles.",
            seconds=4.5,
            author=choreography.wave,
        ),
        Motion(
            name="walk",
            title="Walk",
            help="Walks in place, as on a treadmill.",
            seconds=4.5,
            author=choreography.walk,
            yaw=0.55,
        ),
        Motion(
            name="squat",
            title="Squat",
            help="Bends the knees with the arms in front, and comes up again.",
            seconds=3.5,
            author=choreography.squat,
            yaw=0.45,
        ),
        Motion(
            name="raise_arms",
            title="Raise arms",
            help="Lifts both arms overhead and stretches to either side.",
            seconds=5.5,
            author=choreography.raise_arms,
        ),
        Motion(
            name="expressions",
            title="Expressions",
            help="Smiles, blinks, is surprised, cross, and winks.",
            seconds=8.0,
            author=choreography.expressions,
            focus="bust",
        ),
    )
}

POSES: dict[str, Still] = {
    "arms_up": Still(motion="raise_arms", moment=0.3),
    "squat": Still(motion="squat", moment=0.48),
    "walk": Still(motion="walk", moment=0.0),
}
