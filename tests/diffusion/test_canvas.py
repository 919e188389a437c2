"""The photo on the canvas: nothing is squashed, cameras and points go along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.diffusion.canvas import GREYS, MARGIN, Canvas, backdrop, compose, letterbox, squash
from svad.geometry.camera import photo_camera
from tests.helpers import tiny_subject

SIZE = (300, 400)  # width, height of a photo
BOX = np.array([60.0, 20.0, 240.0, 390.0])


@pytest.mark.parametrize(("width", "height"), [(448, 768), (1024, 1024), (96, 64)])
def test_the_box_fills_the_canvas_and_keeps_its_shape(width: int, height: int) -> None:
    canvas = letterbox(BOX, SIZE, width, height)
    x0, y0, x1, y1 = canvas.move(BOX.reshape(2, 2), SIZE).ravel()
    fx, fy = canvas.scale(SIZE)
    assert fx == pytest.approx(fy, rel=0.01)
    assert abs((x0 + x1) / 2 - width / 2) < 1 and abs((y0 + y1) / 2 - height / 2) < 1
    free = max((x1 - x0) / width, (y1 - y0) / height)
    assert free == pytest.approx(1 - 2 * MARGIN, abs=0.02)


@pytest.mark.parametrize("canvas", [letterbox(BOX, SIZE, 448, 768), squash(256, 128)])
def test_the_camera_sees_the_canvas(canvas: Canvas) -> None:
    camera = photo_camera(*SIZE)
    points = np.array([[0.1, 0.3, -2.0], [-0.4, -0.2, -3.0]])
    moved = canvas.move(camera.project(points), SIZE)
    np.testing.assert_allclose(canvas.camera(camera).project(points), moved, atol=1e-3)
    found = canvas.camera(camera)
    assert (found.width, found.height) == (canvas.width, canvas.height)


def test_what_lies_outside_the_canvas_is_cut_off() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    found = Canvas(3, 4, drawn=(4, 3), offset=(-2, 2)).place(image, 99)
    assert found.tolist() == [[99] * 3, [99] * 3, [2, 3, 99], [6, 7, 99]]
    assert (Canvas(3, 4, drawn=(4, 3), offset=(9, 9)).place(image, 7) == 7).all()


def test_the_person_stands_before_one_grey() -> None:
    subject = tiny_subject(*SIZE)
    canvas = letterbox(BOX, SIZE, 224, 384)
    rgb, matte = compose(subject, canvas)
    assert rgb.shape == (384, 224, 3) and matte.shape == (384, 224)
    (grey,) = np.unique(rgb[matte == 0])
    assert grey in GREYS
    inside = canvas.place(subject.photo.rgb, 0)[matte == 255].astype(int)
    assert np.abs(rgb[matte == 255].astype(int) - inside).mean() < 2


def test_no_trace_of_the_old_background_comes_along() -> None:
    subject = tiny_subject(*SIZE)
    loud = subject.photo.rgb.copy()
    loud[subject.matte < 200] = (255, 0, 255)
    canvas = letterbox(BOX, SIZE, 224, 384)
    rgb, matte = compose(replace(subject, photo=replace(subject.photo, rgb=loud)), canvas)
    r, g, b = (rgb[matte < 250][:, i].astype(int) for i in range(3))
    assert ((r > g + 60) & (b > g + 60)).mean() < 0.001


@pytest.mark.parametrize(("shade", "wanted"), [(20, 245), (240, 100)])
def test_the_background_differs_from_the_person(shade: int, wanted: int) -> None:
    rgb = np.full((100, 60, 3), shade, np.uint8)
    matte = np.zeros((100, 60), np.uint8)
    matte[20:90, 20:40] = 255
    assert backdrop(rgb, matte) == wanted
    assert backdrop(rgb, np.zeros_like(matte)) == GREYS[0]
