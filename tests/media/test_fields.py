"""Fields that are known in a part of a picture only."""

from __future__ import annotations

import numpy as np
import pytest

from svad.media.fields import blur, masked_blur, pull_push


@pytest.fixture
def known() -> np.ndarray:  # [H, W] bool
    """A ragged third of the picture."""
    random = np.random.default_rng(1)
    rows, columns = np.indices((61, 83))
    return (np.hypot(rows - 30, columns - 25) < 17) & (random.random((61, 83)) < 0.8)


def test_pull_push_keeps_what_is_known(known: np.ndarray) -> None:
    values = np.random.default_rng(2).random((*known.shape, 6)).astype(np.float32)
    filled = pull_push(values, known.astype(np.float32))
    np.testing.assert_allclose(filled[known], values[known], atol=1e-6)
    assert filled.shape == values.shape and filled.dtype == np.float32


def test_pull_push_fills_a_constant_with_itself(known: np.ndarray) -> None:
    noise = np.random.default_rng(3).standard_normal(known.shape).astype(np.float32)
    values = np.where(known, 0.7, noise)  # what is unknown must not count
    np.testing.assert_allclose(pull_push(values, known.astype(np.float32)), 0.7, atol=1e-5)


def test_pull_push_fill_is_smooth_and_stays_in_range() -> None:
    known = np.zeros((64, 64), bool)
    known[:, :4], known[:, -4:] = True, True
    values = np.zeros((64, 64), np.float32)
    values[:, -4:] = 1
    filled = pull_push(values, known.astype(np.float32))
    assert filled.min() >= -1e-6 and filled.max() <= 1 + 1e-6
    assert np.abs(np.diff(filled, axis=1)).max() < 0.2  # no step between two known sides
    assert filled[:, :20].mean() < 0.3 < 0.7 < filled[:, -20:].mean()


def test_pull_push_without_anything_known_is_zero() -> None:
    values = np.ones((9, 14), np.float32)
    np.testing.assert_array_equal(pull_push(values, np.zeros((9, 14), np.float32)), 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 50), (3, 3)])
def test_pull_push_takes_any_size(shape: tuple[int, int]) -> None:
    weight = np.zeros(shape, np.float32)
    weight[0, 0] = 1
    np.testing.assert_allclose(pull_push(np.full(shape, 3, np.float32), weight), 3, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.8, 3.0, 12.0])
def test_masked_blur_takes_nothing_from_outside(known: np.ndarray, sigma: float) -> None:
    values = np.random.default_rng(4).random((*known.shape, 3)).astype(np.float32)
    other = np.where(known[..., None], values, 1e3).astype(np.float32)
    a, b = masked_blur(values, known, sigma), masked_blur(other, known, sigma)
    np.testing.assert_array_equal(a, b)
    assert a[known].min() >= values[known].min() and a[known].max() <= values[known].max()


def test_masked_blur_keeps_a_constant_up_to_the_edge(known: np.ndarray) -> None:
    values = np.where(known, 0.4, 9.0).astype(np.float32)
    np.testing.assert_allclose(masked_blur(values, known, 2.0)[known], 0.4, atol=1e-5)


def test_masked_blur_averages(known: np.ndarray) -> None:
    values = np.random.default_rng(5).random(known.shape).astype(np.float32)
    out = masked_blur(values, known, 2.0)
    assert out.shape == values.shape
    assert out[known].std() < 0.4 * values[known].std()


def test_wide_blur_on_a_smaller_picture_is_the_same_blur() -> None:
    spot = np.zeros((160, 160), np.float32)
    spot[60:100, 70:90] = 1
    wide = blur(spot, 8.0)
    narrow = spot
    for _ in range(4):  # 4 blurs of sigma 4 make one of sigma 8
        narrow = blur(narrow, 4.0)
    np.testing.assert_allclose(wide, narrow, atol=0.02)
    assert wide.sum() == pytest.approx(spot.sum(), rel=0.02)
