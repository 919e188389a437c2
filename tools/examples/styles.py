"""Haircuts of the example people: lengths and combing directions in head coordinates."""

from __future__ import annotations

import numpy as np

from tools.examples.hair import Style
from tools.examples.noise import smoothstep


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _ways(x, y, z, like: np.ndarray) -> np.ndarray:  # [P, 3]
    return np.stack([np.broadcast_to(k, like.shape).astype(float) for k in (x, y, z)], 1)


def _middle_part(p: np.ndarray) -> np.ndarray:
    """From the middle to both sides and back, then down."""
    side = np.where(p[:, 0] > 0, 1.0, -1.0)
    out = _ways(side * 0.8, -0.45, -0.45, side)
    low = smoothstep(0.11, 0.03, p[:, 1])[:, None]
    return _unit(out * (1 - low) + low * _ways(0.12 * side, -1, -0.12, side))


def _side_part(p: np.ndarray) -> np.ndarray:
    """From a line on the left over the head, then down and in at the ends."""
    side = np.where(p[:, 0] > 0.030, 1.0, -1.0)
    out = _ways(side, -0.22, -0.45 - 0.1 * smoothstep(0.05, -0.02, p[:, 2]), side)
    low = smoothstep(0.10, 0.04, p[:, 1])[:, None]
    inward = smoothstep(-0.045, -0.095, p[:, 1])
    down = _ways(-0.55 * inward * np.sign(p[:, 0]), -1, 0.08 - 0.25 * inward, side)
    return _unit(out * (1 - low) + low * down)


def _crop(p: np.ndarray) -> np.ndarray:
    """Forward and to one side on top, down at the sides."""
    side = np.where(p[:, 0] > 0, 1.0, -1.0)
    top = smoothstep(0.06, 0.11, p[:, 1])[:, None]
    forward = _ways(0.45, 0.10, 0.85, side)
    return _unit(forward * top + _ways(0.12 * side, -1, 0.2, side) * (1 - top))


def _radial(p: np.ndarray) -> np.ndarray:
    return _unit(p - [0, 0.03, 0])


CURLY = Style(
    strands=7500, steps=56, length=lambda at, up: 0.135 + 0.045 * (at > 50), comb=_middle_part,
    lift=0.036, root_out=0.65, stiff=0.80, weight=0.5, hug=0.4, stray=0.14, clump=44,
    clump_strength=0.92, curl=0.011, curl_length=0.050, width=0.0012,
)  # fmt: skip
SHORT_AFRO = Style(
    strands=15000, steps=6, length=lambda at, up: 0.004 + 0.009 * up, comb=_radial,
    lift=0.012, root_out=0.9, stiff=0.5, stray=0.6, clump=6, clump_strength=0.5, width=0.0010,
)  # fmt: skip
BOB = Style(
    strands=12000, steps=30, 
    length=lambda at, up: 0.085 + 0.095 * up + 0.015 * (at > 60) - 0.035 * (at < 28),
    comb=_side_part, lift=0.020, root_out=0.35, stiff=0.80, weight=0.35, hug=1.0, stray=0.05,
    clump=16, clump_strength=0.5, width=0.0010,
)  # fmt: skip
CROP = Style(
    strands=11000, steps=16, length=lambda at, up: 0.016 + 0.046 * smoothstep(0.25, 0.7, up),
    comb=_crop, lift=0.022, root_out=0.55, stiff=0.78, hug=0.3, stray=0.12, clump=18,
    clump_strength=0.7, width=0.0011,
)  # fmt: skip


def _down(p: np.ndarray) -> np.ndarray:
    """Down and a little forward, as a beard lies."""
    return _ways(0.15 * np.sign(p[:, 0]), -1, 0.35, p[:, 0])


AFRO = Style(
    strands=9000, steps=36, length=lambda at, up: 0.105 + 0.035 * up, comb=_radial, lift=0.06,
    root_out=0.95, stiff=0.93, stray=0.30, clump=30, clump_strength=0.7, curl=0.007,
    curl_length=0.022, width=0.0014,
)  # fmt: skip
SHAVED = Style(
    strands=2500, steps=4, length=lambda at, up: 0.004 + 0 * up, comb=_radial, lift=0.004,
    root_out=0.5, stiff=0.5, stray=0.3, clump=6, clump_strength=0.3, width=0.0007,
)  # fmt: skip
BEARD = Style(
    strands=5000, steps=12, length=lambda at, up: 0.012 + 0.006 * (at < 25), comb=_down, lift=0.007,
    root_out=0.4, stiff=0.7, weight=0.2, stray=0.25, clump=12, clump_strength=0.5, curl=0.0015,
    curl_length=0.015, width=0.0009,
)  # fmt: skip
