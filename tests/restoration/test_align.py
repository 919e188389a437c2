"""Faces to upright squares: golden matrices, misplaced points, shrinking without aliasing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.geometry.similarity import move
from svad.restoration import align, published
from svad.restoration.align import CROP, TEMPLATE, crop, robust_similarity, similarity
from svad.restoration.paste import paste_matrix
from tests.restoration.golden import Golden

PIXELS = 0.01  # of the frame or the crop; versions of OpenCV differ by 3e-3 in the translation


def corners(width: float, height: float) -> np.ndarray:
    return np.array([(0, 0), (width, 0), (0, height), (width, height)])


def test_matrices(golden: Golden) -> None:
    table = golden.json("tables/alignment.json")
    assert np.allclose(table["template"], TEMPLATE)
    for case in table["cases"]:
        points = np.array(case["landmarks"], np.float32)
        found, want = robust_similarity(points), np.array(case["affine"])
        there = np.concatenate([points, points + 20, points - 20])
        assert np.abs(move(there, found) - move(there, want)).max() < PIXELS
        square = corners(CROP, CROP)
        for matrix, name, half in (
            (published.paste_matrix, "inverse_times_2_with_offset", 0.0),
            (paste_matrix, "inverse_times_2", 0.5),
        ):
            back = move(square, matrix(found, (2.0, 2.0)))
            goal = move(square, np.array(case[name])) + half
            assert np.abs(back - goal).max() < PIXELS


def test_least_squares_is_the_published_fit_where_no_point_is_left_out(golden: Golden) -> None:
    whole = [c for c in golden.json("tables/alignment.json")["cases"] if all(c["inliers"])]
    assert whole
    for case in whole:
        points = np.array(case["landmarks"], np.float32)
        found, want = similarity(points), np.array(case["affine"])
        assert np.abs(move(points, found) - move(points, want)).max() < PIXELS


@pytest.mark.parametrize("misplaced", range(5))
def test_a_misplaced_point_is_left_out(misplaced: int) -> None:
    points = TEMPLATE / 5 + 80
    points[misplaced] += (30, -25)
    others = np.arange(5) != misplaced
    for fit in (similarity, robust_similarity):
        away = move(points, fit(points)) - TEMPLATE
        assert np.abs(away[others]).max() < 0.01 and np.abs(away[misplaced]).max() > 100


def test_a_small_shift_of_a_point_moves_the_crop_little() -> None:
    random = np.random.default_rng(0)
    points = (TEMPLATE / 4 + 100).astype(np.float32)
    square = corners(CROP, CROP)
    back = [
        move(square, cv2.invertAffineTransform(similarity(points + random.normal(0, 0.2, (5, 2)))))
        for _ in range(50)
    ]
    assert np.std(back, 0).max() < 0.6  # px of the frame, at the crop's corners


def test_the_crop_shows_the_template_upright() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    points = move(TEMPLATE, np.array([[0.2, 0.05, 120.0], [-0.05, 0.2, 60.0]]))
    for x, y in np.rint(points).astype(int):
        frame[y, x] = 255
    upright = crop(frame, similarity(points))[..., 0].astype(np.float32)
    upright = cv2.GaussianBlur(upright, (0, 0), 2)
    for x, y in np.rint(TEMPLATE).astype(int):
        around = upright[y - 8 : y + 9, x - 8 : x + 9]
        assert around.max() > 20 and np.median(upright) == 0


def test_beyond_the_frame_the_crop_is_grey() -> None:
    frame, matrix = np.full((40, 40, 3), 9, np.uint8), np.array([[4.0, 0, 300], [0, 4.0, 0]])
    shown = crop(frame, matrix)
    assert (shown[:100, :290] == align.OUTSIDE).all() and (shown[:100, 310:400] == 9).all()
    assert (crop(frame[..., 0], matrix)[:100, :290] == 0).all()


def test_shrinking_takes_means_instead_of_single_samples() -> None:
    stripes = np.zeros((2048, 2048, 3), np.uint8)
    stripes[:, ::2] = 200  # finer than the crop can show
    matrix = np.array([[0.25, 0, 0.13], [0, 0.25, 0.0]])
    smooth, aliased = (cut(stripes, matrix).astype(int) for cut in (crop, published.crop))
    inner = slice(20, -20)
    assert np.abs(smooth[inner, inner] - 100).max() <= 3
    assert np.ptp(aliased[inner, inner]) == 0 or np.abs(aliased[inner, inner] - 100).max() > 20


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.77, 1.0, 2.3])
def test_warping_keeps_places(scale: float) -> None:
    y, x = np.mgrid[:200, :200]
    ramp = np.stack([x, y], -1).astype(np.float32)
    matrix = np.array([[scale, -0.1 * scale, 31.3], [0.1 * scale, scale, -4.7]])
    found = align.warp(ramp, matrix, (20, 10, 60, 50))
    rows, columns = np.mgrid[10:50, 20:60]
    want = move(np.stack([columns, rows], -1), cv2.invertAffineTransform(matrix))
    inside = (want > 3).all(-1) & (want < 196).all(-1)
    assert inside.sum() > 100
    assert np.abs(found - want)[inside].max() < 0.05
