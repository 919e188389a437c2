"""A motion: named poses over time, whatever they come from; and how an authored one is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from svad.motion.rig import Skeleton, Track
from svad.types import Avatar, Pose


@dataclass(frozen=True, kw_only=True)
class Motion:
    """A motion of one person: data, ready to be played on the avatar it was made for."""

    name: str
    title: str  # for a button
    help: str  # one sentence, what it shows
    fps: float
    poses: Pose  # T frames, expressions in the avatar's order
    looped: bool = False  # the frame after the last is the first
    focus: str = "body"  # what a camera should show: "body" or "bust"
    yaw: float = 0.0  # radians, the side it is best seen from (`orbit_camera`)

    @property
    def seconds(self) -> float:
        """How long it takes once."""
        return len(self.poses) / self.fps


@dataclass(frozen=True, kw_only=True)
class Authored:
    """A motion written down for every skeleton; `of` makes it a person's."""

    name: str
    title: str  # for a button
    help: str  # one sentence, what it shows
    seconds: float
    author: Callable[[Skeleton, np.ndarray], Track]  # phases [T] from 0 up to 1
    place: float = 1000.0  # in lists, small numbers first; then the alphabet
    fps: int = 24
    looped: bool = True
    focus: str = "body"
    yaw: float = 0.0  # radians

    def for_avatar(self, avatar: Avatar) -> Motion:
        """The motion of an avatar's person."""
        joints = avatar.joints.numpy(force=True)
        return self.of(avatar.expression_names, joints, avatar.parents)

    def of(
        self,
        expression_names: Sequence[str],  # E
        joints: np.ndarray,  # [55, 3] the person's rest joints, metres
        parents: Sequence[int],  # 55, root -1
    ) -> Motion:
        """The motion of a person, the soles on the floor of the rest pose."""
        frames = round(self.seconds * self.fps)
        skeleton = Skeleton(np.asarray(joints, np.float64), tuple(parents))
        track = self.author(skeleton, np.arange(frames) / frames)
        return Motion(
            name=self.name,
            title=self.title,
            help=self.help,
            fps=self.fps,
            poses=track.poses(tuple(expression_names)),
            looped=self.looped,
            focus=self.focus,
            yaw=self.yaw,
        )
