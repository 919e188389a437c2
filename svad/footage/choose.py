"""Which frames of a clip an avatar is made from: even over the turn, the sharpest of each part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

IDLE = 0.05  # radians a second that count where nobody turns: poses differ there, too
FRONT = 0.35  # radians from the front, of the picture that stands for a photo
LEAST_TURN = np.radians(60)  # seen from no more sides, a clip tells no more than a photo
BACK = np.radians(120)  # a side that is farther from the front shows the back
APART = np.radians(45)  # sides that are farther from their neighbours have not been seen between


def spread(
    yaw: np.ndarray,  # [T] radians, in the order of time
    time: np.ndarray,  # [T] seconds
    sharpness: np.ndarray,  # [T]
    count: int,
) -> list[int]:
    """At most `count` frames: the way around is cut into equal parts, of each the sharpest."""
    if len(yaw) <= count:
        return list(range(len(yaw)))
    turn = np.abs((np.diff(yaw) + np.pi) % (2 * np.pi) - np.pi)
    way = np.concatenate([[0.0], np.cumsum(turn + IDLE * np.diff(time))])
    part = np.minimum((way / max(way[-1], 1e-9) * count).astype(int), count - 1)
    return [
        int(rows[np.argmax(sharpness[rows])])
        for rows in (np.flatnonzero(part == k) for k in range(count))
        if len(rows)
    ]


def front_first(
    yaw: np.ndarray,  # [T] radians
    sharpness: np.ndarray,  # [T]
) -> list[int]:
    """The frames that may stand for a photo, the best one first; all of them if none is near."""
    order = np.argsort(np.abs(yaw) / FRONT - 0.5 * sharpness / max(float(sharpness.max()), 1e-9))
    near = [int(i) for i in order if abs(yaw[i]) < FRONT]
    return near or [int(i) for i in order]


def sides_seen(
    yaw: Sequence[float] | np.ndarray,  # [T] radians
) -> float:
    """How much of a full turn is seen, radians; a sway about any side is no turn."""
    around = np.sort(np.asarray(yaw, np.float64) % (2 * np.pi))
    gaps = np.diff(around, append=around[:1] + 2 * np.pi)
    return float(gaps[gaps < APART].sum())


def shows_back(
    yaw: Sequence[float] | np.ndarray,  # [T] radians
) -> bool:
    """Whether any picture is from behind."""
    return bool((np.abs(np.asarray(yaw)) > BACK).any())
