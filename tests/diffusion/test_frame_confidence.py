"""Which frames count as lost."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from svad.diffusion import frame_confidence as check
from svad.diffusion.frame_confidence import LOST, LOST_WEIGHT, MIRRORED, quality, strip, weight_of

HEIGHT, WIDTH = 200, 100


@pytest.fixture
def body() -> np.ndarray:
    """The driven silhouette: a box."""
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    matte[20:180, 30:70] = 255
    return matte


@pytest.fixture
def wanted() -> np.ndarray:
    """The driven points: left ones on the right side of the picture."""
    points = np.zeros((133, 3), np.float32)
    for row, joint in enumerate(range(5, 17, 2)):
        points[joint] = (66, 40 + 25 * row, 1)
        points[joint + 1] = (34, 40 + 25 * row, 1)
    return points


def sight(matte: np.ndarray, points: np.ndarray) -> SimpleNamespace:
    return SimpleNamespace(matte=matte, keypoints=points)


def test_a_frame_as_driven_is_believed(body: np.ndarray, wanted: np.ndarray) -> None:
    assert quality(sight(body, wanted), wanted, body, 0.0) == 1
    assert weight_of(1.0) > 10 * LOST_WEIGHT and weight_of(1.0) < 1


def test_the_farther_off_the_less(body: np.ndarray, wanted: np.ndarray) -> None:
    found = [
        quality(sight(body, wanted + (away, 0, 0)), wanted, body, 0.0) for away in (4, 12, 18, 40)
    ]
    assert found[0] == 1 and found == sorted(found, reverse=True) and found[-1] == 0
    assert weight_of(found[-1]) == LOST_WEIGHT


@pytest.mark.parametrize(("top", "bottom"), [(20, 60), (0, 200)])
def test_too_little_or_too_much_of_a_person_is_lost(
    body: np.ndarray, wanted: np.ndarray, top: int, bottom: int
) -> None:
    matte = np.zeros_like(body)
    matte[top:bottom] = 255
    matte[:, :30] = matte[:, :30] if top == 0 else 0
    assert quality(sight(matte, wanted), wanted, body, 0.0) < LOST


def test_from_behind_left_may_be_taken_for_right(body: np.ndarray, wanted: np.ndarray) -> None:
    swapped = wanted.copy()
    swapped[5:17] = wanted[MIRRORED]
    assert quality(sight(body, swapped), wanted, body, 0.0) < LOST
    assert quality(sight(body, swapped), wanted, body, np.pi) == 1


def test_unseen_points_tell_nothing(body: np.ndarray, wanted: np.ndarray) -> None:
    hidden = wanted.copy()
    hidden[:, 2] = 0
    assert quality(sight(body, hidden), wanted, body, 0.0) == 0


def test_lost_frames_are_crossed_out() -> None:
    frames = np.full((9, 64, 32, 3), 90, np.uint8)
    clean, marked = strip(frames, []), strip(frames, [7])
    assert clean.shape == marked.shape == (check.CELL, 6 * 80, 3)
    assert len(np.unique(clean)) == 1
    red = (marked[..., 0] == 200) & (marked[..., 1] == 40)
    assert red.any() and not red[:, :400].any()  # none of the six: it takes the last place


def test_many_numbers_are_counted() -> None:
    assert check.names([1, 4]) == "1, 4"
    assert check.names(list(range(20)), limit=3) == "0, 1, 2 and 17 more"
