"""The whole-body network's input and output."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from svad.pose import simcc

OPENCV_4 = cv2.__version__.startswith("4.")


def test_decoding_matches_the_published_one(golden: Path) -> None:
    data = np.load(golden / "simcc.npz")
    points, scores = simcc.decode(
        data["simcc_x"].astype(np.float32), data["simcc_y"].astype(np.float32)
    )
    np.testing.assert_array_equal(points, data["keypoints_input"])
    np.testing.assert_array_equal(scores, data["scores"])
    frame = simcc.crop_frame(data["boxes_xyxy"])
    placed = simcc.to_picture(points, *frame)
    np.testing.assert_allclose(placed, data["keypoints_image"], atol=1e-4, rtol=0)


def test_crops_match_the_published_ones(golden: Path) -> None:
    data = np.load(golden / "affine.npz")
    center, extent = simcc.crop_frame(data["boxes_xyxy"])
    np.testing.assert_allclose(center, data["centers"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(extent, data["scales"], atol=1e-6, rtol=0)
    matrices = simcc.crop_matrix(center, extent)
    # the published matrices come from three float32 points
    np.testing.assert_allclose(matrices, data["matrices"], atol=1e-3, rtol=0)
    height, width = data["crop"].shape[:2]
    size, box = (width, height), data["crop_box"]
    np.testing.assert_allclose(simcc.crop_frame(box, size)[1], data["crop_scale"], atol=1e-6)
    crop = simcc.crop(data["image"], box, size)
    difference = np.abs(crop.astype(int) - data["crop"])
    limits = (0, 0, 1e-6) if OPENCV_4 else (3, 0.2, 0.06)  # OpenCV 5 warps a little differently
    assert difference.max() <= limits[0] and difference.mean() <= limits[1]
    normalised = simcc.normalise(crop)
    np.testing.assert_allclose(normalised, data["crop_normalised"], atol=limits[2], rtol=0)


def test_a_peak_comes_back_where_it_was_put() -> None:
    rng = np.random.default_rng(0)
    box = np.array([30.0, 20.0, 130.0, 220.0])
    center, extent = simcc.crop_frame(box)
    bins = np.stack([rng.integers(0, 576, 133), rng.integers(0, 768, 133)], 1)
    x, y = np.zeros((133, 576), np.float32), np.zeros((133, 768), np.float32)
    x[np.arange(133), bins[:, 0]], y[np.arange(133), bins[:, 1]] = 0.9, 0.7
    points, scores = simcc.decode(x, y)
    np.testing.assert_allclose(scores, 0.7)
    back = simcc.to_picture(points, center, extent)
    forth = simcc.crop_matrix(center, extent) @ np.c_[back, np.ones(133)].T
    np.testing.assert_allclose(forth.T, bins / 2, atol=1e-9)


def test_points_without_a_positive_score_are_dead() -> None:
    x, y = np.ones((2, 576), np.float32), np.ones((2, 768), np.float32)
    y[1] = -1
    points, scores = simcc.decode(x, y)
    np.testing.assert_array_equal(points, [[0, 0], [-0.5, -0.5]])
    np.testing.assert_array_equal(scores, [1, -1])
