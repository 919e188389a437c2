"""Collars and hoods behind a neck."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.collar import cloth_behind, going_behind

H, W = 60, 80
THROAT, CLOTH, INSIDE = (0.8, 0.6, 0.5), (0.3, 0.4, 0.8), (0.08, 0.1, 0.2)
TOP = 34  # row where the collar begins


@pytest.fixture
def own() -> np.ndarray:  # [H, W] bool
    """A head above a neck, as far down as it is the head's."""
    own = np.zeros((H, W), bool)
    own[4:50, 10:70] = True
    return own


@pytest.fixture
def collar(own: np.ndarray) -> np.ndarray:  # [H, W] bool
    """A collar that stands open in front."""
    collar = np.zeros((H, W), bool)
    collar[TOP:50, 10:26] = collar[TOP:50, 54:70] = True
    return collar & own


LOW = np.indices((H, W))[0] >= 28  # below the mouth


def test_a_collar_closes_behind_and_reaches_the_trunk(own: np.ndarray, collar: np.ndarray) -> None:
    behind = cloth_behind(collar, own, LOW)
    assert behind[TOP + 4 : 52, 14:66].min() > 0.9
    assert behind[: TOP - 4].max() < 0.05


@pytest.mark.parametrize("side", [slice(10, 26), slice(54, 70)])
def test_cloth_on_one_side_is_no_collar(own: np.ndarray, collar: np.ndarray, side: slice) -> None:
    collar[:, side] = False
    assert cloth_behind(collar, own, LOW)[:, 34:46].max() < 0.05


def test_a_few_rows_are_no_collar(own: np.ndarray, collar: np.ndarray) -> None:
    collar[TOP + 3 :] = False
    assert cloth_behind(collar, own, LOW)[44:, 34:46].max() < 0.05


def test_a_shade_under_the_chin_stays_in_front(own: np.ndarray) -> None:
    shade = np.zeros((H, W), bool)
    shade[36:42, 30:50] = True
    assert cloth_behind(shade, own, LOW).max() == 0


def test_behind_is_cloth_and_no_throat(own: np.ndarray, collar: np.ndarray) -> None:
    rgb = np.full((H, W, 3), THROAT, np.float32)
    rgb[collar] = CLOTH
    rgb[TOP:50, 22:26] = rgb[TOP:50, 54:58] = INSIDE  # in its own shade
    rgb[TOP + 6 : TOP + 10, 62:66] = (0.9, 0.1, 0.1)  # a mark on one side
    rgb += np.random.default_rng(0).normal(0, 0.01, rgb.shape).astype(np.float32)
    behind = cloth_behind(collar, own, LOW)
    made = going_behind(rgb, collar, own, behind, 0)
    inner = made[TOP + 3 : 48, 14:60]
    assert np.abs(inner - CLOTH).max() < 0.12
    np.testing.assert_array_equal(made[: TOP - 6], rgb[: TOP - 6])


def test_without_a_collar_nothing_is_made(own: np.ndarray) -> None:
    rgb = np.full((H, W, 3), THROAT, np.float32)
    none = np.zeros((H, W), bool)
    assert going_behind(rgb, none, own, np.zeros((H, W), np.float32), 0) is rgb
