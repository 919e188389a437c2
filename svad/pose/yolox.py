"""What goes into the person detector, and what its outputs say (YOLOX, arXiv 2107.08430)."""

from __future__ import annotations

import cv2
import numpy as np

from svad.geometry.boxes import suppress as suppress_sorted

STRIDES = (8, 16, 32)
GREY = 114  # fills what the picture does not cover
PERSON = 0  # class of COCO
MIN_SCORE = 0.1  # a box below is not looked at
PERSON_SCORE = 0.3  # a box above is a person
MAX_OVERLAP = 0.45


def letterbox(
    bgr: np.ndarray,  # [H, W, 3] uint8
    size: tuple[int, int],  # height, width
) -> tuple[np.ndarray, float]:  # [height, width, 3] uint8, ratio
    """The picture shrunk or grown into the top left corner of a grey canvas."""
    rows, columns = bgr.shape[:2]
    ratio = min(size[0] / rows, size[1] / columns)
    height, width = max(1, int(rows * ratio)), max(1, int(columns * ratio))
    canvas = np.full((*size, 3), GREY, np.uint8)
    canvas[:height, :width] = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_LINEAR)
    return canvas, ratio


def boxes_and_scores(
    raw: np.ndarray,  # [A, 5 + classes] dx, dy, log w, log h, objectness, class probabilities
    size: tuple[int, int],  # height, width of the network's input
    ratio: float,
) -> tuple[np.ndarray, np.ndarray]:  # [A, 4] x1, y1, x2, y2 in picture pixels, [A, classes]
    """Decodes the cells of all strides; raises ValueError if their number does not fit `size`."""
    cells, strides = _cells(size)
    if raw.ndim != 2 or len(raw) != len(cells) or raw.shape[1] <= 5:
        raise ValueError(
            f"it gives {raw.shape} for an input of {size}, expected ({len(cells)}, 85)"
        )
    raw = np.asarray(raw, np.float32)
    center = (raw[:, :2] + cells) * strides
    half = np.exp(raw[:, 2:4]) * strides / 2
    boxes = np.concatenate([center - half, center + half], 1) / np.float32(ratio)
    return boxes, raw[:, 4:5] * raw[:, 5:]


def person_boxes(
    boxes: np.ndarray,  # [A, 4]
    scores: np.ndarray,  # [A, classes]
    least: float = MIN_SCORE,
) -> np.ndarray:  # [N, 5] x1, y1, x2, y2, score; best first
    """The persons, each once."""
    good = scores[:, PERSON] > least
    boxes, score = boxes[good], scores[good, PERSON]
    keep = suppress(boxes, score, MAX_OVERLAP)
    return np.concatenate([boxes, score[:, None]], 1)[keep]


def suppress(
    boxes: np.ndarray,  # [N, 4] x1, y1, x2, y2
    scores: np.ndarray,  # [N]
    most: float,  # overlap over union up to which two boxes are different things
) -> np.ndarray:  # [n] int64, best first
    """Non-maximum suppression with sizes x2 - x1 + 1, as the published pipeline counts."""
    order = np.argsort(scores, kind="stable")[::-1]
    return order[suppress_sorted(boxes[order], most, pixel=1)]


def _cells(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:  # [A, 2], [A, 1]
    """Column and row of each cell, and its stride; rows of the finest stride first."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        cells.append(np.stack([columns, rows], -1).reshape(-1, 2))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
