"""Cuts of a picture: boxes that may reach over its border, and where a person is looked for."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive

_SEARCH_SIDE = 1024  # px, longer side of the picture a person is looked for in


def person_box(
    points: np.ndarray,  # [K, 3] x px, y px, score
    mask: np.ndarray,  # [H, W] soft person mask
    margin: float,  # share of the longer side
) -> Box:
    """The box around the visible points and the mask, inside the picture."""
    seen = points[points[:, 2] > 0.3, :2] if (points[:, 2] > 0.3).any() else points[:, :2]
    low, high = seen.min(0), seen.max(0)
    ys, xs = np.where(mask > 0.5)
    if len(xs):
        low = np.minimum(low, (xs.min(), ys.min()))
        high = np.maximum(high, (xs.max() + 1, ys.max() + 1))
    pad = margin * float((high - low).max())
    height, width = mask.shape
    x0, y0 = np.clip(np.floor(low - pad), 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(np.ceil(high + pad), (x0 + 2, y0 + 2), (width, height)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def framings(
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> Iterator[tuple[Box, float]]:
    """(box, factor) in the order in which a person is looked for."""
    box = without_bars(rgb)
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(1.0, _SEARCH_SIDE / max(width, height))
    yield box, factor
    yield box, 0.64 * factor
    yield box, 0.40 * factor
    pad = int(0.25 * max(width, height))
    yield (box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad), 0.6 * factor


def without_bars(
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> Box:
    """The picture without even black or white bars at its borders."""
    height, width = rgb.shape[:2]
    red, green, blue = cv2.split(rgb)
    high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    extreme = ((high < 12) | (low > 244)) & (high - low < 8)
    rows, columns = ~(extreme.mean(1) > 0.995), ~(extreme.mean(0) > 0.995)
    if rows.sum() < 0.3 * height or columns.sum() < 0.2 * width:
        return 0, 0, width, height
    ys, xs = np.where(rows)[0], np.where(columns)[0]
    y0, y1, x0, x1 = int(ys[0]), int(ys[-1]) + 1, int(xs[0]), int(xs[-1]) + 1
    filled = ~extreme[y0:y1, x0:x1]
    # a bar ends in a full edge; the empty part of a white studio does not
    if (y0 > 0 and filled[0].mean() < 0.6) or (y1 < height and filled[-1].mean() < 0.6):
        y0, y1 = 0, height
    if (x0 > 0 and filled[:, 0].mean() < 0.6) or (x1 < width and filled[:, -1].mean() < 0.6):
        x0, x1 = 0, width
    return x0, y0, x1, y1


def square(
    center: np.ndarray,  # [2] x px, y px
    half: float,  # px
) -> Box:
    """A square box of at least 16 px a side."""
    x, y, half = int(center[0]), int(center[1]), max(8, int(half))
    return x - half, y - half, x + half, y + half


def way(factor: float) -> int:
    """How OpenCV is to resize by a factor."""
    return cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC


def cut(
    rgb: np.ndarray,  # [H, W, 3] uint8
    box: Box,
) -> np.ndarray:  # [h, w, 3] uint8
    """A cut-out; what lies outside the picture repeats its border."""
    height, width = rgb.shape[:2]
    x0, y0 = max(0, min(box[0], width - 1)), max(0, min(box[1], height - 1))
    x1, y1 = min(width, max(box[2], x0 + 1)), min(height, max(box[3], y0 + 1))
    pads = (y0 - box[1], box[3] - y1, x0 - box[0], box[2] - x1)
    part = rgb[y0:y1, x0:x1]
    if not any(pads):
        return part
    top, bottom, left, right = (max(0, p) for p in pads)
    return cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_REPLICATE)


def paste(
    mask: np.ndarray,  # [h, w] float32
    box: Box,
    shape: tuple[int, ...],  # height, width of the picture
) -> np.ndarray:  # [H, W] float32
    """A cut-out's mask laid into an empty mask [H, W] of the whole picture."""
    whole = np.zeros(shape, np.float32)
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(shape[1], box[2]), min(shape[0], box[3])
    whole[y0:y1, x0:x1] = mask[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
    return whole
