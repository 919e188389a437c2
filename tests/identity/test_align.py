"""Sizes of faces, registration, and maps without aliasing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.geometry.similarity import for_opencv, move, scale_of
from svad.identity import align, published
from svad.identity.register import register
from tests.identity.faces import scene


def similar(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def test_a_shrunk_picture_has_means_not_samples_and_stays_in_place() -> None:
    fine = np.indices((256, 256)).sum(0) % 2 * 255.0  # a chessboard of single pixels
    fine[100:140, 60:120] = 255
    matrix = similar(0.0, 0.125, (3.0, 2.0))
    small, rest = align.shrunk(fine.astype(np.float32), matrix)
    found = cv2.warpAffine(small, for_opencv(rest), (40, 40))
    assert found[8:12, 20:30] == pytest.approx(127.5, abs=1)  # grey, no pattern
    patch = np.argwhere(found > 240)[:, ::-1] + 0.5
    np.testing.assert_allclose(patch.mean(0), (90 * 0.125 + 3, 120 * 0.125 + 2), atol=0.3)


@pytest.mark.parametrize("name", ["ada", "kenji"])
def test_registration_takes_off_what_landmarks_err(name: str) -> None:
    s = scene(name)
    wrong = s.truth.copy()
    turn = similar(0.02, 1.015, (0.0, 0.0))[:, :2]
    wrong[:, :2] = turn @ wrong[:, :2]
    wrong[:, 2] += s.points.mean(0) - move(s.head_points, wrong).mean(0) + 0.025 * s.size

    def miss(matrix: np.ndarray) -> float:
        return float(np.linalg.norm(move(s.head_points, matrix) - s.points, axis=1).mean())

    found = register(wrong, s.head, s.coverage, s.frame, s.points)
    assert miss(wrong) > 0.03 * s.size
    assert miss(found) < 0.012 * s.size and miss(found) < 0.4 * miss(wrong)


@pytest.mark.parametrize("blur", [0.015, 0.03, 0.06])
def test_a_soft_frame_does_not_change_the_size_of_the_face(blur: float) -> None:
    s = scene("dayo", blur=blur)
    found = register(s.truth, s.head, s.coverage, s.frame, s.points)
    assert scale_of(found) == pytest.approx(scale_of(s.truth), rel=0.015)
    missed = np.linalg.norm(move(s.head_points, found) - s.points, axis=1)
    assert missed.mean() < 0.01 * s.size


def test_the_layout_of_an_array_does_not_matter() -> None:
    points = np.random.default_rng(0).normal(50, 15, (68, 2)).astype(np.float32)
    table = np.concatenate([points, np.ones((68, 1), np.float32)], 1)
    for other in (np.asfortranarray(points), table[:, :2]):
        assert align.face_size(other) == align.face_size(points)
        mask = published.hull_mask(other, (100, 100))
        np.testing.assert_array_equal(mask, published.hull_mask(points, (100, 100)))
        assert published.rectangle(other) == published.rectangle(points)


def test_registration_does_not_run_away() -> None:
    """With a frame that shows no such face the landmarks have the last word."""
    s = scene("ada")
    noise = np.random.default_rng(0).integers(0, 255, s.frame.shape).astype(np.uint8)
    found = register(s.truth, s.head, s.coverage, cv2.GaussianBlur(noise, (0, 0), 5), s.points)
    moved = move(s.head_points, found) - move(s.head_points, s.truth)
    assert np.linalg.norm(moved, axis=1).mean() <= 0.0601 * s.size
    flat = np.full_like(s.frame, 128)
    found = register(s.truth, s.head, s.coverage, flat, s.points)
    moved = move(s.head_points, found) - move(s.head_points, s.truth)
    assert np.isfinite(found).all()
    assert np.linalg.norm(moved, axis=1).mean() <= 0.0601 * s.size
