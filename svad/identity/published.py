"""Face fusion step by step as SVAD published it, for comparison (`IdentityConfig.strict`).

Here landmarks are whole pixels whose first centre is at (0, 0), as the published detector gives
them, and those of the head belong to the head picture stretched to the frame.
"""

from __future__ import annotations

import cv2
import numpy as np

from svad.identity.poisson import blend_gradients

FRAMES = 139  # only the first so many frames are fused: they stood for "seen from the front"
DISPARITY = 0.01  # above it a frame is left
OUTLIER = 3.0  # px, of the robust similarity
STRENGTH = 180  # grey level of the mask: 180 / 255 of the head's gradients, the rest the frame's
EROSIONS = 3  # of 3 x 3, before the mask becomes weights


def stretch(
    head: np.ndarray,  # [h, w, 3] uint8
    shape: tuple[int, ...],  # (H, W, ...) of the frame
) -> np.ndarray:  # [H, W, 3] uint8
    """The head brought to the frame's size; its aspect is not kept."""
    if head.shape[:2] == tuple(shape[:2]):
        return head
    return cv2.resize(head, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def robust_similarity(
    head: np.ndarray,  # [68, 2]
    frame: np.ndarray,  # [68, 2]
) -> tuple[np.ndarray | None, np.ndarray]:  # [2, 3] or None, [68] bool
    """Head to frame by random sampling, with the points that agree; None if nothing fits."""
    matrix, inliers = cv2.estimateAffinePartial2D(
        head.astype(np.float64),
        frame.astype(np.float64),
        method=cv2.RANSAC,
        ransacReprojThreshold=OUTLIER,
        maxIters=2000,
        confidence=0.99,
        refineIters=10,
    )
    return matrix, np.asarray(inliers).reshape(-1).astype(bool)


def warp(
    head: np.ndarray,  # [H, W, 3] uint8, stretched
    matrix: np.ndarray,  # [2, 3]
) -> np.ndarray:  # [H, W, 3] uint8
    """The head moved onto the frame's face, black around it."""
    size = (head.shape[1], head.shape[0])
    return cv2.warpAffine(head, matrix, size, flags=cv2.INTER_LINEAR)


def hull_mask(
    points: np.ndarray,  # [68, 2]
    shape: tuple[int, ...],  # (H, W, ...)
    value: int = STRENGTH,
) -> np.ndarray:  # [H, W] uint8
    """The outline of the landmarks, filled."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.int32, order="C")), (value,))
    return mask


def rectangle(
    points: np.ndarray,  # [68, 2]
) -> tuple[int, int, int, int]:
    """x, y, width, height around the landmarks."""
    x, y, width, height = cv2.boundingRect(points.astype(np.int32, order="C"))
    return x, y, width, height


def centre(
    box: tuple[int, int, int, int],  # x, y, width, height
) -> tuple[int, int]:
    """Where the published program asks the mask's middle to go: where it is already."""
    x, y, width, height = box
    return x + width // 2, y + height // 2


def clone(
    frame: np.ndarray,  # [H, W, 3] uint8
    source: np.ndarray,  # [H, W, 3] uint8, in place
    mask: np.ndarray,  # [H, W] uint8
) -> np.ndarray:  # [H, W, 3] uint8
    """Poisson blending as OpenCV's `seamlessClone` (normal) does it, within one grey level.

    It is solved on the mask's rectangle, with the frame's own gradients beside the mask.
    """
    mask = mask.copy()
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    x, y, width, height = cv2.boundingRect(mask)
    box = np.s_[y : y + height, x : x + width]
    weights = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=EROSIONS)[box] / 255
    inside = np.where(mask[box][..., None] > 0, source[box], 0)
    result = frame.copy()
    result[box] = np.clip(blend_gradients(frame[box], inside, weights), 0, 255).astype(np.uint8)
    return result
