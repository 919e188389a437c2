"""Studio pictures: everything in the frame, a shadow where the feet are, clean compositing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.geometry.camera import orbit_camera
from svad.splat import scene
from svad.splat.gaussians import isotropic
from svad.splat.render import render


def box_points(seed: int = 0, size: tuple[float, float, float] = (0.6, 1.7, 0.3)) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.random((500, 3)) - 0.5) * size + [0.4, 0.2, -3.0]


@pytest.mark.parametrize("size", [(0.5, 1.7, 0.3), (1.8, 1.7, 0.3), (3.0, 0.4, 0.3)])
@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.5])
def test_frame_camera_sees_all_and_no_more_than_needed(size, yaw: float):
    points = box_points(size=size)
    camera = scene.frame_camera(points, 240, yaw=yaw, margin=0.05)
    assert camera.height == 240 and camera.width % 2 == 0
    pixels = camera.project(points)
    assert (pixels[:, 2] > 0).all()
    free = np.array([camera.width, camera.height]) * 0.05 - 1.5
    assert (pixels[:, :2].min(0) > free).all()
    assert (pixels[:, :2].max(0) < [camera.width - free[0], camera.height - free[1]]).all()
    used = np.ptp(pixels[:, :2], axis=0) / [camera.width, camera.height]
    assert used.max() > 0.88


def test_frame_camera_keeps_the_middle():
    points = box_points()
    points[0] = (1.5, 0.5, -3)  # one arm stretched out
    middle = np.median(points, 0)
    camera = scene.frame_camera(points, 200, middle, yaw=0.4)
    assert camera.project(middle)[0] == pytest.approx(camera.width / 2, abs=0.1)
    pixels = camera.project(points)
    assert (pixels[:, 0] > 0).all() and (pixels[:, 0] < camera.width).all()


def test_turntable_cameras_go_round_at_one_distance():
    points = box_points()
    cameras = scene.turntable_cameras(points, 24, 200)
    assert len({(c.width, c.height, c.focal) for c in cameras}) == 1
    for camera in cameras:
        pixels = camera.project(points)
        assert (pixels[:, :2] > 4).all()
        assert (pixels[:, :2] < [camera.width - 4, camera.height - 4]).all()
    centers = np.stack([-c.rotation.T @ c.translation for c in cameras])
    steps = np.linalg.norm(centers - np.roll(centers, 1, 0), axis=-1)
    assert steps.max() < 1.05 * steps.min()  # no jump at the end
    assert centers[0][2] > points[:, 2].max()  # starts from the front


def test_shadow_lies_under_the_points_and_fades_with_height():
    camera = orbit_camera(np.array([0, 0.3, 0]), 4.0, 0.3, 0.2, 300, 200, 200)
    random = np.random.default_rng(0)
    foot = random.normal(0, 0.03, (400, 3)) * [1, 0.1, 1] + [0.25, 0.02, 0.1]
    first, dark = scene.lay_shadow(scene.cast_shadow(foot, 0.0), camera)
    assert first + len(dark) <= 200 and dark.shape[1] == 200
    assert dark.min() >= 0 and dark.max() <= 1
    x, y, _ = camera.project(np.array([0.25, 0.0, 0.1]))
    row, column = np.unravel_index(dark.argmax(), dark.shape)
    assert abs(column + 0.5 - x) < 4 and abs(first + row + 0.5 - y) < 4
    _, lifted = scene.lay_shadow(scene.cast_shadow(foot + [0, 0.12, 0], 0.0), camera)
    assert lifted.max() < 0.6 * dark.max()


def test_a_shadow_out_of_sight_has_no_rows():
    points = np.random.default_rng(0).normal(0, 0.1, (50, 3))
    above = orbit_camera(np.array([0, 9.0, 0]), 4.0, 0.0, 0.0, 600, 60, 60)
    first, dark = scene.lay_shadow(scene.cast_shadow(points, 0.0), above)
    assert dark.sum() == 0 and first + len(dark) <= 60


def test_draw_lays_the_person_over_the_backdrop():
    gaussians = isotropic(
        torch.randn(800, 3) * 0.05, torch.full((800,), 0.02), torch.tensor([[1.0, 0, 0]] * 800)
    )
    camera = orbit_camera(np.zeros(3), 3.0, 0.0, 0.0, 200, 60, 80)
    stage = scene.studio(60, 80)
    frame = scene.draw(gaussians, camera, stage)
    assert frame.shape == (80, 60, 3) and frame.dtype == np.uint8
    assert frame[40, 30, 0] > 240 and frame[40, 30, 1] < 15
    np.testing.assert_allclose(frame[2, 2] / 255, stage.backdrop[2, 2], atol=1 / 255)


def test_draw_lays_shadow_and_person_as_numpy_does():
    random = np.random.default_rng(0)
    points = torch.tensor(random.normal(0, 0.1, (300, 3)) + [0, 0.15, 0], dtype=torch.float32)
    gaussians = isotropic(points, torch.full((300,), 0.01), torch.rand(300, 3))
    gaussians = replace(gaussians, opacities=torch.full((300,), 0.4))
    camera = orbit_camera(np.array([0, 0.15, 0]), 3.0, 0.4, 0.2, 300, 60, 80)
    stage = scene.studio(60, 80, floor=0.0)
    frame = scene.draw(gaussians, camera, stage)
    picture = render(gaussians, camera)
    first, dark = scene.lay_shadow(scene.shadow_of(gaussians, 0.0), camera)
    assert dark.max() > 0.2  # it is seen
    behind = stage.backdrop.copy()
    behind[first : first + len(dark)] *= 1 - dark[..., None] * scene.SHADOW_TINT
    plain = picture.image[0].numpy() + (1 - picture.alpha[0, ..., None].numpy()) * behind
    assert np.abs(frame - 255 * plain.clip(0, 1)).max() < 0.51  # rounded, and nothing else


def test_rgba_colours_are_straight():
    gaussians = isotropic(torch.zeros(1, 3), torch.tensor([0.05]), torch.tensor([[0.8, 0.4, 0.2]]))
    camera = orbit_camera(np.zeros(3), 3.0, 0.0, 0.0, 200, 60, 80)
    frame = scene.draw_rgba(gaussians, camera)
    seen = frame[..., 3] > 20
    assert seen.any() and frame[0, 0, 3] == 0
    assert np.abs(frame[seen][:, :3].astype(int) - [204, 102, 51]).max() <= 2


def test_turntable_draws_frames():
    points = torch.tensor(box_points(), dtype=torch.float32)
    gaussians = isotropic(points, torch.full((500,), 0.03), torch.rand(500, 3))
    frames = list(scene.turntable(gaussians, 4, 96))
    assert len(frames) == 4
    assert all(f.shape == frames[0].shape and f.shape[1] % 2 == 0 for f in frames)
    assert (frames[0] != frames[1]).any()
