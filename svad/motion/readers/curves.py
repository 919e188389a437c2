"""Curves of keys as glTF has them: LINEAR, STEP and CUBICSPLINE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ON_TIME = 0.999  # of the way to a key

Curve = Callable[[np.ndarray], np.ndarray]
"""`curve(times [T])`: values [T, C] at times in seconds."""


def curve_of(
    key: np.ndarray,  # [K] seconds, rising
    values: np.ndarray,  # [K, 1, C]; of CUBICSPLINE [K, 3, C]: in-tangent, value, out-tangent
    way: str | None,  # STEP, CUBICSPLINE, else LINEAR
    *,
    turn: bool,  # values are quaternions, between which LINEAR means slerp
) -> Curve:
    """The curve of a sampler (glTF 2.0, appendix C), held before its first and after its last."""

    def sampled(times: np.ndarray) -> np.ndarray:
        times = np.clip(times, key[0], key[-1])
        low = np.clip(np.searchsorted(key, times, "right") - 1, 0, max(len(key) - 2, 0))
        high = np.minimum(low + 1, len(key) - 1)
        gap = np.maximum(key[high] - key[low], 1e-9)
        share = ((times - key[low]) / gap)[:, None]
        if way == "STEP":
            # times of files are float32: one that falls just before a key means that key
            return values[np.where(share[:, 0] > ON_TIME, high, low), 0]
        if way == "CUBICSPLINE":
            return _spline(values[low], values[high], gap[:, None], share)
        a, b = values[low, 0], values[high, 0]
        return _slerp(a, b, share) if turn else a + share * (b - a)

    return sampled


def _spline(a: np.ndarray, b: np.ndarray, gap: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Hermite; rows are in-tangent, value, out-tangent."""
    t2, t3 = t * t, t**3
    start = (2 * t3 - 3 * t2 + 1) * a[:, 1] + gap * (t3 - 2 * t2 + t) * a[:, 2]
    return start + (3 * t2 - 2 * t3) * b[:, 1] + gap * (t3 - t2) * b[:, 0]


def _slerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    dot = (a * b).sum(-1, keepdims=True)
    b, dot = np.where(dot < 0, -b, b), np.abs(dot)
    angle = np.arccos(np.clip(dot, 0, 1))
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / safe)
    return first * a + np.where(near, share, np.sin(share * angle) / safe) * b
