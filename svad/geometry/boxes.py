"""Boxes in pictures: crops, letterbox, intersection over union, non-maximum suppression.

A box is (left, top, right, bottom) in pixels. Crops reach beyond the picture; what is outside of
it is black.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

Box = tuple[int, int, int, int]


def around(
    points: np.ndarray,  # [N, 2]
) -> np.ndarray:  # [4]
    """The smallest box that holds the points."""
    return np.concatenate([points.min(0), points.max(0)])


def crop(
    image: Tensor,  # [..., H, W]
    box: Box,
) -> Tensor:  # [..., h, w]
    """Cuts a box, with zeros where it reaches beyond the picture."""
    left, top, right, bottom = box
    height, width = image.shape[-2:]
    inside = image[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    # a box wholly outside has nothing inside; its padding makes up the whole
    wide, high = inside.shape[-1], inside.shape[-2]
    before = (min(max(-left, 0), right - left), min(max(-top, 0), bottom - top))
    after = (right - left - wide - before[0], bottom - top - high - before[1])
    return functional.pad(inside, (before[0], after[0], before[1], after[1]))


def resize(
    image: Tensor,  # [C, H, W]
    size: tuple[int, int],  # h, w
) -> Tensor:  # [C, h, w]
    """Bilinear, antialiased when it gets smaller, half-pixel centres."""
    shape = {"size": size, "mode": "bilinear", "align_corners": False, "antialias": True}
    return functional.interpolate(image[None], **shape)[0]


def cut(
    image: Tensor,  # [C, H, W]
    box: Box,
    size: int,
) -> Tensor:  # [C, size, size]
    """A box of the picture at a size of one's own."""
    return resize(crop(image, box), (size, size))


def letterbox(
    image: Tensor,  # [C, H, W]
    size: int,
    fill: float,  # value beside the picture
) -> tuple[Tensor, tuple[int, int], float]:  # [C, size, size], padding (x, y), scale
    """The whole picture in the middle of a square, its long side as long as the square's.

    Sides are divided in whole numbers: 77 * (640 / 77) is less than 640 in floating point.
    """
    height, width = image.shape[-2:]
    long = max(height, width)
    rows, columns = height * size // long, width * size // long
    x, y = (size - columns) // 2, (size - rows) // 2
    sides = (x, size - columns - x, y, size - rows - y)
    return functional.pad(resize(image, (rows, columns)), sides, value=fill), (x, y), size / long


def overlap(
    box: np.ndarray,  # [4]
    others: np.ndarray,  # [N, 4]
    pixel: float = 0.0,  # added to every side: 1 where boxes name their last pixels
) -> np.ndarray:  # [N] 0..1
    """Intersection over union."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(high - low + pixel, 0).prod(1)
    areas = (others[:, 2:] - others[:, :2] + pixel).prod(1) + (box[2:] - box[:2] + pixel).prod()
    return shared / (areas - shared)


def suppress(
    boxes: np.ndarray,  # [N, 4] best first
    most: float,  # overlap up to which two boxes are different things
    pixel: float = 0.0,  # see `overlap`
    limit: int | None = None,  # number of boxes that are kept
) -> np.ndarray:  # [n] int64, rows that stay, best first
    """Non-maximum suppression: leaves out every box that overlaps a better one too much."""
    rows = np.arange(len(boxes))
    kept: list[int] = []
    while len(rows) and (limit is None or len(kept) < limit):
        best, rows = rows[0], rows[1:]
        kept.append(int(best))
        rows = rows[overlap(boxes[best], boxes[rows], pixel) <= most]
    return np.array(kept, np.int64)
