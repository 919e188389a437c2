"""Finds the person's face in the frames of a clip that can show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from svad.config.restoration import RestorationConfig
from svad.face.landmarks import five_points
from svad.face.projection import KnownFace
from svad.restoration.detect import Detector
from svad.restoration.faces import FramedFace, nearest
from svad.restoration.method import IMPROVED, Method
from svad.types import Clip

Landmarks = Callable[[np.ndarray, np.ndarray], np.ndarray | None]
"""`landmarks(frame [H, W, 3] uint8, box [4]) -> [68, 2] px or None`: face landmarks from a tracker.

The box of the person, x0, y0, x1, y1 px, is known from the matte.
"""

Tick = Callable[[int, int], None]
"""`tick(frames done, frames in all)`, called before each batch."""


@dataclass
class Found:
    """Faces by frame, and the frames whose face is left as it is, by reason."""

    faces: list[FramedFace] = field(default_factory=list)
    left: dict[str, list[int]] = field(default_factory=dict)

    def leave(self, frame: int, reason: str) -> None:
        self.left.setdefault(reason, []).append(frame)


@dataclass(frozen=True, kw_only=True)
class Search:
    """Looks with the detector if there is one, else with a tracker, else where the body says."""

    known: KnownFace
    method: Method = IMPROVED
    detector: Detector | None = None
    landmarks: Landmarks | None = None
    together: int = 8  # frames the detector sees at a time

    def __call__(
        self,
        clip: Clip,
        frames: Sequence[int],  # to look at, such as those of `showing`
        config: RestorationConfig,
        tick: Tick,
    ) -> Found:
        """The person's face in each of these frames."""
        found = Found()
        for start in range(0, len(frames), self.together):
            tick(start, len(frames))
            part = frames[start : start + self.together]
            for frame, points in zip(part, self._points(clip, part), strict=True):
                matte = clip.matte[frame]
                face = self.method.framed(frame, points, matte, config.smallest_face)
                if isinstance(face, FramedFace):
                    found.faces.append(face)
                else:
                    found.leave(frame, face)
        return found

    def showing(self, clip: Clip, max_yaw: float) -> list[int]:
        """The frames in which neither body nor head is turned farther than `max_yaw` degrees."""
        body = np.abs((clip.yaw + np.pi) % (2 * np.pi) - np.pi)
        limit = np.radians(max_yaw) + 1e-4
        return [
            t
            for t, (pose, camera) in enumerate(zip(clip.poses, clip.cameras, strict=True))
            if body[t] <= limit and self.known.yaw(pose, camera) <= limit
        ]

    def _points(self, clip: Clip, frames: Sequence[int]) -> list[np.ndarray | None]:
        """Five points a frame, px with whole-numbered centres."""
        if self.detector is None and self.landmarks is not None:
            seen = [self.landmarks(clip.rgb[t], _box(clip.matte[t])) for t in frames]
            return [None if points is None else five_points(points)[:, :2] for points in seen]
        known = [
            five_points(self.known.landmarks(clip.poses[t], clip.cameras[t])) - 0.5 for t in frames
        ]
        if self.detector is None:
            return known
        rows = self.detector.faces(clip.rgb[frames])
        return [nearest(r, k) for r, k in zip(rows, known, strict=True)]


def _box(matte: np.ndarray) -> np.ndarray:  # [H, W] uint8 -> [4] px
    """Around the person; the whole frame where there is nobody."""
    ys, xs = np.nonzero(matte > 127)
    if not len(xs):
        return np.array([0, 0, matte.shape[1], matte.shape[0]], np.float64)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float64)
