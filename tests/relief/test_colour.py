"""Colours of what the photo does not show."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.colour import back_of_clothes, extended, streaks

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


def test_back_shows_no_print_from_the_middle_of_the_chest(
    shirt: tuple[np.ndarray, np.ndarray],
) -> None:
    rgb, mask = shirt
    plain = back_of_clothes(rgb, mask, np.zeros(mask.shape, np.float32))
    printed = rgb.copy()
    printed[25:45, 25:35] = WHITE
    back = back_of_clothes(printed, mask, np.zeros(mask.shape, np.float32))
    np.testing.assert_allclose(plain[mask], np.broadcast_to(RED, plain[mask].shape), atol=0.02)
    assert np.abs(back - plain)[mask].max() < 0.2  # only a little of its brightness
    assert back[mask][:, 1].max() < 0.35  # white has 1


def test_back_keeps_hems_and_stripes(shirt: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, mask = shirt
    rgb[45:] = WHITE
    back = back_of_clothes(rgb, mask, np.zeros(mask.shape, np.float32))
    np.testing.assert_allclose(back[20, 30], RED, atol=0.05)
    np.testing.assert_allclose(back[65, 30], WHITE, atol=0.05)


def test_back_runs_from_one_flank_to_the_other(shirt: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, mask = shirt
    rgb[:, :30] = (0.2, 0.2, 0.8)
    row = back_of_clothes(rgb, mask, np.zeros(mask.shape, np.float32))[40, 10:50]
    assert (np.diff(row[:, 0]) > -1e-3).all() and (np.diff(row[:, 2]) < 1e-3).all()


def test_grain_is_soft_even_and_the_same_for_the_same_seed() -> None:
    a = streaks((200, 200), 3, 2.5, 1.2)
    np.testing.assert_array_equal(a, streaks((200, 200), 3, 2.5, 1.2))
    assert (a != streaks((200, 200), 4, 2.5, 1.2)).any()
    assert abs(a.mean()) < 0.1 and a.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(a, axis=0)).mean() < np.abs(np.diff(a, axis=1)).mean()  # along y
