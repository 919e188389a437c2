"""Which side of a person is seen: decided for all pictures of a clip together.

A detector does not tell front from back by what it believes to see (its nose is as sure from
behind), but the signed distance of left and right shoulder and hip does, and the order of their
depths. In single pictures near the side view it swaps left and right; a turning body does not.
"""

from __future__ import annotations

import numpy as np

from svad.track.seen import Seen, across

BINS = 72
SIGMA_FLAT, SIGMA_DEEP = 0.025, 0.25  # metres, of the distances across in the picture and in depth
SWAP = 3.0  # cost of taking left for right
LIMIT = 9.0  # a distance that misses by more than so many variances tells no more
TURN = 1.6  # radians a second, of a person who turns around
STILL = 0.03  # radians, between two pictures taken at one moment


def side_seen(
    ahead: np.ndarray,  # [T, 3] where the pelvis faces
    camera: np.ndarray,  # [T, 3] from the pelvis to the camera
) -> np.ndarray:  # [T] radians, -pi..pi
    """The side a person is seen from, about the vertical: 0 = front, growing towards their left."""
    turn = np.arctan2(camera[:, 0], camera[:, 2]) - np.arctan2(ahead[:, 0], ahead[:, 2])
    return np.arctan2(np.sin(turn), np.cos(turn))


def yaws(
    seen: Seen,
) -> tuple[np.ndarray, np.ndarray]:  # [T] float32 radians, [T] bool
    """The side that is seen (0 = front, growing towards the person's left), and where to swap

    left and right. In a clip (Viterbi 1967) the cheapest way through all frames, where a turn from
    frame to frame costs by its speed; photos are taken one by one.
    """
    angles = (np.arange(BINS) - BINS // 2) * (2 * np.pi / BINS)
    right, swapped = _misses(seen, angles)
    cost = np.minimum(right, swapped + SWAP)
    if len(seen) > 1 and not np.isnan(seen.time).any():
        chosen = _cheapest(cost, angles, np.diff(seen.time))
    else:
        chosen = cost.argmin(1)
    rows = np.arange(len(seen))
    swap = swapped[rows, chosen] + SWAP < right[rows, chosen]
    return _refined(cost, chosen, angles).astype(np.float32), swap


def widths(seen: Seen) -> np.ndarray:  # [2]
    """Shoulders' and hips' distance in metres: the largest that is seen, outliers aside."""
    size = np.linalg.norm(np.nan_to_num(across(seen)), axis=-1)
    flat = np.abs(across(seen)[..., 0])
    return np.maximum(np.percentile(flat, 90, axis=0), 0.8 * np.median(size, axis=0))


def _misses(seen: Seen, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # [T, BINS] each
    """Half squared misses at every angle: as the detector says, and with left for right."""
    found, size = across(seen), widths(seen)
    sigma = np.array([SIGMA_FLAT, SIGMA_DEEP])
    # seen from the person's left (positive yaw) the left shoulder is the nearer one
    way = np.stack([np.cos(angles), -np.sin(angles)], -1)  # [BINS, 2]
    wanted = size[None, None, :, None] * way[None, :, None]  # [1, BINS, 2, 2]
    out = []
    for sign in (1.0, -1.0):
        miss = (sign * found[:, None] - wanted) / sigma
        out.append(0.5 * np.minimum(np.nan_to_num(miss) ** 2, LIMIT).sum((2, 3)))
    return out[0], out[1]


def _cheapest(cost: np.ndarray, angles: np.ndarray, gaps: np.ndarray) -> np.ndarray:  # [T]
    turn = angles[:, None] - angles[None]
    turn = np.abs((turn + np.pi) % (2 * np.pi) - np.pi)
    total, came = cost[0], []
    for row, gap in zip(cost[1:], gaps, strict=True):
        step = total[None] + 0.5 * (turn / (STILL + TURN * max(gap, 0.0))) ** 2
        came.append(step.argmin(1))
        total = step.min(1) + row
    chosen = [int(total.argmin())]
    for back in reversed(came):
        chosen.append(int(back[chosen[-1]]))
    return np.array(chosen[::-1])


def _refined(cost: np.ndarray, chosen: np.ndarray, angles: np.ndarray) -> np.ndarray:  # [T]
    """Between the bins: the lowest point of a parabola through three."""
    rows = np.arange(len(cost))
    low, mid, high = (cost[rows, (chosen + k) % BINS] for k in (-1, 0, 1))
    bend = low - 2 * mid + high
    shift = np.where(bend > 1e-9, 0.5 * (low - high) / np.maximum(bend, 1e-9), 0.0)
    yaw = angles[chosen] + np.clip(shift, -0.5, 0.5) * (2 * np.pi / BINS)
    return (yaw + np.pi) % (2 * np.pi) - np.pi
