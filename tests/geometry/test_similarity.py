"""Similarities, Kabsch rotations, Procrustes disparity and affine maps of the plane."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.geometry.rotation import rodrigues_array
from svad.geometry.similarity import (
    chain,
    disparity,
    fit_robust_similarity,
    fit_rotation,
    fit_similarity,
    for_opencv,
    invert,
    move,
    scale_of,
)


def umeyama(points: np.ndarray, target: np.ndarray) -> np.ndarray:  # [2, 3]
    """The published algorithm, by singular value decomposition."""
    middle, goal = points.mean(0), target.mean(0)
    spread = points - middle
    left, sizes, right = np.linalg.svd((target - goal).T @ spread / len(points))
    keep = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = (left * keep) @ right
    scale = (sizes * keep).sum() / spread.var(0).sum()
    return np.column_stack([scale * turn, goal - scale * turn @ middle])


def similar(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def spread(count: int = 68) -> np.ndarray:
    return np.random.default_rng(0).normal(100, 40, (count, 2))


def test_a_similarity_is_found_exactly() -> None:
    truth = similar(0.4, 0.3, (12, -7))
    points = spread()
    found = fit_robust_similarity(points, move(points, truth), 1.0)
    np.testing.assert_allclose(found, truth, atol=1e-9)
    assert scale_of(found) == pytest.approx(0.3)


def test_strays_hardly_count() -> None:
    truth = similar(-0.2, 0.5, (3, 9))
    points = spread()
    target = move(points, truth)
    strays = np.arange(0, 68, 7)
    target[strays] += np.random.default_rng(1).normal(0, 30, (len(strays), 2))
    plain = fit_similarity(points, target, np.ones(68))
    found = fit_robust_similarity(points, target, 1.0)
    others = np.setdiff1d(np.arange(68), strays)

    def miss(matrix: np.ndarray) -> float:
        return float(np.abs(move(points, matrix) - target)[others].max())

    assert miss(found) < 1.0 and miss(found) < 0.4 * miss(plain)


def test_a_mirror_image_is_no_similarity() -> None:
    points = spread()
    found = fit_robust_similarity(points, points * (-1, 1), 1.0)
    assert np.linalg.det(found[:, :2]) >= 0


def test_disparity_ignores_similarities_and_sees_a_turned_head() -> None:
    points = spread()
    moved = move(points, similar(1.0, 4.0, (5, 5)))
    assert disparity(points, moved) == pytest.approx(0, abs=1e-9)
    assert disparity(points, points * (0.5, 1)) > 0.05
    assert disparity(points, np.zeros((68, 2))) == 1.0


def test_maps_chain_and_invert() -> None:
    first, second = similar(0.3, 2.0, (1, 2)), similar(-1.0, 0.7, (-4, 8))
    points = spread(5)
    both = move(move(points, first), second)
    np.testing.assert_allclose(move(points, chain(second, first)), both)
    np.testing.assert_allclose(move(move(points, first), invert(first)), points)


def test_least_squares_is_that_of_umeyama() -> None:
    generator = np.random.default_rng(4)
    for mirror in (1, -1):
        for count in (3, 5, 68):
            points = generator.normal(100, 40, (count, 2))
            target = points @ (0.4 * generator.normal(size=(2, 2))) + generator.normal(size=2)
            found = fit_similarity(points, target * (mirror, 1))
            np.testing.assert_allclose(found, umeyama(points, target * (mirror, 1)), atol=1e-10)


def test_weights_count_like_repeated_points() -> None:
    points, target = spread(6), spread(12)[6:]
    weights = np.array([1, 2, 3, 1, 1, 2])
    found = fit_similarity(points, target, weights)
    again = (np.repeat(side, weights, axis=0) for side in (points, target))
    np.testing.assert_allclose(found, fit_similarity(*again), atol=1e-10)


def test_points_in_one_place_give_a_shift() -> None:
    found = fit_similarity(np.full((4, 2), 3.0), spread(4))
    np.testing.assert_allclose(found, np.column_stack([np.zeros((2, 2)), spread(4).mean(0)]))


def test_a_rotation_is_found_again_and_never_a_mirror_image() -> None:
    generator = np.random.default_rng(2)
    points = generator.normal(size=(9, 3))
    turn = rodrigues_array(np.array([0.4, -1.1, 2.0]))
    found = fit_rotation(points, points @ turn.T + (4, -2, 1))
    np.testing.assert_allclose(found, turn, atol=1e-12)
    mirrored = fit_rotation(points, points * (-1, 1, 1))
    assert np.linalg.det(mirrored) == pytest.approx(1)


def test_opencv_puts_pixels_where_the_map_does() -> None:
    picture = np.zeros((40, 40), np.float32)
    picture[12, 9] = 1
    matrix = similar(0.0, 2.0, (5.0, -3.0))
    drawn = cv2.warpAffine(picture, for_opencv(matrix), (80, 80))
    rows, columns = np.indices(drawn.shape) + 0.5
    middle = np.array([(drawn * columns).sum(), (drawn * rows).sum()]) / drawn.sum()
    np.testing.assert_allclose(middle, move(np.array([9.5, 12.5]), matrix), atol=1e-3)
