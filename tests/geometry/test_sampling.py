"""Bilinear sampling against a plain reference, and the smoothstep."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.geometry.sampling import MOST_POINTS, bilinear, bilinear_between, smoothstep

STEP = 1 / 32  # px, to which OpenCV rounds places


def plain(image: np.ndarray, points: np.ndarray, outside: float | None) -> np.ndarray:
    """One point after the other."""
    height, width = image.shape[:2]

    def pixel(row: int, column: int) -> np.ndarray:
        if outside is not None and not (0 <= row < height and 0 <= column < width):
            return np.full(image.shape[2:], outside)
        return image[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]

    found = []
    for x, y in points - 0.5:
        column, row = int(np.floor(x)), int(np.floor(y))
        u, v = x - column, y - row
        above = (1 - u) * pixel(row, column) + u * pixel(row, column + 1)
        below = (1 - u) * pixel(row + 1, column) + u * pixel(row + 1, column + 1)
        found.append((1 - v) * above + v * below)
    return np.array(found)


@pytest.mark.parametrize("outside", [None, 0.0, 2.5])
@pytest.mark.parametrize("shape", [(7, 11), (7, 11, 3)])
def test_sampling_is_bilinear(shape: tuple[int, ...], outside: float | None) -> None:
    generator = np.random.default_rng(0)
    image = generator.random(shape).astype(np.float32)
    points = STEP * generator.integers(-3 / STEP, 14 / STEP, (200, 2))  # beyond all sides too
    found = bilinear(image, points, outside)
    np.testing.assert_allclose(found, plain(image, points, outside), atol=1e-6)


def test_a_pixel_has_its_value_at_its_centre() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    rows, columns = np.indices(image.shape)
    centres = np.stack([columns, rows], -1).reshape(-1, 2)
    np.testing.assert_array_equal(bilinear(image, centres + 0.5), image.ravel())
    np.testing.assert_array_equal(bilinear_between(image, centres), image.ravel())


def test_many_points_and_none() -> None:
    image = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    points = np.random.default_rng(2).uniform(0, 20, (2 * MOST_POINTS + 5, 2))
    found = bilinear(image, points)
    parts = [bilinear(image, part) for part in np.array_split(points, 7)]
    np.testing.assert_array_equal(found, np.concatenate(parts))
    assert bilinear(image, points[:0]).shape == (0,)
    assert bilinear(np.zeros((4, 4, 3), np.float32), points[:0]).shape == (0, 3)


def test_the_smoothstep_is_level_at_its_ends_and_odd_about_its_middle() -> None:
    x = np.linspace(-1, 2, 301)
    y = smoothstep(x)
    assert (y[x <= 0] == 0).all() and (y[x >= 1] == 1).all() and (np.diff(y) >= 0).all()
    np.testing.assert_allclose(y + smoothstep(1 - x), 1, atol=1e-15)
    tensor = torch.from_numpy(np.array([0.0, 0.3, 1.0])).requires_grad_()
    smoothstep(tensor).sum().backward()
    np.testing.assert_allclose(tensor.grad.numpy(), (0, 6 * 0.3 * 0.7, 0), atol=1e-12)
    assert smoothstep(np.float32([0.5])).dtype == np.float32
