"""The avatar stage on a drawn person: closer to the photo, still the same avatar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.front import front_picture
from svad.avatar.stage import AvatarStage
from svad.body.free import load_free_body
from svad.body.skin import pose_gaussians
from svad.config.avatar import AvatarConfig
from svad.config.relief import ReliefConfig
from svad.core.errors import Stopped
from svad.relief.stage import ReliefStage
from svad.splat.render import render
from svad.types import Avatar, Clip, Subject
from tests.helpers import tiny_avatar, tiny_subject
from tests.relief.people import subject_of

CONFIG = AvatarConfig()


def nothing(*_: object) -> None:
    """A report that nobody reads."""


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of(size=(220, 320))


@pytest.fixture(scope="module")
def clip(subject: Subject) -> Clip:
    return ReliefStage(ReliefConfig(views=1), load_free_body()).run(subject, nothing)


@pytest.fixture(scope="module")
def avatar(subject: Subject, clip: Clip) -> Avatar:
    return AvatarStage(CONFIG).run(subject, clip, nothing)


def small_clip() -> Clip:
    """A clip of one frame with a quick avatar to start from."""
    subject, start = tiny_subject(96, 128), tiny_avatar(2000, width=96, height=128)
    return Clip(
        rgb=subject.photo.rgb[None], matte=subject.matte[None], poses=start.pose,
        cameras=(start.camera,), weight=np.ones(1, np.float32), yaw=np.zeros(1, np.float32),
        start=start,
    )  # fmt: skip


def front(avatar: Avatar) -> tuple[np.ndarray, np.ndarray]:
    """The photo's view of an avatar: [H, W, 3] over black, alpha [H, W]."""
    with torch.no_grad():
        drawn = render(pose_gaussians(avatar, avatar.pose[0]), avatar.camera)
    return drawn.image[0].numpy(), drawn.alpha[0].numpy()


def psnr(avatar: Avatar, subject: Subject) -> float:
    """Of the person over black, inside the matte."""
    image, _ = front(avatar)
    matte = subject.matte[..., None] / 255.0
    error = (image - subject.photo.rgb / 255.0 * matte)[subject.matte > 0]
    return float(-10 * np.log10((error**2).mean()))


def iou(avatar: Avatar, subject: Subject) -> float:
    seen, true = front(avatar)[1] > 0.5, subject.matte > 127
    return float((seen & true).sum() / (seen | true).sum())


def test_front_looks_like_the_photo(subject: Subject, clip: Clip, avatar: Avatar) -> None:
    assert iou(avatar, subject) >= 0.97
    assert iou(avatar, subject) >= iou(clip.start, subject)
    assert psnr(avatar, subject) > psnr(clip.start, subject) + 2
    assert psnr(avatar, subject) > 24


def test_it_is_still_the_same_avatar(clip: Clip, avatar: Avatar) -> None:
    start = clip.start
    assert len(avatar.gaussians) == len(start.gaussians)
    for name in ("joint_ids", "joint_weights", "expression_ids", "expression_dirs", "mesh"):
        assert getattr(avatar, name) is getattr(start, name)
    assert torch.equal(avatar.gaussians.scales, start.gaussians.scales)
    assert torch.equal(avatar.gaussians.quats, start.gaussians.quats)
    colors = avatar.gaussians.colors
    assert not colors.requires_grad and colors.min() >= 0 and colors.max() <= 1


def test_only_the_rim_moves_and_by_little(clip: Clip, avatar: Avatar) -> None:
    step = (avatar.gaussians.means - clip.start.gaussians.means).norm(dim=1)
    assert 0.02 < (step > 0).float().mean() < 0.9
    assert step.max() < 0.06  # metres


def test_same_inputs_same_avatar() -> None:
    clip, subject = small_clip(), tiny_subject(96, 128)
    one, two = (AvatarStage(AvatarConfig()).run(subject, clip, nothing) for _ in range(2))
    torch.testing.assert_close(one.gaussians.colors, two.gaussians.colors, atol=1e-4, rtol=0)
    torch.testing.assert_close(one.gaussians.means, two.gaussians.means, atol=1e-4, rtol=0)


def test_start_is_left_as_it_was() -> None:
    clip = small_clip()
    before = clip.start.gaussians.colors.clone(), clip.start.gaussians.means.clone()
    AvatarStage(CONFIG).run(tiny_subject(96, 128), clip, nothing)
    assert torch.equal(before[0], clip.start.gaussians.colors)
    assert torch.equal(before[1], clip.start.gaussians.means)


def test_a_clip_without_a_first_guess_is_refused(subject: Subject) -> None:
    with pytest.raises(ValueError, match="first guess"):
        AvatarStage(CONFIG).run(subject, replace(small_clip(), start=None), nothing)


def test_report_rises_to_its_total_and_ends_with_the_front() -> None:
    told: list[tuple] = []
    avatar = AvatarStage(CONFIG).run(
        tiny_subject(96, 128), small_clip(), lambda *call: told.append(call)
    )
    done = [call[0] for call in told]
    assert done == sorted(done) and done[-1] == told[-1][1]
    assert len(told) == CONFIG.silhouette_rounds + CONFIG.colour_rounds + 1
    np.testing.assert_array_equal(told[-1][3], front_picture(avatar))


@pytest.mark.parametrize("when", [0, 5, CONFIG.silhouette_rounds + 2])
def test_stop_leaves_at_once(when: int) -> None:
    calls: list[int] = []

    def stop(done: int, *_: object) -> None:
        calls.append(done)
        if done >= when:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        AvatarStage(CONFIG).run(tiny_subject(96, 128), small_clip(), stop)
    assert calls[-1] == when and len(calls) == when + 1


def test_front_picture_is_the_person_over_white() -> None:
    avatar = tiny_avatar(2000, width=96, height=128)
    picture = front_picture(avatar)
    assert picture.shape == (128, 96, 3) and picture.dtype == np.uint8
    assert (picture[0, 0] == 255).all() and (picture < 200).any()
