"""Videos of a motion from a camera of choice; what closes, closes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.shots import film, shot_cameras
from svad.body.skin import pose_gaussians
from svad.core.errors import SettingError
from svad.media.shot import CAMERAS, Shot
from svad.motion.authored import authored
from svad.motion.motion import Motion
from svad.motion.standing import standing
from svad.types import Avatar
from tests.helpers import tiny_avatar

SMALL = Shot(height=64)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(1000)


@pytest.fixture(scope="module")
def walk(avatar: Avatar) -> Motion:
    """A stride in four frames, a third of a second, as a loop."""
    motion = authored()["walk"].for_avatar(avatar)
    return replace(motion, poses=motion.poses[:20:5], fps=12.0)


def strolling(walk: Motion) -> Motion:
    """Somebody who goes away to the side by three metres, and does not come back."""
    poses = walk.poses[[k % 4 for k in range(40)]]
    way = torch.zeros(40, 3)
    way[:, 0] = torch.linspace(0, 3, 40)
    poses = replace(poses, translation=poses.translation + way)
    return replace(walk, poses=poses, looped=False)


def head(avatar: Avatar, motion: Motion, frame: int) -> np.ndarray:  # [N, 3]
    posed = pose_gaussians(avatar, motion.poses[frame])
    return posed.means[avatar.joint_ids[:, 0] == 15].numpy()


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_head_is_seen_by_every_camera(avatar: Avatar, walk: Motion, camera: str) -> None:
    cameras = shot_cameras(avatar, walk, replace(SMALL, camera=camera))
    assert len(cameras) == len(walk.poses)
    for frame, one in enumerate(cameras):
        pixels = one.project(head(avatar, walk, frame))
        assert (pixels[:, :2] > 0).all() and (pixels[:, :2] < [one.width, one.height]).all()
        assert one.height == 64 and one.width % 2 == 0


def test_sides_are_those_of_the_person(avatar: Avatar, walk: Motion) -> None:
    seen = {c: shot_cameras(avatar, walk, replace(SMALL, camera=c))[0] for c in CAMERAS}
    places = {c: -one.rotation.T @ one.translation for c, one in seen.items()}
    assert places["front"][2] > 1 and places["back"][2] < -1
    assert places["left"][0] > 1 and places["right"][0] < -1
    np.testing.assert_allclose(places["side"], places["left"])


def test_an_orbit_goes_round_once_and_closes(avatar: Avatar, walk: Motion) -> None:
    cameras = shot_cameras(avatar, walk, replace(SMALL, camera="orbit"), rounds=9)
    assert len(cameras) == 36
    places = np.array([-one.rotation.T @ one.translation for one in cameras])
    away = places - places.mean(0)
    angles = np.unwrap(np.arctan2(away[:, 0], away[:, 2]))
    # 1e-3: the camera rises and sinks, so that the mean is not quite the axis
    np.testing.assert_allclose(np.diff(angles), np.diff(angles)[0], atol=1e-3)
    assert abs(abs(angles[-1] - angles[0]) - 2 * np.pi * 35 / 36) < 1e-2


def test_a_portrait_goes_along(avatar: Avatar, walk: Motion) -> None:
    motion = strolling(walk)
    portrait = shot_cameras(avatar, motion, replace(SMALL, camera="portrait"))
    whole = shot_cameras(avatar, motion, SMALL)
    for frame in (0, 20, 39):
        points = head(avatar, motion, frame)
        near, far = (np.ptp(c[frame].project(points)[:, 1]) for c in (portrait, whole))
        assert near > 2 * far
        pixels = portrait[frame].project(points)[:, :2]
        assert (pixels > 0).all() and (pixels < [portrait[0].width, 64]).all()


@pytest.mark.parametrize("camera", ["front", "orbit"])
def test_a_short_motion_that_closes_is_played_several_times(
    avatar: Avatar, walk: Motion, camera: str
) -> None:
    made = film(avatar, walk, replace(SMALL, camera=camera, background="#00ff00"))
    frames = list(made.frames)
    assert made.fps == 12 and len(frames) == (72 if camera == "orbit" else 48)
    assert (frames[0][:3, :3] == (0, 255, 0)).all()  # no shadow, no light
    if camera == "front":
        assert all((frames[k] == frames[k % 4]).all() for k in range(48))
        steps = [np.abs(frames[k].astype(int) - frames[(k + 1) % 4]).mean() for k in range(4)]
        assert min(steps) > 0.1 * max(steps)  # no frame is doubled where the loop meets


def test_what_does_not_close_is_played_once(avatar: Avatar, walk: Motion) -> None:
    once = replace(walk, looped=False, poses=walk.poses[:2])
    for camera in ("front", "orbit"):
        assert len(list(film(avatar, once, replace(SMALL, camera=camera)).frames)) == 2


def test_another_rate_keeps_the_time(avatar: Avatar, walk: Motion) -> None:
    made = film(avatar, replace(walk, looped=False), replace(SMALL, fps=24.0))
    assert made.fps == 24 and len(list(made.frames)) == 7


def test_stills(avatar: Avatar, walk: Motion) -> None:
    shot = replace(SMALL, background="transparent")
    whole = list(film(avatar, walk, shot).frames)
    assert whole[0].shape[2] == 4
    for frame in (0, 3):
        (still,) = film(avatar, walk, replace(shot, frame=frame), still=True).frames
        assert (still == whole[frame]).all()
    (middle,) = film(avatar, walk, shot, still=True).frames
    assert (middle == whole[2]).all()
    with pytest.raises(SettingError, match="0 to 3; there is no 4"):
        film(avatar, walk, replace(shot, frame=4), still=True)


def test_somebody_who_stands_is_gone_round(avatar: Avatar) -> None:
    made = film(avatar, standing(avatar), replace(SMALL, camera="orbit", fps=2.0))
    frames = list(made.frames)
    assert len(frames) == 12 and np.abs(frames[0].astype(int) - frames[6]).mean() > 0.5
