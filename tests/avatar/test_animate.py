"""Playing poses on an avatar."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.avatar.animate import animate, motion_camera, motion_floor
from svad.body.motion import MOTIONS, a_pose
from svad.body.skin import pose_gaussians
from svad.core.errors import Stopped
from svad.types import Avatar, Pose
from tests.helpers import PARENTS, tiny_avatar


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(3000)


def poses_of(avatar: Avatar, name: str) -> Pose:
    return MOTIONS[name].poses(avatar.expression_names, avatar.joints.numpy(), avatar.parents)


@pytest.mark.parametrize("name", list(MOTIONS))
def test_the_whole_motion_is_in_the_picture(avatar: Avatar, name: str):
    poses = poses_of(avatar, name)
    camera = motion_camera(avatar, poses, 160, yaw=MOTIONS[name].yaw)
    assert camera.height == 160 and camera.width % 2 == 0
    for pose in poses[::7]:
        pixels = camera.project(pose_gaussians(avatar, pose).means.numpy())
        assert (pixels[:, :2] > 0).all() and (pixels[:, :2] < [camera.width, camera.height]).all()


def test_bust_is_nearer_and_holds_the_head(avatar: Avatar):
    poses = poses_of(avatar, "expressions")
    whole, bust = (motion_camera(avatar, poses, 160, focus=f) for f in ("body", "bust"))
    head = avatar.joint_ids[:, 0] == 15
    means = pose_gaussians(avatar, poses[0]).means[head].numpy()
    heights = [np.ptp(camera.project(means)[:, 1]) for camera in (whole, bust)]
    assert heights[1] > 2 * heights[0]
    assert (bust.project(means)[:, 1] > 0).all()


def test_frames_follow_the_poses(avatar: Avatar):
    poses = poses_of(avatar, "raise_arms")[::40]
    camera = motion_camera(avatar, poses, 120)
    told: list[tuple[int, int]] = []
    frames = list(
        animate(avatar, poses, camera, lambda done, total, *_: told.append((done, total)))
    )
    assert len(frames) == len(poses) and told == [(i + 1, len(poses)) for i in range(len(poses))]
    assert all(f.shape == (120, camera.width, 3) and f.dtype == np.uint8 for f in frames)
    assert (frames[0] != frames[1]).any()


def test_transparent_frames_match_a_camera_per_pose(avatar: Avatar):
    pose = a_pose(avatar.joints.numpy(), PARENTS, len(avatar.expression_names))
    camera = motion_camera(avatar, pose, 100)
    frames = list(animate(avatar, Pose.cat([pose, pose]), [camera, camera], transparent=True))
    assert frames[0].shape == (100, camera.width, 4)
    np.testing.assert_array_equal(frames[0], frames[1])
    assert frames[0][0, 0, 3] == 0 and frames[0][..., 3].max() > 240


def test_floor_is_at_the_soles_through_a_motion(avatar: Avatar):
    lowest = float(avatar.gaussians.means[:, 1].min())
    for name in ("squat", "walk", "turn"):
        assert motion_floor(avatar, poses_of(avatar, name)) == pytest.approx(lowest, abs=0.03)


def test_stop_ends_the_drawing(avatar: Avatar):
    pose = a_pose(avatar.joints.numpy(), PARENTS, 4)

    def stop(done: int, *_: object) -> None:
        if done == 2:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        list(animate(avatar, Pose.cat([pose] * 5), motion_camera(avatar, pose, 64), stop))


def test_cameras_must_match_poses_and_no_poses_give_no_frames(avatar: Avatar):
    pose = a_pose(avatar.joints.numpy(), PARENTS, 4)
    camera = motion_camera(avatar, pose, 64)
    with pytest.raises(ValueError, match="camera for each of 2"):
        list(animate(avatar, Pose.cat([pose, pose]), [camera]))
    assert list(animate(avatar, pose[:0], camera)) == []


def test_animating_leaves_the_avatar_as_it_was(avatar: Avatar):
    before = avatar.gaussians.means.clone()
    poses = poses_of(avatar, "wave")[::50]
    list(animate(avatar, poses, motion_camera(avatar, poses, 64)))
    assert torch.equal(before, avatar.gaussians.means)
