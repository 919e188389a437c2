"""The colour balance of frames is measured against the photo and bridged where it is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.closed import colour_balance as tint
from svad.avatar.closed.colour_balance import Tint, tints_of
from svad.body.skin import pose_gaussians
from svad.geometry.camera import orbit_camera
from svad.media.images import to_float, to_uint8
from svad.splat.render import render
from svad.types import Avatar, Clip, Pose
from tests.helpers import tiny_avatar

WIDTH, HEIGHT = 96, 128
GAIN, SHIFT = np.array([0.9, 1.0, 1.08]), np.array([0.05, -0.04, 0.02])


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    """With colours that change over the body, so that a factor can be told from a shift."""
    start = tiny_avatar(3000, width=WIDTH, height=HEIGHT)
    height = start.gaussians.means[:, 1]
    share = (height - height.min()) / (height.max() - height.min())
    colors = torch.stack([0.2 + 0.6 * share, 0.8 - 0.5 * share, 0.3 + 0.4 * share], 1)
    return replace(start, gaussians=replace(start.gaussians, colors=colors))


def clip_of(avatar: Avatar, yaws: list[float]) -> Clip:
    """Views of the avatar, wrongly coloured: gain and shift undo it."""
    posed = pose_gaussians(avatar, avatar.pose[0])
    centre = posed.means.mean(0).numpy()
    cameras = [orbit_camera(centre, 4.0, yaw, 0.0, 2.0 * HEIGHT, WIDTH, HEIGHT) for yaw in yaws]
    with torch.no_grad():
        drawn = [render(posed, camera) for camera in cameras]
    alphas = [d.alpha[0].numpy()[..., None] for d in drawn]
    wrong = [  # before a light background, as generated frames are
        (d.image[0].numpy() - alpha * SHIFT) / GAIN + 0.96 * (1 - alpha)
        for d, alpha in zip(drawn, alphas, strict=True)
    ]
    return Clip(
        rgb=np.stack([to_uint8(picture.astype(np.float32)) for picture in wrong]),
        matte=np.stack([to_uint8(d.alpha[0].numpy()) for d in drawn]),
        poses=Pose.cat([avatar.pose] * len(yaws)),
        cameras=tuple(cameras),
        weight=np.full(len(yaws), 0.5, np.float32),
        yaw=np.array(yaws, np.float32),
        start=avatar,
    )


def shown(avatar: Avatar) -> torch.Tensor:  # [N, 1]
    """The front is in the photo."""
    return (avatar.gaussians.means[:, 2:] > -0.02).float()


@pytest.mark.parametrize("soft", [tint.SOFT, 0.04])
def test_a_wrong_balance_is_found(
    avatar: Avatar, soft: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the softening is as wide as the arms, so that the background could come in."""
    monkeypatch.setattr(tint, "SOFT", soft)
    clip = clip_of(avatar, [0.0, 0.3])
    for index, found in enumerate(tints_of(avatar, clip, shown(avatar), lambda done: None)):
        person = clip.matte[index] == 255
        right = to_float(clip.rgb[index]) * GAIN + SHIFT
        error = np.abs(found.apply(to_float(clip.rgb[index])) - right)[person]
        before = np.abs(to_float(clip.rgb[index]) - right)[person]
        assert error.mean() < 0.3 * before.mean()


def test_a_frame_from_behind_lies_between_its_neighbours(avatar: Avatar) -> None:
    clip = clip_of(avatar, [0.0, np.pi, 0.4])
    calls = []
    tints = tints_of(avatar, clip, shown(avatar), calls.append)
    np.testing.assert_allclose(tints[1].gain, (tints[0].gain + tints[2].gain) / 2)
    np.testing.assert_allclose(tints[1].shift, (tints[0].shift + tints[2].shift) / 2)
    assert calls == [0, 1, 2]


def test_a_frame_beside_which_the_avatar_lies_tells_nothing(avatar: Avatar) -> None:
    """Stripes that do not fall on each other have a spread, but no factor."""
    height = avatar.gaussians.means[:, 1]

    def striped(phase: float) -> Avatar:
        light = 0.5 + 0.4 * torch.sin(18 * height + phase)
        colors = light[:, None].expand(-1, 3).contiguous()
        return replace(avatar, gaussians=replace(avatar.gaussians, colors=colors))

    shift = np.pi / 2
    beside, same = (clip_of(striped(phase), [0.0, 0.3]) for phase in (shift, 0.0))
    found = tints_of(striped(0.0), beside, shown(avatar), lambda done: None)
    assert all((one.gain == 1).all() and (one.shift == 0).all() for one in found)
    found = tints_of(striped(0.0), same, shown(avatar), lambda done: None)
    assert not any((one.gain == 1).all() for one in found)


def test_far_from_what_is_known_all_count_alike(avatar: Avatar) -> None:
    """A drift does not go on for half a turn."""
    clip = clip_of(avatar, [0.0, 0.3, *[np.pi] * 20])
    tints = tints_of(avatar, clip, shown(avatar), lambda done: None)
    mean = (tints[0].gain + tints[1].gain) / 2
    np.testing.assert_allclose(tints[-1].gain, mean, atol=1e-4)


def test_nothing_in_common_with_the_photo_leaves_the_colours(avatar: Avatar) -> None:
    clip = clip_of(avatar, [np.pi])
    (found,) = tints_of(avatar, clip, shown(avatar), lambda done: None)
    np.testing.assert_array_equal(found.gain, 1)
    np.testing.assert_array_equal(found.shift, 0)


def test_a_tint_stays_in_range() -> None:
    found = Tint(np.full(3, 1.3), np.full(3, 0.1)).apply(np.float32([[[0, 0.5, 1]]]))
    np.testing.assert_allclose(found, [[[0.1, 0.75, 1.0]]], atol=1e-6)
    assert found.dtype == np.float32
