"""Cameras against golden numbers and their own inverse."""

from __future__ import annotations

import numpy as np
import pytest

from svad.geometry.camera import Camera, orbit_camera, photo_camera


def test_golden_projection(golden_root):
    data = np.load(golden_root / "avatar" / "cameras.npz")
    focal, center = tuple(data["focal"]), tuple(data["princpt"])
    camera = Camera(data["R"], data["t"], focal, center, 256, 192)
    pixels = camera.project(data["world_xyz"])
    # float32 at a few hundred pixels: one unit in the last place is 3e-5
    assert np.abs(pixels - data["pixel"]).max() < 2e-4
    assert np.abs(camera.unproject(pixels) - data["world_xyz"]).max() < 1e-5
    placed = data["world_xyz"] @ camera.rotation.T + camera.translation
    assert np.abs(placed - data["cam_xyz"]).max() < 1e-5


def test_golden_view_matrix(golden_root):
    data = np.load(golden_root / "avatar" / "cameras.npz")
    camera = Camera(data["R"], data["t"], (1.0, 1.0), (0.0, 0.0), 1, 1)
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = camera.rotation, camera.translation
    assert np.abs(view - data["view_matrix"]).max() < 1e-6


def test_photo_camera_looks_along_minus_z():
    camera = photo_camera(64, 48)
    x, y, depth = camera.project(np.array([0.5, 1.0, -4.0]))
    assert (x, y, depth) == pytest.approx((32 + 96 / 8, 24 - 96 / 4, 4.0))


@pytest.mark.parametrize("yaw", [0.0, 0.7, 3.0, -2.0])
@pytest.mark.parametrize("pitch", [0.0, 0.4])
def test_orbit_camera_sees_its_target_in_the_middle(yaw: float, pitch: float):
    target = np.array([0.1, 1.0, -0.2])
    camera = orbit_camera(target, 3.0, yaw, pitch, 100.0, 40, 60)
    assert camera.project(target) == pytest.approx([20, 30, 3.0], abs=1e-4)
    assert np.abs(camera.rotation @ camera.rotation.T - np.eye(3)).max() < 1e-6
    assert np.linalg.det(camera.rotation) == pytest.approx(1, abs=1e-6)
    above = camera.project(target + np.array([0, 0.1, 0]))
    assert above[1] < 30  # up in the world is up in the picture


def test_resized_camera_draws_the_same_view():
    camera = orbit_camera(np.zeros(3), 3.0, 0.3, 0.1, 100.0, 40, 60)
    point = np.array([0.2, -0.1, 0.3])
    assert camera.resized(2).project(point)[:2] == pytest.approx(2 * camera.project(point)[:2])
