"""The Poisson solver against a dense one, and what blending must and must not change."""

from __future__ import annotations

import numpy as np
import pytest

from svad.identity.poisson import blend_gradients, solve_poisson


def dense(divergence: np.ndarray, border: np.ndarray, pull: float) -> np.ndarray:
    """The same equation as a full matrix, one row per inner pixel."""
    height, width = divergence.shape[:2]
    matrix = np.zeros((height * width, height * width))
    right = np.array(divergence, float).reshape(height * width, -1)
    for y in range(height):
        for x in range(width):
            row = y * width + x
            matrix[row, row] = -4 - pull
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    matrix[row, row + dy * width + dx] = 1
                else:
                    right[row] -= border[y + dy + 1, x + dx + 1]
    return np.linalg.solve(matrix, right).reshape(divergence.shape)


@pytest.mark.parametrize("size", [(3, 3), (3, 9), (12, 7), (16, 17)])
@pytest.mark.parametrize("pull", [0.0, 0.05])
def test_it_solves_what_the_dense_solver_solves(size: tuple[int, int], pull: float) -> None:
    numbers = np.random.default_rng(1)
    border = numbers.uniform(0, 255, (*size, 3))
    divergence = numbers.normal(0, 20, (size[0] - 2, size[1] - 2, 3))
    found = solve_poisson(divergence, border, pull)
    np.testing.assert_allclose(found, dense(divergence, border, pull), atol=1e-9)


def test_mixed_gradients_are_met_where_they_can_be() -> None:
    """A source that differs from the frame by a constant leaves the frame as it is."""
    numbers = np.random.default_rng(2)
    frame = numbers.uniform(0, 255, (20, 24, 3))
    weights = np.zeros((20, 24))
    weights[5:15, 6:18] = numbers.uniform(0, 1, (10, 12))
    np.testing.assert_allclose(blend_gradients(frame, frame + 40, weights), frame, atol=1e-9)


def test_without_weights_nothing_changes_and_the_border_never_does() -> None:
    numbers = np.random.default_rng(3)
    frame, source = numbers.uniform(0, 255, (2, 15, 18, 1))
    np.testing.assert_allclose(blend_gradients(frame, source, np.zeros((15, 18))), frame, atol=1e-9)
    mixed = blend_gradients(frame, source, np.ones((15, 18)))
    edge = np.ones((15, 18), bool)
    edge[1:-1, 1:-1] = False
    np.testing.assert_array_equal(mixed[edge], frame[edge])
    assert np.abs(mixed - frame).max() > 10


def test_a_pull_keeps_wide_shades_of_the_frame() -> None:
    y, x = np.mgrid[:120, :120] / 120
    frame = (100 + 60 * x)[..., None]
    source = frame + (40 * np.sin(np.pi * x) * np.sin(np.pi * y))[..., None]  # a wide bulge
    source[58:62, 58:62] += 50  # and a small spot
    weights = np.ones((120, 120))
    free = blend_gradients(frame, source, weights)[60, 60, 0]
    held = blend_gradients(frame, source, weights, pull=1 / 12**2)[[60, 60], [60, 70], 0]
    assert free - frame[60, 60, 0] > 85
    assert held[0] - held[1] > 0.7 * 50  # the spot stays ...
    assert held[1] - frame[60, 70, 0] < 10  # ... the bulge does not


def test_a_sliver_is_returned_as_it_is() -> None:
    frame = np.arange(12.0).reshape(2, 6, 1)
    np.testing.assert_array_equal(blend_gradients(frame, -frame, np.ones((2, 6))), frame)
