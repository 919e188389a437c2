"""Colours of what the photo does not show."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.colour import extended, streaks

RED, WHITE, GREEN = (0.7, 0.1, 0.1), (1.0, 1.0, 1.0), (0.0, 1.0, 0.0)


@pytest.fixture
def shirt() -> tuple[np.ndarray, np.ndarray]:  # rgb [80, 60, 3], mask
    rgb = np.full((80, 60, 3), RED, np.float32)
    mask = np.zeros((80, 60), bool)
    mask[10:70, 10:50] = True
    return rgb, mask


def test_extended_keeps_what_is_known_and_lets_no_background_in(
    shirt: tuple[np.ndarray, np.ndarray],
) -> None:
    rgb, known = shirt
    rgb[~known] = GREEN
    out = extended(rgb, known)
    np.testing.assert_array_equal(out[known], rgb[known])
    np.testing.assert_allclose(out, np.broadcast_to(RED, out.shape), atol=1e-3)


def test_extended_takes_the_nearest_colour_near_by() -> None:
    rgb = np.zeros((40, 60, 3), np.float32)
    rgb[:, :30], rgb[:, 30:] = RED, WHITE
    known = np.zeros((40, 60), bool)
    known[:20] = True
    out = extended(rgb, known)
    np.testing.assert_allclose(out[24, 10], RED, atol=0.02)
    np.testing.assert_allclose(out[24, 50], WHITE, atol=0.02)
    assert np.abs(out[39, 31] - out[39, 28]).max() < 0.5  # far away the two melt


def test_extended_of_everything_or_nothing() -> None:
    rgb = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(extended(rgb, np.ones((8, 8), bool)), rgb)
    nothing = extended(rgb, np.zeros((8, 8), bool))
    np.testing.assert_allclose(nothing, np.broadcast_to(rgb.mean((0, 1)), rgb.shape))


def test_grain_is_soft_even_and_the_same_for_the_same_seed() -> None:
    a = streaks((200, 200), 3, 2.5, 1.2)
    np.testing.assert_array_equal(a, streaks((200, 200), 3, 2.5, 1.2))
    assert (a != streaks((200, 200), 4, 2.5, 1.2)).any()
    assert abs(a.mean()) < 0.1 and a.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(a, axis=0)).mean() < np.abs(np.diff(a, axis=1)).mean()  # along y
