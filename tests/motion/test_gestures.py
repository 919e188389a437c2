"""Curves that motions are put together from, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from svad.motion.gestures import curve, hermite


@pytest.mark.parametrize("count", [2, 3, 7])
def test_curves_are_monotone_cubics(count: int) -> None:
    random = np.random.default_rng(count)
    at, value = np.sort(random.random(count)), random.normal(size=count).round(1)
    phase = 3 * random.random(200) - 1
    thrice = np.concatenate([at - 1, at, at + 1])
    expected = PchipInterpolator(thrice, np.tile(value, 3))(phase % 1)
    np.testing.assert_allclose(curve(phase, *zip(at, value, strict=True)), expected, atol=1e-12)


def test_a_single_key_is_a_constant() -> None:
    np.testing.assert_array_equal(curve(np.linspace(0, 1, 5), (0.3, 2.0)), np.full(5, 2.0))


@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_hermite_cubics_keep_values_and_slopes(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    at, value, slope = (
        np.sort(random.random(4)),
        random.normal(size=shape),
        random.normal(size=shape),
    )
    x = np.linspace(at[0], at[-1], 31)
    expected = CubicHermiteSpline(at, value, slope)(x)
    np.testing.assert_allclose(hermite(x, at, value, slope), expected, atol=1e-12)
