"""Frames of another back give the avatar that back, and leave the front alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.closed.colours import LEAST, confident_frames, fit_frames, replace_colors
from svad.avatar.stage import AvatarStage
from svad.body.skin import pose_gaussians
from svad.config.avatar import AvatarConfig
from svad.geometry.camera import orbit_camera
from svad.media.images import to_uint8
from svad.splat.render import render
from svad.types import Avatar, Clip, Pose
from tests.helpers import tiny_avatar, tiny_subject

WIDTH, HEIGHT = 96, 128
VIEWS = 8
BLUE = torch.tensor([0.1, 0.2, 0.9])


def drawn(avatar: Avatar, camera) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        found = render(pose_gaussians(avatar, avatar.pose[0]), camera)
    return to_uint8(found.image[0].numpy()), to_uint8(found.alpha[0].numpy())


def back_of(avatar: Avatar) -> torch.Tensor:  # [N] bool
    return avatar.gaussians.means[:, 2] < -0.03


@pytest.fixture(scope="module")
def start() -> Avatar:
    return tiny_avatar(3000, width=WIDTH, height=HEIGHT)


@pytest.fixture(scope="module")
def clip(start: Avatar) -> Clip:
    """The photo, then views all around of the same avatar with a blue back."""
    colors = start.gaussians.colors.clone()
    colors[back_of(start)] = BLUE
    other = replace_colors(start, colors)
    centre = pose_gaussians(start, start.pose[0]).means.mean(0).numpy()
    yaws = 2 * np.pi * np.arange(VIEWS) / VIEWS
    cameras = [orbit_camera(centre, 4.0, yaw, 0.0, 2.0 * HEIGHT, WIDTH, HEIGHT) for yaw in yaws]
    pictures = [drawn(other, camera) for camera in cameras]
    photo = tiny_subject(WIDTH, HEIGHT)
    return Clip(
        rgb=np.stack([photo.photo.rgb, *(rgb for rgb, _ in pictures)]),
        matte=np.stack([photo.matte, *(matte for _, matte in pictures)]),
        poses=Pose.cat([start.pose] * (VIEWS + 1)),
        cameras=(start.camera, *cameras),
        weight=np.array([1.0] + [0.5] * VIEWS, np.float32),
        yaw=np.array([0.0, *yaws], np.float32),
        start=start,
    )


def distance(avatar: Avatar, clip: Clip, index: int) -> float:
    """Mean difference of the person in a frame, grey levels."""
    rgb, _ = drawn(avatar, clip.cameras[index])
    person = clip.matte[index] > 200
    return float(np.abs(rgb[person].astype(int) - clip.rgb[index][person]).mean())


def test_the_back_takes_the_frames_colours(start: Avatar, clip: Clip) -> None:
    found = fit_frames(start, clip, confident_frames(clip, VIEWS), 3, lambda k: None)
    behind = 1 + VIEWS // 2
    assert distance(start, clip, behind) > 40
    assert distance(found, clip, behind) < 0.2 * distance(start, clip, behind)
    before, after = (drawn(a, start.camera)[0].astype(int) for a in (start, found))
    assert np.abs(before - after).mean() < 2  # the photo's side
    mesh_back = start.mesh.vertices[:, 2] < -0.06
    assert found.mesh.colors[mesh_back, 2].mean() > start.mesh.colors[mesh_back, 2].mean() + 40


def test_the_photo_outweighs_frames_that_contradict_it(start: Avatar, clip: Clip) -> None:
    """Not only in the first round: what a frame has changed, the photo pulls back."""
    wrong = clip.rgb.copy()
    person = clip.matte[1:] > 0
    noise = np.random.default_rng(0).uniform(0, 255, wrong[1:].shape)
    wrong[1:][person] = (0.5 * wrong[1:] + 0.5 * noise)[person].astype(np.uint8)
    found = fit_frames(
        start, replace(clip, rgb=wrong), confident_frames(clip, VIEWS), 5, lambda k: None
    )
    rgb, alpha = drawn(start, start.camera)
    after = drawn(found, start.camera)[0]
    assert np.abs(after.astype(int) - rgb)[alpha > 250].mean() < 3


def test_what_is_not_believed_changes_nothing(start: Avatar, clip: Clip) -> None:
    doubtful = replace(clip, weight=np.array([1.0] + [LEAST / 2] * VIEWS, np.float32))
    assert confident_frames(doubtful, VIEWS) == []
    config = AvatarConfig(silhouette_rounds=1, colour_rounds=1, frames=VIEWS)
    subject = tiny_subject(WIDTH, HEIGHT)
    runs = [
        AvatarStage(replace(config, frames=frames)).run(subject, doubtful, lambda *_: None)
        for frames in (0, VIEWS)
    ]
    assert torch.equal(runs[0].gaussians.colors, runs[1].gaussians.colors)


def test_the_frames_are_spread_and_never_the_photo(clip: Clip) -> None:
    assert confident_frames(clip, 4) == [1, 3, 6, 8]
    assert confident_frames(clip, 0) == []
    assert confident_frames(clip, 99) == list(range(1, VIEWS + 1))


def test_the_stage_uses_them_and_tells_so(clip: Clip) -> None:
    told: list[tuple] = []
    config = AvatarConfig(silhouette_rounds=1, colour_rounds=1, frames=4, frame_rounds=2)
    subject = tiny_subject(WIDTH, HEIGHT)
    found = AvatarStage(config).run(subject, clip, lambda *a: told.append(a))
    assert sum("other sides" in note for _, _, note, *_ in told) == 12
    assert [t[0] for t in told] == sorted(t[0] for t in told) and told[-1][0] == told[-1][1]
    back = back_of(found)
    assert (found.gaussians.colors[back, 2] > 0.6).float().mean() > 0.5
