"""Procrustes alignment: where the head's face belongs in a frame, from 68 landmarks each.

Landmarks are in iBUG order, (x, y) in pixels whose first centre is at (0.5, 0.5), unless said
otherwise. A similarity is a [2, 3] matrix: turn, one scale, shift.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import procrustes

from svad.media.images import resize

INNER = slice(17, 68)  # brows, nose, eyes, mouth: sharper than points along the jaw
ROUNDS = 10  # of reweighting; more change nothing
TOLERANCE = 0.03  # misfit that counts in full, as a share of the face's size


def face_size(
    points: np.ndarray,  # [68, 2]
) -> float:
    """How large a face is, in pixels: the side of a square with the area of its outline."""
    hull = cv2.convexHull(np.ascontiguousarray(points, np.float32))
    return float(np.sqrt(cv2.contourArea(hull)))


def disparity(
    first: np.ndarray,  # [N, 2]
    second: np.ndarray,  # [N, 2]
) -> float:
    """What is left of the squared distances after the best similarity, both sides of size one.

    The second guard of SVAD's fusion; 1 for points that all lie in one place.
    """
    if np.ptp(first, axis=0).max() == 0 or np.ptp(second, axis=0).max() == 0:
        return 1.0
    return float(procrustes(first, second)[2])


def similarity(
    source: np.ndarray,  # [N, 2]
    target: np.ndarray,  # [N, 2]
    tolerance: float,  # pixels of the target: larger misfits count less (Huber)
) -> np.ndarray:  # [2, 3] float64
    """The similarity from source to target that most points agree on.

    Reweighted least squares: unlike a vote over random pairs it changes smoothly with the points,
    so that neighbouring frames do not jump.
    """
    weights = np.ones(len(source))
    for _ in range(ROUNDS):
        matrix = _least_squares(source, target, weights)
        misfit = np.linalg.norm(move(source, matrix) - target, axis=1)
        weights = tolerance / np.maximum(misfit, tolerance)
    return matrix


def move(
    points: np.ndarray,  # [N, 2]
    matrix: np.ndarray,  # [2, 3]
) -> np.ndarray:  # [N, 2]
    """Points through an affine map."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def scale_of(
    matrix: np.ndarray,  # [2, 3] similarity
) -> float:
    """How much larger things become."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def chain(
    second: np.ndarray,  # [2, 3]
    first: np.ndarray,  # [2, 3]
) -> np.ndarray:  # [2, 3]
    """The map that does `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def invert(
    matrix: np.ndarray,  # [2, 3]
) -> np.ndarray:  # [2, 3]
    """The map back; raises numpy's LinAlgError if there is none."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def for_opencv(
    matrix: np.ndarray,  # [2, 3]
) -> np.ndarray:  # [2, 3]
    """The same map for `cv2.warpAffine`, which counts from the centre of the first pixel."""
    shift = matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5
    return np.column_stack([matrix[:, :2], shift])


def shrunk(
    image: np.ndarray,  # [H, W] or [H, W, C] float32
    matrix: np.ndarray,  # [2, 3] similarity from the image
) -> tuple[np.ndarray, np.ndarray]:  # [h, w(, C)], [2, 3]
    """The image low-passed to the size the map gives it, and the map that is left to do.

    Without it a map to a small face would skip pixels; a map that enlarges leaves it as it is.
    """
    height, width = image.shape[:2]
    scale = min(1.0, scale_of(matrix))
    small = resize(image, max(8, round(width * scale)), max(8, round(height * scale)))
    by = (width / small.shape[1], height / small.shape[0])  # small pixels to the image's
    return small, chain(matrix, np.column_stack([np.diag(by), np.zeros(2)]))


def _least_squares(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Points as complex numbers: target = factor * source + shift."""
    z, w = source @ (1, 1j), target @ (1, 1j)
    share = weights / weights.sum()
    z_mean, w_mean = share @ z, share @ w
    z, w = z - z_mean, w - w_mean
    spread = share @ np.abs(z) ** 2
    factor = share @ (w * z.conj()) / spread if spread > 0 else 0j
    shift = w_mean - factor * z_mean
    turn = [[factor.real, -factor.imag], [factor.imag, factor.real]]
    return np.column_stack([turn, [shift.real, shift.imag]])
