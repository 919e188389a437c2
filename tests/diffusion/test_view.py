"""The camera that brings the driven body onto figures that were aligned in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.model import BodyModel
from svad.diffusion.view import LIMBS, followed
from svad.pose.drive import Driving, drive, drive_default, even_turn
from svad.pose.keypoints import Figure


@pytest.fixture(scope="module")
def driving(body: BodyModel) -> Driving:
    return drive_default(body, even_turn(4), (200, 160))


def moved(figure: Figure, scale: float, shift: tuple[float, float]) -> Figure:
    return replace(figure, body=figure.body * scale + shift)


def test_a_scale_and_a_shift_become_the_cameras(driving: Driving, body: BodyModel) -> None:
    asked = [moved(figure, 0.9, (0.06, 0.02)) for figure in driving.figures()]
    found = followed(driving, asked)
    for figure, own in zip(asked, found.figures(), strict=True):
        np.testing.assert_allclose(own.body[LIMBS], figure.body[LIMBS], atol=2e-3)
    assert found.camera.focal[0] == pytest.approx(0.9 * driving.camera.focal[0], rel=1e-3)
    assert (found.camera.width, found.camera.height) == (160, 200)
    # the points are what the camera sees, not only moved
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    again = drive(body, rest, found.poses, found.camera, even_turn(4))
    np.testing.assert_allclose(again.points[..., :2], found.points[..., :2], atol=0.02)


def test_figures_on_the_body_change_nothing(driving: Driving) -> None:
    found = followed(driving, driving.figures())
    np.testing.assert_allclose(found.points, driving.points, atol=1e-3)
    np.testing.assert_allclose(found.camera.center, driving.camera.center, atol=1e-3)


def test_too_few_points_change_nothing(driving: Driving) -> None:
    unseen = [replace(f, body_seen=np.zeros(18, bool)) for f in driving.figures()]
    assert followed(driving, unseen) is driving
