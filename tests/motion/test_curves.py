"""Curves of glTF between and beyond their keys."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from svad.motion.readers.curves import curve_of

KEY = np.array([0.0, 1.0, 3.0])
TIMES = np.array([-1.0, 0.0, 0.25, 1.0, 2.0, 3.0, 9.0])


def test_linear_and_step_hold_their_ends() -> None:
    values = np.array([0.0, 4.0, 2.0])[:, None, None]
    linear = curve_of(KEY, values, "LINEAR", turn=False)(TIMES)[:, 0]
    np.testing.assert_allclose(linear, [0, 0, 1, 4, 3, 2, 2])
    step = curve_of(KEY, values, "STEP", turn=False)(TIMES)[:, 0]
    np.testing.assert_allclose(step, [0, 0, 0, 4, 4, 2, 2])


def test_a_cubic_with_its_own_tangents_comes_back() -> None:
    """A Hermite spline repeats any cubic exactly."""

    def cubic(t: np.ndarray) -> np.ndarray:
        return 2 - t + 0.5 * t**2 + 0.3 * t**3

    slope = -1 + KEY + 0.9 * KEY**2
    values = np.stack([slope, cubic(KEY), slope], 1)[..., None]
    found = curve_of(KEY, values, "CUBICSPLINE", turn=False)(TIMES)[:, 0]
    np.testing.assert_allclose(found, cubic(np.clip(TIMES, 0, 3)), atol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_turns_go_the_shorter_way_at_an_even_speed(sign: float) -> None:
    turns = Rotation.from_rotvec([[0, 0, 0.0], [0, 0, 1.2], [0, 0, 1.2]]).as_quat()
    turns[1] *= sign
    found = curve_of(KEY, turns[:, None], None, turn=True)(np.array([0.25, 0.5, 2.0]))
    angles = Rotation.from_quat(found).magnitude()
    np.testing.assert_allclose(angles, [0.3, 0.6, 1.2], atol=1e-6)


def test_one_key_is_a_constant() -> None:
    curve = curve_of(KEY[:1], np.full((1, 1, 3), 7.0), "LINEAR", turn=False)
    np.testing.assert_array_equal(curve(TIMES), np.full((7, 3), 7.0))
