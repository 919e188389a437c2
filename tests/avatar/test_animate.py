"""Playing poses on an avatar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.animate import animate, motion_camera, motion_floor
from svad.body.skin import pose_gaussians
from svad.core.errors import Stopped
from svad.motion.authored import authored
from svad.motion.motion import Motion
from svad.motion.standing import a_pose
from svad.types import Avatar, Pose
from tests.helpers import PARENTS, tiny_avatar


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(3000)


def motion_of(poses: Pose) -> Motion:
    return Motion(name="own", title="Own", help="Somebody's own.", fps=24, poses=poses)


def made(avatar: Avatar, name: str, step: int = 1) -> Motion:
    """Every so many frames of an authored motion."""
    motion = authored()[name].for_avatar(avatar)
    return replace(motion, poses=motion.poses[::step])


def standing(avatar: Avatar, frames: int) -> Motion:
    pose = a_pose(avatar.joints.numpy(), PARENTS, len(avatar.expression_names))
    return motion_of(pose[[0] * frames])


@pytest.mark.parametrize("name", list(authored()))
def test_the_whole_motion_is_in_the_picture(avatar: Avatar, name: str):
    motion = made(avatar, name)
    camera = motion_camera(avatar, replace(motion, focus="body"), 160, yaw=motion.yaw)
    assert camera.height == 160 and camera.width % 2 == 0
    for pose in motion.poses[::7]:
        pixels = camera.project(pose_gaussians(avatar, pose).means.numpy())
        assert (pixels[:, :2] > 0).all() and (pixels[:, :2] < [camera.width, camera.height]).all()


def test_bust_is_nearer_and_holds_the_head(avatar: Avatar):
    motion = made(avatar, "expressions")
    whole, bust = (
        motion_camera(avatar, replace(motion, focus=focus), 160) for focus in ("body", "bust")
    )
    head = avatar.joint_ids[:, 0] == 15
    means = pose_gaussians(avatar, motion.poses[0]).means[head].numpy()
    heights = [np.ptp(camera.project(means)[:, 1]) for camera in (whole, bust)]
    assert heights[1] > 2 * heights[0]
    assert (bust.project(means)[:, 1] > 0).all()


def test_frames_follow_the_poses(avatar: Avatar):
    motion = made(avatar, "raise_arms", step=40)
    count, camera = len(motion.poses), motion_camera(avatar, motion, 120)
    told: list[tuple[int, int]] = []
    frames = list(
        animate(avatar, motion, camera, lambda done, total, *_: told.append((done, total)))
    )
    assert len(frames) == count and told == [(i + 1, count) for i in range(count)]
    assert all(f.shape == (120, camera.width, 3) and f.dtype == np.uint8 for f in frames)
    assert (frames[0] != frames[1]).any()


def test_transparent_frames_match_a_camera_per_pose(avatar: Avatar):
    motion = standing(avatar, 2)
    camera = motion_camera(avatar, motion, 100)
    frames = list(animate(avatar, motion, [camera, camera], transparent=True))
    assert frames[0].shape == (100, camera.width, 4)
    np.testing.assert_array_equal(frames[0], frames[1])
    assert frames[0][0, 0, 3] == 0 and frames[0][..., 3].max() > 240


def test_floor_is_at_the_soles_through_a_motion(avatar: Avatar):
    lowest = float(avatar.gaussians.means[:, 1].min())
    for name in ("squat", "walk", "turn"):
        assert motion_floor(avatar, made(avatar, name)) == pytest.approx(lowest, abs=0.03)


def test_stop_ends_the_drawing(avatar: Avatar):
    motion = standing(avatar, 5)

    def stop(done: int, *_: object) -> None:
        if done == 2:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        list(animate(avatar, motion, motion_camera(avatar, motion, 64), stop))


def test_cameras_must_match_poses_and_no_poses_give_no_frames(avatar: Avatar):
    motion = standing(avatar, 2)
    camera = motion_camera(avatar, motion, 64)
    with pytest.raises(ValueError, match="camera for each of 2"):
        list(animate(avatar, motion, [camera]))
    assert list(animate(avatar, standing(avatar, 0), camera)) == []


def test_animating_leaves_the_avatar_as_it_was(avatar: Avatar):
    before = avatar.gaussians.means.clone()
    motion = made(avatar, "wave", step=50)
    list(animate(avatar, motion, motion_camera(avatar, motion, 64)))
    assert torch.equal(before, avatar.gaussians.means)
