"""Curves that motions are put together from, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from svad.motion.gestures import curve


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
