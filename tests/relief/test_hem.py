"""Hems are open, and level in the world however the camera looks at them."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import LARGE
from svad.geometry.camera import Camera
from svad.relief.hem import open_below, with_level_hem
from svad.relief.points import Sheet, grid_positions


def test_a_hem_is_open() -> None:
    mask = np.zeros((60, 30), bool)
    mask[10:30, 10:20] = True
    drawn_out = open_below(mask, 100)
    assert drawn_out[30:38, 10:20].all() and not drawn_out[:10].any()
    assert not drawn_out[:, :10].any() and not drawn_out[:, 20:].any()


def test_the_back_of_a_skirt_ends_as_high_as_its_front() -> None:
    h, w = 80, 30
    mask = np.zeros((h, w), bool)
    mask[20:70, 5:25] = True
    full = lambda value: np.full((h, w), value, np.float32)  # noqa: E731
    upright = np.diag([1.0, -1.0, -1.0]).astype(np.float32)
    camera = Camera(upright, np.zeros(3, np.float32), (200.0, 200.0), (15.0, 10.0), w, h)
    cloth = np.full((h, w, 3), 0.5, np.float32)
    weights = np.zeros((h, w, LARGE), np.float32)
    sheet = Sheet(
        5, (0.0, 0.0), 1, mask, full(1), full(2.0), full(2.6), cloth, cloth, weights, weights, mask
    )  # fmt: skip
    level = with_level_hem(sheet, camera)
    front, back = (
        grid_positions(level, depth, camera)[..., 1] for depth in (level.near, level.far)
    )
    hem = front[69, 5:25].min()
    assert back[mask].min() > hem - 0.005 > grid_positions(sheet, sheet.far, camera)[69, 15, 1]
    np.testing.assert_array_equal(level.near, sheet.near)
    np.testing.assert_array_equal(level.far[:50], sheet.far[:50])  # only the hem is cut
    assert (level.far[mask] > level.near[mask]).all()
    assert level.far_rgb[69, 15].max() < 0.4 and level.far_rgb[30, 15].min() == 0.5
