"""The 133-point order and moving points between pictures."""

from __future__ import annotations

import numpy as np

from svad.body import coco
from svad.face.landmarks import MESH_OF_IBUG
from svad.subject import keypoints as kp


def numbered_pose() -> np.ndarray:  # [33, 3]
    """Landmark i lies at (i, 100 + i) with visibility i / 33."""
    i = np.arange(33, dtype=np.float32)
    return np.stack([i, 100 + i, i / 33], 1)


def test_body_points_take_their_places() -> None:
    points = kp.whole_body(numbered_pose(), None, None, None)
    assert points.shape == (133, 3)
    # COCO: nose, eyes, ears, shoulders .. ankles, left first; mediapipe: 0 2 5 7 8 11 .. 28
    expected = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    np.testing.assert_array_equal(points[:17, 0], expected)
    np.testing.assert_array_equal(points[[17, 19, 20, 22], 0], [31, 29, 32, 30])
    assert points[18, 2] == points[21, 2] == 0  # mediapipe has no small toe
    np.testing.assert_array_equal(points[coco.FACE, 2], 0)


def test_found_hands_and_face_are_copied() -> None:
    face = np.random.default_rng(0).uniform(0, 99, (478, 3)).astype(np.float32)
    left = np.arange(63, dtype=np.float32).reshape(21, 3)
    points = kp.whole_body(numbered_pose(), face, left, None)
    np.testing.assert_array_equal(points[coco.LEFT_HAND], left)
    np.testing.assert_array_equal(points[coco.FACE, :2], face[list(MESH_OF_IBUG), :2])
    np.testing.assert_array_equal(points[coco.FACE, 2], 1)


def test_missing_hand_keeps_stand_ins_at_half_score() -> None:
    points = kp.whole_body(numbered_pose(), None, None, None)
    hand = points[coco.RIGHT_HAND]
    assert (hand[:, 2] > 0).sum() == 3
    np.testing.assert_allclose(hand[5], (20, 120, 0.5 * 20 / 33), rtol=1e-6)


def test_moving_there_and_back() -> None:
    points = np.random.default_rng(1).uniform(0, 500, (133, 3)).astype(np.float32)
    there = kp.moved(points, (30, -12), 0.5)
    back = kp.moved(there, (-15, 6), 2)
    np.testing.assert_allclose(back, points, atol=1e-3)
    np.testing.assert_array_equal(there[:, 2], points[:, 2])
