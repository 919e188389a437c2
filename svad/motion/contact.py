"""When feet stand on the floor: told from how fast and how high heel and ball are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter, minimum_filter1d

from svad.body.skeleton import LEGS
from svad.motion import rig
from svad.motion.rig import Track

HEEL, BALL = 0, 1
SPEED = 0.45  # leg lengths a second, of a sole that stands; one that swings does 3
HEIGHT = 0.07  # leg lengths above the lowest that either sole was around that moment
AROUND = 0.5  # seconds, before and after
LEAST = 0.1  # seconds that a foot stands at least


@dataclass(frozen=True)
class Soles:
    """Both feet in T frames; sides are left, right; points are heel, ball."""

    turn: np.ndarray  # [T, 2, 3, 3] orientation of the feet, identity = flat and forward
    ankle: np.ndarray  # [T, 2, 3] metres
    offset: np.ndarray  # [2, 2, 3] from the ankle to the points when flat and forward, metres

    @property
    def points(self) -> np.ndarray:  # [T, 2, 2, 3]
        """Heel and ball in the world."""
        return self.ankle[:, :, None] + np.einsum("tsij,spj->tspi", self.turn, self.offset)


def soles_of(track: Track) -> Soles:
    """Where the feet of a motion are."""
    turns, places = rig.forward(track)
    ankles = [LEGS[side][2] for side in rig.SIDES]
    rest = np.asarray(track.skeleton.joints, np.float64)
    offset = [track.skeleton.contacts(side)[:2] - rest[LEGS[side][2]] for side in rig.SIDES]
    return Soles(turns[:, ankles], places[:, ankles], np.stack(offset))


def contacts(
    soles: Soles,
    leg: float,  # metres
    fps: float,
) -> np.ndarray:  # [T, 2, 2] bool
    """Whether heel and ball of each foot stand."""
    points = soles.points
    smooth = median_filter(points, (2 * round(0.05 * fps) + 1, 1, 1, 1), mode="nearest")
    speed = np.linalg.norm(np.gradient(smooth, axis=0), axis=-1) * fps
    height = points[..., 1]
    lowest = minimum_filter1d(height.min((1, 2)), 2 * round(AROUND * fps) + 1)
    stands = (speed < SPEED * leg) & (height - lowest[:, None, None] < HEIGHT * leg)
    window = 2 * round(LEAST * fps / 2) + 1
    return median_filter(stands.astype(np.uint8), (window, 1, 1), mode="nearest") > 0


def runs(
    on: np.ndarray,  # [T] bool
) -> list[slice]:
    """The stretches of frames in which something holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
