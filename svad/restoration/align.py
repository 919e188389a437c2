"""Face alignment between a frame and an upright crop: five points, similarity, warp.

Points and matrices in this file use OpenCV's convention, where pixel centres are whole numbers.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from svad.geometry.similarity import fit_similarity, move, scale_of

CROP = 512  # px, side of a crop
# where the eyes, the nose and the corners of the mouth come to lie in the crop (that of FFHQ faces)
TEMPLATE = np.array(
    [
        (192.98138, 239.94708),
        (318.90277, 240.1936),
        (256.63416, 314.01935),
        (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)
OUTSIDE = (132, 133, 135)  # RGB around a frame, as the restoring network was trained with
BLACK = (0, 0, 0)
STRAY = 60.0  # px of the crop; a point this far from where four others put it is misplaced

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels


def similarity(
    points: np.ndarray,  # [5, 2] px of the frame
) -> np.ndarray | None:  # [2, 3] frame to crop
    """The similarity that brings five points to the template; None if there is none.

    The robust one only tells which points are misplaced; least squares over the others is taken.
    """
    points = points.astype(np.float32)
    robust = robust_similarity(points)
    if robust is None or not np.isfinite(robust).all():
        return robust
    near = distances(points, robust) < STRAY
    return fit_similarity(points[near], TEMPLATE[near]) if near.sum() >= 3 else robust


def robust_similarity(
    points: np.ndarray,  # [5, 2] px of the frame
) -> np.ndarray | None:  # [2, 3] frame to crop
    """The similarity of the least median of squares to the template, as published.

    It leaves out misplaced points, but now and then good ones too, and so jumps from frame to
    frame.
    """
    target = TEMPLATE.astype(np.float32)
    matrix, _ = cv2.estimateAffinePartial2D(points.astype(np.float32), target, method=cv2.LMEDS)
    return matrix


def distances(
    points: np.ndarray,  # [5, 2] px of the frame
    matrix: np.ndarray,  # [2, 3] frame to crop
) -> np.ndarray:  # [5] px of the crop
    """How far the points lie from the template."""
    return np.linalg.norm(move(points, matrix) - TEMPLATE, axis=1)


def crop(
    rgb: np.ndarray,  # [H, W, 3] or [H, W] uint8
    matrix: np.ndarray,  # [2, 3] frame to crop
) -> np.ndarray:  # [512, 512, 3] or [512, 512] uint8
    """The upright face; grey, or 0 for one channel, where the frame ends.

    A face larger than the crop is shrunk with the filter that takes.
    """
    return warp(rgb, matrix, (0, 0, CROP, CROP), OUTSIDE if rgb.ndim == 3 else BLACK)


def warp(
    image: np.ndarray,  # [H, W] or [H, W, C]
    matrix: np.ndarray,  # [2, 3] image to target
    box: Box,  # of the target that is wanted
    fill: tuple[int, ...] = BLACK,  # outside the image
) -> np.ndarray:  # [y1 - y0, x1 - x0] or with C
    """Bilinear where the image grows; where it shrinks, means over finer samples."""
    return sampled(image, matrix, box, fill, max(1, math.ceil(1 / scale_of(matrix) - 1e-6)))


def sampled(
    image: np.ndarray,  # [H, W] or [H, W, C]
    matrix: np.ndarray,  # [2, 3] image to target
    box: Box,  # of the target that is wanted
    fill: tuple[int, ...],  # outside the image
    fine: int,  # bilinear samples along each side of a pixel, of which the mean is taken
) -> np.ndarray:  # [y1 - y0, x1 - x0] or with C
    """The image through an affine map."""
    x0, y0, x1, y1 = box
    # a fine pixel's centre: fine * (target - corner + 1/2) - 1/2
    shift = np.array([-x0, -y0]) + 0.5 * (1 - 1 / fine)
    finer = fine * np.concatenate([matrix[:, :2], (matrix[:, 2] + shift)[:, None]], 1)
    size = ((x1 - x0) * fine, (y1 - y0) * fine)
    large = cv2.warpAffine(image, finer, size, flags=cv2.INTER_LINEAR, borderValue=fill)
    if fine == 1:
        return large
    return cv2.resize(large, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
