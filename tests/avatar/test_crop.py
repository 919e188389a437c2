"""The frames cut and shrunk show the same person at the same places."""

from __future__ import annotations

import numpy as np
import pytest

from svad.avatar.closed.crop import MARGIN, cropped
from svad.geometry.camera import photo_camera
from svad.types import Clip, Pose
from tests.helpers import tiny_avatar

WIDTH, HEIGHT = 200, 160


@pytest.fixture
def clip() -> Clip:
    """Four frames; the person is a box that moves a little."""
    avatar = tiny_avatar(50)
    rgb = np.random.default_rng(0).integers(0, 256, (4, HEIGHT, WIDTH, 3), np.uint8)
    matte = np.zeros((4, HEIGHT, WIDTH), np.uint8)
    for i in range(4):
        matte[i, 40:120, 80 + i : 110 + i] = 255
    return Clip(
        rgb=rgb, matte=matte, poses=Pose.cat([avatar.pose] * 4),
        cameras=(photo_camera(WIDTH, HEIGHT),) * 4,
        weight=np.array([1, 0.5, 0.4, 0.3], np.float32), yaw=np.arange(4, dtype=np.float32),
        start=None,
    )  # fmt: skip


def test_only_the_person_is_left(clip: Clip) -> None:
    found = cropped(clip, [1, 3])
    assert found.rgb.shape == (2, 80 + 2 * MARGIN, 32 + 2 * MARGIN, 3)
    np.testing.assert_array_equal(found.rgb[0, MARGIN, MARGIN], clip.rgb[1, 40, 81])
    assert found.weight.tolist() == clip.weight[[1, 3]].tolist() and found.yaw.tolist() == [1, 3]
    assert (found.matte[1] > 0).sum() == (clip.matte[3] > 0).sum()


@pytest.mark.parametrize("height", [160, 80])
def test_the_cameras_go_along(clip: Clip, height: int) -> None:
    found = cropped(clip, [0, 1], height)
    points = np.array([[0.0, 0.0, -3.0], [0.1, -0.2, -2.5]])
    whole = clip.cameras[0].project(points)[:, :2] * height / HEIGHT
    part = found.cameras[0].project(points)[:, :2]
    shift = whole - part
    np.testing.assert_allclose(shift[0], shift[1], atol=1e-3)
    scale = height / HEIGHT
    np.testing.assert_allclose(shift[0], np.array([80, 40]) * scale - MARGIN, atol=1e-3)
    assert found.rgb.shape[1:3] == (found.cameras[0].height, found.cameras[0].width)


def test_nobody_leaves_everything(clip: Clip) -> None:
    clip.matte[:] = 0
    assert cropped(clip, [0]).rgb.shape[1:3] == (HEIGHT, WIDTH)
