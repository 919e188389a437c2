"""A recorded motion: some person's joints over time, ready for anybody's body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp

from svad.body.skeleton import PARENTS, Joint
from svad.geometry.rotation import rodrigues_array
from svad.motion.ground import grounded
from svad.motion.motion import Motion
from svad.motion.rest import arm_turns, reposed
from svad.motion.rig import Skeleton, Track
from svad.types import Avatar, Pose

FASTEST = 30.0  # frames a second that are played; motion capture has 60 to 240


@dataclass(frozen=True)
class Recorded:
    """The motion of one person, on that person's body."""

    fps: float
    poses: Pose  # T frames
    joints: np.ndarray  # [55, 3] rest joints of the body it was recorded on, metres
    expression_names: tuple[str, ...] = ()  # E
    warnings: tuple[str, ...] = ()  # sentences for the person
    focus: str = "body"  # what a camera should show: "body" or "bust"

    @staticmethod
    def of(motion: Motion, avatar: Avatar) -> Recorded:
        """A motion as it was played by an avatar."""
        joints = avatar.joints.numpy(force=True)
        return Recorded(motion.fps, motion.poses, joints, tuple(avatar.expression_names))

    @property
    def pelvis(self) -> np.ndarray:  # [T, 3] metres
        """Where the pelvis is."""
        return self.poses.translation.double().numpy() + self.joints[Joint.PELVIS]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.poses) / self.fps

    def warned(self, *sentences: str) -> Recorded:
        """The same motion, with more to say about it first."""
        return replace(self, warnings=(*sentences, *self.warnings))

    def at_rate(self, fps: float) -> Recorded:
        """The motion at another rate, between its frames by slerp."""
        count = max(2, round((len(self.poses) - 1) / self.fps * fps) + 1)
        time = np.minimum(np.arange(count) / fps, (len(self.poses) - 1) / self.fps)
        own = np.arange(len(self.poses)) / self.fps
        return replace(self, fps=fps, poses=poses_at(self.poses, own, time))

    def at_rest_as(
        self,
        joints: np.ndarray,  # [55, 3] metres
    ) -> Recorded:
        """The same motion of a body with other rest joints; arms point where they did."""
        turns = arm_turns(self.joints, joints)
        return replace(self, poses=reposed(self.poses, turns, PARENTS), joints=joints)

    def for_avatar(self, avatar: Avatar, name: str, title: str) -> Motion:
        """The motion on an avatar: as each joint turned, the way by the length of the legs.

        Feet that stand are on the floor again, and do not slide.
        """
        source = self.at_rate(FASTEST) if self.fps > 1.05 * FASTEST else self
        theirs = Skeleton(np.asarray(self.joints, np.float64), avatar.parents)
        own = Skeleton(avatar.joints.double().numpy(force=True), avatar.parents)
        scale = own.leg / theirs.leg
        pelvis = source.pelvis - [0, theirs.floor, 0]
        turned = source.at_rest_as(own.joints).poses.rotations
        rotations = rodrigues_array(turned.double().numpy())
        track = Track(own, rotations, pelvis * scale + [0, own.floor, 0])
        track = grounded(track, source.fps)
        faces = source.poses.expression.numpy()
        for place, expression in enumerate(source.expression_names):
            track.expression[expression] = faces[:, place]
        return Motion(
            name=name,
            title=title,
            help="A recorded motion.",
            fps=source.fps,
            poses=track.poses(avatar.expression_names),
            focus=source.focus,
        )


def played_at(motion: Motion, fps: float) -> Motion:
    """A motion at another rate; one that is looped still ends where it begins, no frame doubled.

    Its loop then lasts a whole number of frames, so it may change by half of one.
    """
    poses, count = motion.poses, len(motion.poses)
    if count < 2 or abs(fps - motion.fps) < 1e-6:
        return replace(motion, fps=fps)
    if motion.looped:
        wanted = max(1, round(count * fps / motion.fps))
        time = np.arange(wanted) * count / wanted
        poses = Pose.cat([poses, poses[:1]])
    else:
        wanted = max(2, round((count - 1) * fps / motion.fps) + 1)
        time = np.minimum(np.arange(wanted) * motion.fps / fps, count - 1)
    return replace(motion, fps=fps, poses=poses_at(poses, np.arange(len(poses)), time))


def poses_at(
    poses: Pose,  # T frames, T > 1
    time: np.ndarray,  # [T] seconds, rising
    wanted: np.ndarray,  # [N] seconds
) -> Pose:
    """Poses between others; before the first and after the last they are held."""
    wanted = np.clip(wanted, time[0], time[-1])
    turns = poses.rotations.double().numpy()
    between = np.stack(
        [
            Slerp(time, Rotation.from_rotvec(one))(wanted).as_rotvec()
            for one in turns.swapaxes(0, 1)
        ],
        1,
    )
    return Pose(
        torch.from_numpy(between).float(),
        _between(poses.translation, time, wanted),
        _between(poses.expression, time, wanted),
    )


def _between(values: torch.Tensor, time: np.ndarray, wanted: np.ndarray) -> torch.Tensor:
    columns = values.double().numpy().T
    rows: Sequence[np.ndarray] = [np.interp(wanted, time, column) for column in columns]
    mixed = np.stack(rows, 1) if len(rows) else np.zeros((len(wanted), 0))
    return torch.from_numpy(mixed).float()
