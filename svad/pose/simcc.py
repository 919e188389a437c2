"""What goes into the whole-body pose network, and what its outputs say.

RTMPose's SimCC head (arXiv 2303.07399) at DWPose's size, 288 x 384 (arXiv 2307.15880).
"""

from __future__ import annotations

import cv2
import numpy as np

INPUT_SIZE = (288, 384)  # width, height in pixels
PADDING = 1.25  # the box grows by this before it is cut out
BINS = 2  # per input pixel
MEAN = (123.675, 116.28, 103.53)  # red, green, blue
DEVIATION = (58.395, 57.12, 57.375)


def crop_frame(
    boxes: np.ndarray,  # [..., 4] x1, y1, x2, y2
    size: tuple[int, int] = INPUT_SIZE,  # width, height
) -> tuple[np.ndarray, np.ndarray]:  # [..., 2], [..., 2]
    """Centre and size of what is cut out: padded, one side grown to the aspect of `size`."""
    boxes = np.asarray(boxes, np.float64)
    center = (boxes[..., :2] + boxes[..., 2:]) / 2
    width, height = np.moveaxis((boxes[..., 2:] - boxes[..., :2]) * PADDING, -1, 0)
    aspect = size[0] / size[1]
    wide = width > aspect * height
    grown = np.where(wide, width, aspect * height), np.where(wide, width / aspect, height)
    return center, np.stack(grown, -1)


def crop_matrix(
    center: np.ndarray,  # [..., 2]
    extent: np.ndarray,  # [..., 2] width, height in the picture
    size: tuple[int, int] = INPUT_SIZE,  # width, height
) -> np.ndarray:  # [..., 2, 3]
    """Picture to crop coordinates, without rotation."""
    factor = size[0] / extent[..., 0]
    matrix = np.zeros((*factor.shape, 2, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = factor
    matrix[..., 2] = np.array(size) / 2 - factor[..., None] * center
    return matrix


def crop(
    rgb: np.ndarray,  # [H, W, 3] uint8
    box: np.ndarray,  # [4] x1, y1, x2, y2
    size: tuple[int, int] = INPUT_SIZE,  # width, height
) -> np.ndarray:  # [height, width, 3] uint8
    """The person cut out bilinearly; black outside the picture."""
    matrix = crop_matrix(*crop_frame(box, size), size)
    return cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_LINEAR)


def normalise(
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> np.ndarray:  # [H, W, 3] float32
    """Mean 0 and deviation 1 over ImageNet, channel by channel."""
    mean, deviation = np.array(MEAN, np.float32), np.array(DEVIATION, np.float32)
    return (rgb.astype(np.float32) - mean) / deviation


def decode(
    x: np.ndarray,  # [..., K, bins of the width]
    y: np.ndarray,  # [..., K, bins of the height]
) -> tuple[np.ndarray, np.ndarray]:  # [..., K, 2] float32 network pixels, [..., K] float32
    """Place and score of each point; a point whose score is not positive lies at -1 / 2."""
    place = np.stack([x.argmax(-1), y.argmax(-1)], -1).astype(np.float32)
    score = np.minimum(x.max(-1), y.max(-1)).astype(np.float32)
    place[score <= 0] = -1
    return place / BINS, score


def to_picture(
    points: np.ndarray,  # [..., K, 2] network pixels
    center: np.ndarray,  # [..., 2]
    extent: np.ndarray,  # [..., 2]
    size: tuple[int, int] = INPUT_SIZE,  # width, height
) -> np.ndarray:  # [..., K, 2] picture pixels
    """Network pixels back to the picture. A dead point moves too: only its score tells."""
    center, extent = center[..., None, :], extent[..., None, :]
    return points / np.array(size, np.float64) * extent + center - extent / 2
