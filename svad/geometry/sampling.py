"""Bilinear sampling of pictures at points, and the smoothstep between 0 and 1."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
from torch import Tensor

MOST_POINTS = 30_000  # OpenCV maps at most 32767 columns at once

Values = TypeVar("Values", np.ndarray, Tensor)


def smoothstep(
    x: Values,  # [...]
) -> Values:  # [...]
    """3 x^2 - 2 x^3 between 0 and 1, level at both ends and beyond them."""
    t = x.clip(0, 1)
    return cast("Values", t * t * (3 - 2 * t))


def bilinear(
    image: np.ndarray,  # [H, W] or [H, W, C] float32
    points: np.ndarray,  # [P, 2] x px, y px; pixel centres at + 0.5
    outside: float | None = None,  # value beyond the picture; None = that of the nearest pixel
) -> np.ndarray:  # [P] or [P, C]
    """Values between pixel centres, in steps of 1/32 pixel."""
    return bilinear_between(image, points - 0.5, outside)


def bilinear_between(
    image: np.ndarray,  # [H, W] or [H, W, C] float32
    places: np.ndarray,  # [P, 2] column, row; whole numbers are pixel centres
    outside: float | None = None,
) -> np.ndarray:  # [P] or [P, C]
    """`bilinear` for places that count from the centre of the first pixel."""
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    value = (outside or 0.0,) * 4  # of each channel
    found = []
    for start in range(0, len(places), MOST_POINTS):
        part = np.ascontiguousarray(places[None, start : start + MOST_POINTS], np.float32)
        # one map holds both coordinates; the stub asks for a second one
        drawn = cv2.remap(image, part, None, cv2.INTER_LINEAR, None, border, value)  # pyright: ignore[reportCallIssue, reportArgumentType]
        found.append(drawn[0])
    return np.concatenate(found) if found else np.zeros((0, *image.shape[2:]), np.float32)
