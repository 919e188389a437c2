"""Frames kept from the training: which, and what an avatar that is right or wrong scores there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.avatar.train.poses import refine_poses
from svad.config.film import FilmConfig
from svad.geometry.camera import photo_camera
from svad.media.images import read_rgb
from svad.run import holdout
from svad.types import Clip, Pose, Source
from tests.fakes import FakeStages
from tests.helpers import tiny_avatar, tiny_subject

HEIGHT = 64
FOUR = Source(photos=(tiny_subject().photo,) * 4)
CLIP_SOURCE = Source(clip=Path("turn.mp4"))


def film(count: int = 4, height: int = HEIGHT) -> Clip:
    """The tiny avatar, drawn in its own pose; the first is the front."""
    avatar = tiny_avatar(1500)
    camera = photo_camera(height, height)
    clip = Clip(
        rgb=np.zeros((count, height, height, 3), np.uint8),
        matte=np.full((count, height, height), 255, np.uint8),
        poses=Pose.cat([avatar.pose] * count),
        cameras=(camera,) * count,
        weight=np.array([1.0] + [0.7] * (count - 1), np.float32),
        yaw=np.linspace(0, np.pi, count, dtype=np.float32),
        start=avatar,
    )
    return replace(clip, rgb=holdout.pictures(avatar, clip))


def test_what_is_held_out_weighs_nothing_for_the_training_only() -> None:
    clip = film()
    seen = holdout.learnable(clip, FilmConfig(holdout=2))
    assert seen.weight.tolist() == pytest.approx([1, 0.7, 0, 0.7]) and clip.weight[2] > 0.6
    assert holdout.learnable(clip, None) is clip is holdout.learnable(clip, FilmConfig())


def test_an_avatar_that_is_right_is_told_from_one_that_is_shifted(tmp_path: Path) -> None:
    clip = film()
    moved = replace(clip.poses, translation=clip.poses.translation + torch.tensor([0.04, 0, 0]))
    wrong = replace(clip, poses=moved)
    footage = FakeStages(0).footage(FOUR, lambda *_: None)
    paths = holdout.measure(clip.start, wrong, footage, [2, 3], tmp_path / "holdout", refine_poses)
    table = json.loads(paths[-1].read_text())
    assert table["mean"]["refined"]["psnr"] > table["mean"]["unrefined"]["psnr"] + 3
    assert table["mean"]["refined"]["ssim"] > table["mean"]["unrefined"]["ssim"]
    first = table["frames"][0]
    assert first["frame"] == 2 and first["time"] is None and first["weight"] == 0.7
    assert first["yaw_degrees"] == 120.0
    assert f"{table['mean']['refined']['psnr']:.1f} dB" in holdout.said(tmp_path)
    assert holdout.said(tmp_path / "holdout") == ""
    truth = read_rgb(tmp_path / "holdout" / "truth_000.png")
    assert np.array_equal(truth, clip.rgb[2])


def test_a_frame_is_seen_through_its_matte_over_white() -> None:
    clip = film(1)
    half = clip.matte.copy()
    half[:, :, : HEIGHT // 2] = 0
    white = holdout.over_white(replace(clip, matte=half))
    assert (white[0, :, : HEIGHT // 2] == 255).all()
    assert np.array_equal(white[0, :, HEIGHT // 2 :], clip.rgb[0, :, HEIGHT // 2 :])


def test_large_frames_are_compared_at_one_height() -> None:
    clip = film(1, 600)
    found = holdout.compare(clip.start, clip, lambda avatar, clip, report: clip.poses)
    assert found.truth.shape == (1, 540, 540, 3) == found.drawn["refined"].shape
    assert found.scores["refined"][0]["psnr"] > 25  # but for the resampling, the same picture


def test_frames_without_anybody_are_left_out(tmp_path: Path) -> None:
    clip = film()
    clip.matte[2] = 0
    footage = FakeStages(0).footage(FOUR, lambda *_: None)
    same = lambda avatar, clip, report: clip.poses  # noqa: E731
    paths = holdout.measure(clip.start, clip, footage, [2, 3], tmp_path, same)
    assert paths[0].name == "truth_000.png" and len(paths) == 4
    assert holdout.measure(clip.start, clip, footage, [2], tmp_path, same) == []


@pytest.mark.parametrize("front", [0, 2])
def test_times_follow_the_films_order(front: int) -> None:
    fakes = FakeStages(0)
    fakes.frames = 4
    footage = replace(fakes.footage(CLIP_SOURCE, lambda *_: None), front=front)
    own = [0.0, 0.5, 1.0, 1.5]
    others = [t for k, t in enumerate(own) if k != front]
    assert holdout.times_of(footage) == [own[front], *others]
