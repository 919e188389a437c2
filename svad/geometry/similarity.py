"""Similarities and rotations that fit points to points (Umeyama, Kabsch), and affine maps.

A similarity of the plane is a [2, 3] matrix: turn and one scale, shift. Where positions are pixels
a matrix holds for the convention of the points it was made from: pixel centres at + 0.5, unless it
went through `for_opencv`.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import procrustes

ROUNDS = 10  # of reweighting; more change nothing


def fit_similarity(
    source: np.ndarray,  # [N, 2]
    target: np.ndarray,  # [N, 2]
    weights: np.ndarray | None = None,  # [N], all equal if absent
) -> np.ndarray:  # [2, 3] float64
    """The similarity without reflection of the smallest squared distances (Umeyama 1991).

    In the plane complex numbers do without a decomposition: target = factor * source + shift.
    """
    weights = np.ones(len(source)) if weights is None else weights
    z, w = source @ (1, 1j), target @ (1, 1j)
    share = weights / weights.sum()
    z_mean, w_mean = share @ z, share @ w
    z, w = z - z_mean, w - w_mean
    spread = share @ np.abs(z) ** 2
    factor = share @ (w * z.conj()) / spread if spread > 0 else 0j
    shift = w_mean - factor * z_mean
    turn = [[factor.real, -factor.imag], [factor.imag, factor.real]]
    return np.column_stack([turn, [shift.real, shift.imag]])


def fit_robust_similarity(
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
        matrix = fit_similarity(source, target, weights)
        misfit = np.linalg.norm(move(source, matrix) - target, axis=1)
        weights = tolerance / np.maximum(misfit, tolerance)
    return matrix


def fit_rotation(
    source: np.ndarray,  # [N, 3]
    target: np.ndarray,  # [N, 3]
) -> np.ndarray:  # [3, 3]
    """The rotation that turns one cloud of points most nearly into another (Kabsch 1976)."""
    a = source - source.mean(0)
    b = target - target.mean(0)
    u, _, vt = np.linalg.svd(b.T @ a)
    return u @ np.diag((1, 1, np.linalg.det(u @ vt))) @ vt


def disparity(
    first: np.ndarray,  # [N, 2]
    second: np.ndarray,  # [N, 2]
) -> float:
    """What is left of the squared distances after the best similarity (Procrustes).

    Both sides have size one; 1 for points that all lie in one place.
    """
    if np.ptp(first, axis=0).max() == 0 or np.ptp(second, axis=0).max() == 0:
        return 1.0
    return float(procrustes(first, second)[2])


def move(
    points: np.ndarray,  # [..., 2]
    matrix: np.ndarray,  # [2, 3]
) -> np.ndarray:  # [..., 2]
    """Points through an affine map."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def scale_of(
    matrix: np.ndarray,  # [2, 3] affine
) -> float:
    """How much larger things become: the root of the growth of areas."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


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
