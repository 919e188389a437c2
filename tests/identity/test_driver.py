"""The driver: cameras from known poses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.body.flame import SCALE
from svad.body.free import load_free_body
from svad.body.skeleton import EYES
from svad.face.projection import eye_places
from svad.geometry.camera import Camera, orbit_camera, photo_camera
from svad.geometry.rotation import rodrigues
from svad.identity import driver as d
from svad.pose.drive import drive_default, even_turn
from svad.types import Pose
from tests.helpers import PARENTS, one_pose, tiny_joints

CAMERA = Camera(
    np.diag([1.0, -1.0, -1.0]).astype(np.float32), np.zeros(3, np.float32), (800.0, 800.0),
    (200.0, 200.0), 400, 400,
)  # fmt: skip


def standing(yaw: float = 0.0, place: tuple[float, float, float] = (0, 0, -4)) -> Pose:
    """The rest pose turned about y through the eyes, which come to lie at `place`."""
    joints = tiny_joints()
    rotations = np.zeros((55, 3), np.float32)
    rotations[0, 1] = np.radians(yaw)
    turn = rodrigues(torch.from_numpy(rotations[0]).double()).numpy()
    eyes = joints[list(EYES)].mean(0)
    moved = turn @ (eyes - joints[0]) + joints[0]
    return one_pose(rotations, np.array(place) - moved, ())


def driver_of(*poses: Pose, camera: Camera = CAMERA) -> d.Driver:
    return d.make_driver(Pose.cat(poses), [camera] * len(poses), tiny_joints(), PARENTS)


def test_a_frontal_head_is_seen_by_the_frontal_camera() -> None:
    found = driver_of(standing())
    np.testing.assert_allclose(found.camera[0], d.frontal_camera(), atol=1e-6)
    assert found.valid.all() and not found.expression.any() and not found.eyes.any()


@pytest.mark.parametrize("yaw", [-170, -90, -30, 45, 90])
def test_a_turned_body_turns_the_head_as_far(yaw: float) -> None:
    front, turned = driver_of(standing(), standing(yaw)).camera[..., :3]
    between = turned.T @ front
    angle = np.degrees(np.arccos((np.trace(between) - 1) / 2))
    assert angle == pytest.approx(abs(yaw), abs=1e-3)
    # who turns to the left shows the right side
    assert np.degrees(d.head_yaw(driver_of(standing(yaw)).camera[0])) == pytest.approx(
        -yaw, abs=1e-3
    )


@pytest.mark.parametrize("yaw", [-60.0, 25.0, 180.0])
def test_walking_around_is_the_same_as_turning(yaw: float) -> None:
    pose = standing(place=(0, 0, 0))
    camera = orbit_camera(np.zeros(3), 4.0, np.radians(yaw), 0.0, 800.0, 400, 400)
    found = driver_of(pose, camera=camera)
    assert abs(np.degrees(d.head_yaw(found.camera[0]))) == pytest.approx(abs(yaw), abs=1e-3)
    turned = driver_of(standing(-yaw))
    np.testing.assert_allclose(found.camera, turned.camera, atol=1e-5)


def test_the_camera_sees_the_head_as_the_frame_does() -> None:
    """Points near the head fall where the frame has them, up to a similarity."""
    pose = standing(35, (0.9, 0.7, -4))
    turns, places = eye_places(pose, tiny_joints(), PARENTS)
    numbers = np.random.default_rng(0)
    points = numbers.normal(0, 0.02, (30, 3))  # small: what perspective adds stays small too
    frame = CAMERA.project(points @ turns[0].T + places[0])[:, :2].astype(float)
    camera = driver_of(pose).camera[0].astype(float)
    seen = SCALE * points @ camera[:, :3] + camera[:, 3]
    head = np.stack([-seen[:, 0] / seen[:, 2], -seen[:, 1] / seen[:, 2]], 1)  # x right, y down
    z, w = (head - head.mean(0)) @ (1, 1j), (frame - frame.mean(0)) @ (1, 1j)
    factor = (w * z.conj()).sum() / (np.abs(z) ** 2).sum()
    assert np.abs(w - factor * z).max() < 0.06 * np.abs(w).max()
    straight = driver_of(standing(35)).camera[0].astype(float)  # as if it stood in the middle
    seen = SCALE * points @ straight[:, :3] + straight[:, 3]
    z = np.stack([-seen[:, 0] / seen[:, 2], -seen[:, 1] / seen[:, 2]], 1) @ (1, 1j)
    z -= z.mean()
    factor_straight = (w * z.conj()).sum() / (np.abs(z) ** 2).sum()
    better, worse = np.abs(w - factor * (head - head.mean(0)) @ (1, 1j)), w - factor_straight * z
    assert np.linalg.norm(better) < 0.3 * np.linalg.norm(worse)


def test_the_driving_sequence_turns_as_its_own_yaw_says() -> None:
    body = load_free_body()
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    driving = drive_default(body, even_turn(8), (160, 120))
    found = d.make_driver(
        driving.poses, [driving.camera] * 8, rest.joints.numpy(), tuple(body.parents)
    )
    off = d.head_yaw(found.camera) - driving.yaw
    off = np.degrees((off + np.pi) % (2 * np.pi) - np.pi)
    assert found.valid.all() and np.abs(off).max() < 2.0  # the head is not on the axis of turning
    np.testing.assert_array_equal(found.frame, np.arange(8))


def test_rotations_are_proper() -> None:
    rotation = driver_of(standing(70, (1, 0.5, -3)), standing(-120, (-1, 1, -5))).camera[..., :3]
    unit = rotation @ np.swapaxes(rotation, -1, -2)
    np.testing.assert_allclose(unit, np.broadcast_to(np.eye(3), unit.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-5)


def test_frames_without_the_head_are_marked_and_keep_their_place() -> None:
    broken = standing()
    broken.rotations[0, 12, 0] = torch.nan
    found = driver_of(standing(), standing(place=(0, 0, 4)), standing(place=(9, 0, -4)), broken)
    assert found.valid.tolist() == [True, False, False, False]
    assert np.isfinite(found.camera).all() and found.frame.tolist() == [0, 1, 2, 3]


def test_the_photo_camera_works_too() -> None:
    found = driver_of(standing(place=(0, 0, -4)), camera=photo_camera(300, 400))
    assert found.valid.all()
