"""Feet that stand: what does not move in the picture does not move in the world.

A camera tells badly how far away a body is, and well that its feet stay where they are.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter, minimum_filter1d

from svad.body.coco import Keypoint
from svad.body.skeleton import Joint
from svad.track.seen import Seen

SOLES = {
    Joint.LEFT_FOOT: Keypoint.LEFT_BIG_TOE,
    Joint.RIGHT_FOOT: Keypoint.RIGHT_BIG_TOE,
    Joint.LEFT_ANKLE: Keypoint.LEFT_HEEL,
    Joint.RIGHT_ANKLE: Keypoint.RIGHT_HEEL,
}
STILL, MOVES = 0.08, 0.25  # body heights a second in the picture: stands for certain, does not
SMOOTH = 0.2  # seconds, of the median against jitter
LAGS = (1, 3)  # frames; the longer one keeps small steps from adding up


def standing_pairs(
    seen: Seen,
) -> list[tuple[int, np.ndarray]]:  # lag, [T - lag, 4] 0..1
    """How certainly each of `SOLES` stays in place from a frame to a later one."""
    points = seen.keypoints[:, list(SOLES.values()), :2].astype(np.float64)
    time = seen.time
    if len(seen) < 4 or np.isnan(time).any():
        return []
    window = 2 * round(SMOOTH / 2 / max(float(np.median(np.diff(time))), 1e-3)) + 1
    points = median_filter(points, (window, 1, 1), mode="nearest")
    rate = np.linalg.norm(np.gradient(points, time, axis=0), axis=-1) / seen.unit
    stands = np.clip((MOVES - rate) / (MOVES - STILL), 0, 1)
    stands = stands * seen.trust[:, list(SOLES.values())]
    out = []
    for lag in LAGS:
        if lag < len(seen):
            # the least over the frames lag, lag + 1 long, that begin at each
            least = minimum_filter1d(stands, lag + 1, axis=0, origin=-((lag + 1) // 2))
            out.append((lag, least[:-lag]))
    return out
