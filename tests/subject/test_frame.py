"""The working picture: size, cut and where points end up."""

from __future__ import annotations

import numpy as np

from svad.subject.frame import working_frame


def test_person_is_brought_to_the_wanted_height() -> None:
    frame = working_frame((100, 200, 500, 1480), (1600, 1000), 640)
    assert frame.box == (0, 0, 1000, 1600)
    assert abs(1280 * frame.scale - 640) < 2


def test_nothing_is_enlarged() -> None:
    frame = working_frame((10, 10, 200, 400), (420, 300), 640)
    assert (frame.width, frame.height) == (300, 420) and frame.scale == 1


def test_small_person_in_a_large_picture_is_cut_out_with_margins() -> None:
    person = (3000, 1500, 3200, 2100)
    frame = working_frame(person, (2700, 4096), 640)
    assert max(frame.width, frame.height) <= 2100
    x0, y0, x1, y1 = frame.box
    assert x0 < person[0] - 100 and x1 > person[2] + 100 and y0 < person[1] and y1 > person[3]
    assert frame.scale == 1


def test_points_follow_the_picture() -> None:
    photo = np.zeros((1200, 800, 3), np.uint8)
    photo[604:612, 300:308] = 255
    frame = working_frame((200, 100, 600, 1100), photo.shape[:2], 500)
    small = frame.cut(photo)
    ys, xs = np.where(small[..., 0] > 100)
    center = frame.move(np.array([304.0, 608.0, 7.0]))
    np.testing.assert_allclose(center[:2], (xs.mean() + 0.5, ys.mean() + 0.5), atol=0.6)
    assert center[2] == 7 and abs(frame.move(np.ones(3), True)[2] - frame.scale) < 1e-6
