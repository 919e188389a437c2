"""Gradient-domain blending: a picture whose gradients are mixed from two others.

Pérez et al., "Poisson image editing" (2003), on a rectangle whose outermost pixels stay as they
are. The five-point Poisson equation is solved exactly by sine transforms.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy.fft import dstn, idstn


def blend_gradients(
    frame: np.ndarray,  # [H, W, C] float, gives the border and the gradients where weights are 0
    source: np.ndarray,  # [H, W, C] float, gives the gradients where weights are 1
    weights: np.ndarray,  # [H, W] float, 0..1
    pull: float = 0.0,  # per square pixel, how strongly values are drawn to the frame's
) -> np.ndarray:  # [H, W, C] float64
    """The picture with the frame's border and the mixed forward differences inside.

    With a pull (a screened Poisson equation), what is wider than about 1 / sqrt(pull) pixels
    keeps the frame's colour.
    A rectangle without inner pixels (a side under three) is returned as it is.
    """
    frame = np.asarray(frame, np.float64)
    if min(frame.shape[:2]) < 3:
        return frame.copy()
    difference = source - frame
    share = weights[..., None]
    # mixed = gradient(frame) + weights * gradient(source - frame); `weights` sits at the pixel
    # a forward difference starts from
    down = np.diff(frame, axis=0) + share[:-1] * np.diff(difference, axis=0)
    right = np.diff(frame, axis=1) + share[:, :-1] * np.diff(difference, axis=1)
    divergence = np.diff(down, axis=0)[:, 1:-1] + np.diff(right, axis=1)[1:-1]
    result = frame.copy()
    wanted = divergence - pull * frame[1:-1, 1:-1]
    result[1:-1, 1:-1] = solve_poisson(wanted, frame, pull)
    return result


def solve_poisson(
    divergence: np.ndarray,  # [H - 2, W - 2, C] the Laplacian wanted at every inner pixel
    border: np.ndarray,  # [H, W, C] of which only the outermost pixels are read
    pull: float = 0.0,
) -> np.ndarray:  # [H - 2, W - 2, C] float64
    """Inner pixels x with (five-point Laplacian of x) - pull x = divergence, by that border."""
    right_side = np.array(divergence, np.float64)
    right_side[0] -= border[0, 1:-1]
    right_side[-1] -= border[-1, 1:-1]
    right_side[:, 0] -= border[1:-1, 0]
    right_side[:, -1] -= border[1:-1, -1]
    rows, columns = (_eigenvalues(count) for count in right_side.shape[:2])
    spectrum = dstn(right_side, type=1, axes=(0, 1), overwrite_x=True)
    spectrum /= (rows[:, None] + columns - pull)[..., None]
    return cast("np.ndarray", idstn(spectrum, type=1, axes=(0, 1), overwrite_x=True))


def _eigenvalues(count: int) -> np.ndarray:  # [count], all negative
    """Of the second difference with zeros outside, in the order of the sine transform."""
    return 2 * np.cos(np.pi * np.arange(1, count + 1) / (count + 1)) - 2
