"""What the published program does to a clip before it trains: boxes, first depth, smooth poses."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.signal import savgol_filter
from torch import Tensor

from svad.geometry.rotation import axis_angle_to_quaternion, quaternion_to_axis_angle

WINDOW, ORDER = 9, 2  # frames and degree of the Savitzky-Golay filter
GROWTH, SQUARE_GROWTH = 1.2, 1.25  # of a box about its centre
HEIGHT = 2.0  # metres that the side of a square box stands for
Box = tuple[float, float, float, float]  # x, y, width, height, px


def smoothed(
    values: np.ndarray,  # [T, ...], T >= 9
) -> np.ndarray:  # [T, ...]
    """Every number's course through a Savitzky-Golay filter, its ends by the last full window."""
    return np.asarray(savgol_filter(values, WINDOW, ORDER, axis=0))


def smoothed_turns(
    turns: Tensor,  # [T, J, 3] axis-angle, T >= 9
) -> Tensor:  # [T, J, 3]
    """Rotations smoothed as quaternions that never jump to their opposites."""
    quats = axis_angle_to_quaternion(turns).double().numpy(force=True)
    flips = np.sign((quats[1:] * quats[:-1]).sum(-1, keepdims=True))
    quats[1:] *= np.cumprod(np.where(flips == 0, 1, flips), 0)
    quats = smoothed(quats)
    quats /= np.linalg.norm(quats, axis=-1, keepdims=True)
    return quaternion_to_axis_angle(torch.as_tensor(quats, device=turns.device)).to(turns)


def keypoint_box(
    keypoints: np.ndarray,  # [K, 2] px
    valid: np.ndarray,  # [K] bool
) -> Box:
    """The box around the valid key points, grown about its centre.

    Raises ValueError without any.
    """
    seen = keypoints[valid.astype(bool)]
    if not len(seen):
        raise ValueError("no key point is valid: there is nothing to put a box around")
    low, high = seen.min(0), seen.max(0)
    middle, size = (low + high) / 2, (high - low) * GROWTH
    x, y = (middle - size / 2).tolist()
    width, height = size.tolist()
    return x, y, width, height


def square_box(box: Box) -> Box:
    """A square about a box's centre, as large as its longer side, then grown."""
    x, y, width, height = box
    side = max(width, height)
    grown = side * SQUARE_GROWTH
    return x + (width - grown) / 2, y + (height - grown) / 2, grown, grown


def first_depth(
    square: Box,
    focal: tuple[float, float],  # px, x and y
) -> float:
    """Metres at which a person would fill the square box: where the fit begins."""
    return math.sqrt(focal[0] * focal[1] * HEIGHT**2 / (square[2] * square[3]))
