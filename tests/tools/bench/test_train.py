"""The figures of the training, on a person small enough for a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from svad.body.skin import pose_gaussians
from svad.config.preset import Preset
from svad.config.presets import PAPER, QUICK
from svad.splat.render import render
from tools.bench import train
from tools.bench.person import body_cloud, frames_of


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PX": 64, "GAUSSIANS": 300, "PUBLISHED": 500, "PREVIEWED": 600, "WARM": 1, "STEPS": 6,
        "CUDA_WARM": 1, "CUDA_STEPS": 6, "FRAMES": 4, "ROUNDS": 2, "RENDERS": 2, "SECONDS": 0.01,
        "CPU": replace(train.CPU, height=64), "PAPER": shrunk(PAPER), "QUICK": shrunk(QUICK),
    }.items():  # fmt: skip
        monkeypatch.setattr(train, name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def shrunk(preset: Preset) -> Preset:
    assert preset.avatar.train and preset.diffusion
    learning = replace(
        preset.avatar.train, steps=8, batch=2, height=64, first_gaussians=200, lpips=0.0
    )
    return replace(
        preset,
        avatar=replace(preset.avatar, train=learning),
        diffusion=replace(preset.diffusion, frames=5, width=64, height=64),
    )


def told(figures: Iterator[dict]) -> list[dict]:
    return [json.loads(json.dumps(figure)) for figure in figures]


def test_figures_of_the_cpu_and_why_there_are_no_others() -> None:
    steps, parts, renders, *others = told(train.run())
    assert (steps["bench"], steps["gaussians"], steps["px"]) == ("train.cpu.steps", 300, 64)
    assert steps["seconds_per_1000"] > 0 and 0.05 < steps["peak_gb"] < 50
    assert all(parts[f"{name}_ms"] > 0 for name in train.PARTS)
    assert renders["renders_per_second"] > 0 and renders["rasteriser"] == "CPU"
    assert [f["skipped"] for f in others] == ["no CUDA device"] * 3


def test_figures_of_a_gpu_are_measured_where_they_are_asked_for() -> None:
    paper, parts, quick, *renders = told(train._on_cuda(torch.device("cpu")))
    assert (paper["pictures"], paper["gaussians"]) == (12_000, 500)
    assert paper["seconds"] > 0 and paper["cutting_seconds"] > 0
    assert all(parts[f"{name}_ms"] > 0 for name in train.PARTS)
    assert (quick["frames"], quick["steps"], quick["gaussians"]) == (5, 8, 600)
    assert 0 < quick["set_up_seconds"] <= quick["seconds"]
    assert [(f["gaussians"], f["batch"]) for f in renders] == [
        (300, 1), (300, 2), (500, 1), (500, 2),
    ]  # fmt: skip


def test_seconds_are_for_the_pictures_that_were_drawn() -> None:
    config = replace(train.CPU, batch=2, photo=0.0, gaussians=300, first_gaussians=300)
    _, pictures = train._steps(train._trainer(config, torch.device("cpu")), 1, 3)
    assert pictures == 6


def test_the_person_is_a_closed_shape_and_unlike_the_first_guess() -> None:
    avatar = body_cloud(4000, 96, 96)
    subject, clip = frames_of(avatar, 4)
    with torch.no_grad():
        drawn = render(pose_gaussians(avatar, avatar.pose[0]), avatar.camera)
    alpha = drawn.alpha[0].numpy()
    inside = subject.matte > 250
    assert 0.05 < inside.mean() < 0.4 and (alpha[inside] > 0.9).mean() > 0.95
    tall = inside.any(1).nonzero()[0]
    assert 0.75 < (tall[-1] - tall[0] + 1) / 96 < 0.9
    apart = abs(drawn.image[0].numpy()[inside] - subject.photo.rgb[inside] / 255).mean()
    assert 0.02 < apart < 0.2
    assert (clip.rgb[0] != clip.rgb[2]).any() and len(clip.rgb) == len(clip.poses) == 4
