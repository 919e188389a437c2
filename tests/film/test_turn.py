"""Poses brought nearer to the pictures: which corrections are believed, and with what avatar."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from svad.film.turn import (
    EACH,
    EVERY,
    FEW,
    HEIGHT,
    SMALL,
    alike,
    made_small,
    seen_poses,
    thinned,
    turning_poses,
)
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.splat.render import render
from svad.types import Avatar, Clip, Pose
from tests.helpers import tiny_avatar, tiny_pose, tiny_subject

COUNT = 21


def poses(count: int = COUNT) -> Pose:
    turned = Pose.cat([tiny_pose()] * count)
    turned.rotations[:, 0, 1] = torch.linspace(-2.5, 2.5, count)
    return turned


def corrected(before: Pose, yaw: torch.Tensor, shift: float = 0.0) -> Pose:  # yaw [K] radians
    up = torch.stack([0 * yaw, yaw, 0 * yaw], 1)
    rotations = before.rotations.clone()
    rotations[:, 0] = matrix_to_axis_angle(rodrigues(up) @ rodrigues(before.rotations[:, 0]))
    return Pose(rotations, before.translation + shift, before.expression)


def yaw_between(before: Pose, after: Pose) -> np.ndarray:  # [T] radians
    turn = rodrigues(after.rotations[:, 0]) @ rodrigues(before.rotations[:, 0]).transpose(-1, -2)
    return matrix_to_axis_angle(turn)[:, 1].numpy()


def test_a_correction_that_went_astray_follows_its_neighbours() -> None:
    before, rows = poses(), list(range(0, COUNT, 2))
    turns = torch.full((len(rows),), 0.05)
    turns[4], turns[9] = -0.7, 0.9
    found = corrected(before[rows], turns, 0.02)
    found.translation[4] += 0.5
    after = alike(before, found, rows)
    assert yaw_between(before, after) == pytest.approx(0.05, abs=1e-5)
    assert (after.translation - before.translation).numpy() == pytest.approx(0.02, abs=1e-6)
    assert torch.equal(after.rotations[:, 1:], before.rotations[:, 1:])


def test_corrections_that_grow_are_followed_between_the_rows_too() -> None:
    before, rows = poses(), list(range(0, COUNT, 4))
    slope = torch.linspace(0, 0.1, COUNT)
    after = alike(before, corrected(before[rows], slope[rows]), rows)
    inside = slice(8, 13)  # at the ends a median of a slope is flat
    assert yaw_between(before, after)[inside] == pytest.approx(slope[inside].numpy(), abs=1e-4)
    assert yaw_between(before, after).max() <= 0.1 + 1e-4


def alpha(avatar: Avatar) -> np.ndarray:  # [H, W]
    g = avatar.gaussians
    ahead = replace(g, means=g.means + torch.tensor([0, 0, -4.0]))
    return render(ahead, avatar.camera).alpha[0].numpy()


def test_a_thinned_avatar_has_the_same_outline() -> None:
    avatar = tiny_avatar(24_000)
    few = thinned(avatar, 8000)
    assert len(few.gaussians) == len(few.joint_ids) == 8000
    whole, thin = alpha(avatar) > 0.5, alpha(few) > 0.5
    # round splats that are 1.7 times as large stand out by a third of a pixel
    assert (whole & thin).sum() / (whole | thin).sum() > 0.93
    inner = cv2.erode(whole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert thin[inner].mean() > 0.999  # no holes


def test_an_avatar_of_few_splats_is_not_thinned() -> None:
    avatar = tiny_avatar(300)
    same = thinned(avatar, 5000)
    assert len(same.gaussians) == 300
    assert torch.allclose(same.gaussians.scales, avatar.gaussians.scales.sort(0).values)


def clip(count: int, start: bool = True) -> Clip:
    avatar = tiny_avatar(200)
    size = (count, avatar.camera.height, avatar.camera.width)
    return Clip(
        rgb=np.zeros((*size, 3), np.uint8),
        matte=np.zeros(size, np.uint8),
        poses=poses(count),
        cameras=(avatar.camera,) * count,
        weight=np.ones(count, np.float32),
        yaw=np.zeros(count, np.float32),
        start=avatar if start else None,
    )


class Recorder:
    """Turns every root by a little more than the call before."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int]] = []

    def __call__(self, avatar, clip, report, *, steps, rate) -> Pose:
        self.calls.append((len(clip.rgb), clip.rgb.shape[1], steps))
        report(1, 1, "refined")
        return corrected(clip.poses, torch.full((len(clip.poses),), 0.03))


class Learner:
    """Turns every root by a little, too; notes what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int, int]] = []

    def __call__(self, avatar, subject, clip, report, *, steps) -> Pose:
        self.calls.append((len(clip.rgb), clip.rgb.shape[1], len(avatar.gaussians), steps))
        report(1, 1, "learned")
        return corrected(clip.poses, torch.full((len(clip.poses),), 0.04))


def test_a_clip_is_drawn_at_first_and_then_learned() -> None:
    told: list[int] = []
    filmed, refine, learner = clip(COUNT), Recorder(), Learner()
    subject = tiny_subject()
    found = turning_poses(filmed, subject, refine, learner, lambda done, *_: told.append(done))
    assert [call[:2] for call in refine.calls] == [(len(range(0, COUNT, EVERY)), SMALL)]
    assert learner.calls == [(COUNT, SMALL, min(FEW, 200), EACH * COUNT)]
    assert yaw_between(filmed.poses, found) == pytest.approx(0.07, abs=1e-4)
    assert told == [150, 1000]


def test_photos_are_drawn_once() -> None:
    refine = Recorder()
    seen_poses(clip(4), refine, lambda *_: None)
    assert [call[:2] for call in refine.calls] == [(4, HEIGHT)]


def test_without_a_first_guess_the_poses_stay() -> None:
    filmed, refine, learner = clip(4, start=False), Recorder(), Learner()
    assert seen_poses(filmed, refine, lambda *_: None) is filmed.poses
    assert turning_poses(filmed, tiny_subject(), refine, learner, lambda *_: None) is filmed.poses
    assert not refine.calls and not learner.calls


def test_pictures_are_never_enlarged() -> None:
    filmed = clip(2)
    small = made_small(filmed, HEIGHT)
    assert small.rgb.shape == (2, HEIGHT, 162, 3) and small.matte.shape == (2, HEIGHT, 162)
    assert small.cameras[0].focal[0] / filmed.cameras[0].focal[0] == pytest.approx(HEIGHT / 256)
    assert made_small(small, HEIGHT).rgb.shape == small.rgb.shape
