"""Timings of the training: a thousand pictures on the CPU, the presets on CUDA, posed renders."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from svad.avatar.model.learned import Learned
from svad.avatar.train.poses import L1, SSIM
from svad.avatar.train.trainer import EVERY, Trainer
from svad.avatar.train.views import make_view, over
from svad.compute.device import device as chosen_device
from svad.config.avatar import TrainConfig
from svad.config.preset import Preset
from svad.config.presets import PAPER, QUICK
from svad.learn.ssim import photometric
from svad.splat.rasterisers import NAMES, backend_for
from svad.splat.render import render
from svad.types import Clip, Pose
from tools.bench.person import body_cloud, frames_of

PX = 512
GAUSSIANS, PUBLISHED = 54_000, 167_000  # of a body that is learned, and of the published one
PREVIEWED = 250_000  # about what a preview begins with
CPU = TrainConfig(steps=10_000, height=PX, small_until=0.0, holdout=0)  # of the largest size
WARM, STEPS = 12, 120  # steps on the CPU before and while the clock runs
CUDA_WARM, CUDA_STEPS = 20, 150
PICTURES = 12_000  # of the published training
FRAMES = 24  # drawn for a part of a training; a whole one gets its preset's number
ROUNDS = 12  # of each part of a step
RENDERS, SECONDS = 8, 2.0  # poses in one call on CUDA; spent on one figure at least
PARTS = ("pose", "draw", "loss", "backward", "regularisers", "adam")


def run() -> Iterator[dict[str, Any]]:
    """One dict per figure; peak memory is the process's, so ask for this group alone."""
    yield from _on_cpu()
    if not torch.cuda.is_available():
        for name in ("paper", "quick", "renders"):
            yield {"bench": f"train.cuda.{name}", "skipped": "no CUDA device"}
        return
    place = chosen_device()
    yield from _on_cuda(place)


def _on_cpu() -> Iterator[dict[str, Any]]:
    place = torch.device("cpu")
    trainer = _trainer(replace(CPU, gaussians=GAUSSIANS, first_gaussians=GAUSSIANS), place)
    seconds, pictures = _steps(trainer, WARM, STEPS)
    yield {
        **_who("train.cpu.steps", place), "gaussians": GAUSSIANS, "px": PX,
        "seconds_per_1000": round(1000 * seconds / pictures, 1), "peak_gb": _peak(),
    }  # fmt: skip
    yield {**_who("train.cpu.parts", place), "gaussians": GAUSSIANS, "px": PX, **_parts(trainer, 1)}
    yield {**_who("train.cpu.renders", place), **_renders(trainer.learned, trainer.poses.poses, 1)}


def _on_cuda(place: torch.device) -> Iterator[dict[str, Any]]:
    paper = _config(PAPER)
    config = replace(
        paper, steps=paper.steps * 10, gaussians=PUBLISHED, first_gaussians=PUBLISHED,
        small_until=0.0, holdout=0,
    )  # fmt: skip
    trainer = _trainer(config, place, FRAMES)
    cut = _cutting(trainer, config)  # before, so that the steps find their pictures cut
    seconds, pictures = _steps(trainer, CUDA_WARM, CUDA_STEPS)
    yield {
        **_who("train.cuda.paper", place), "gaussians": PUBLISHED, "px": config.height,
        "batch": config.batch, "pictures": PICTURES,
        "seconds": round(PICTURES * seconds / pictures, 2),
        "cutting_seconds": round(_frames(PAPER) * cut, 3), "gpu_peak_gb": _gpu_peak(),
    }  # fmt: skip
    yield {
        **_who("train.cuda.parts", place), "gaussians": PUBLISHED, "px": config.height,
        **_parts(trainer, config.batch),
    }  # fmt: skip
    del trainer
    yield _quick(place)
    for count in (GAUSSIANS, PUBLISHED):
        avatar = body_cloud(count, PX, PX)
        _, clip = frames_of(avatar, FRAMES, place)
        learned, poses = Learned.of(avatar.to(place), CPU.coefficients), clip.poses.to(place)
        for batch in (1, RENDERS):
            figures = _renders(learned, poses, batch)
            yield {**_who("train.cuda.renders", place), "batch": batch, **figures}


def _quick(place: torch.device) -> dict[str, Any]:
    """The whole training of the preset, cutting of its pictures and thinning included."""
    config, count = _config(QUICK), _frames(QUICK)
    width, height = _size(QUICK)
    avatar = body_cloud(PREVIEWED, width, height)
    subject, clip = frames_of(avatar, count, place)
    begun = _now()
    trainer = Trainer(avatar.to(place), subject, clip, config)
    set_up = _now() - begun
    trained = trainer.run()
    return {
        **_who("train.cuda.quick", place), "gaussians": PREVIEWED, "px": config.height,
        "frames": count, "steps": trained.steps, "seconds": round(_now() - begun, 2),
        "set_up_seconds": round(set_up, 3),
    }  # fmt: skip


def _trainer(config: TrainConfig, place: torch.device, frames: int = FRAMES) -> Trainer:
    """At its full size from the beginning."""
    avatar = body_cloud(config.gaussians, config.height, config.height)
    subject, clip = frames_of(avatar, frames, place)
    return Trainer(avatar.to(place), subject, clip, config)


def _steps(trainer: Trainer, warm: int, steps: int) -> tuple[float, int]:
    """Seconds of the steps after the first ones, and the pictures drawn in them."""
    draw, drawn = trainer.pictures.draw_lots, []

    def counted(random: np.random.Generator, part: float) -> tuple[list[int], bool]:
        rows, held = draw(random, part)
        drawn.append(len(rows))
        return rows, held

    trainer.pictures.draw_lots = counted
    for row in range(trainer.pictures.photo + 1):  # cut once, not in every step
        trainer.pictures.views([row], 1)
    for _ in range(warm):
        trainer._once()
    drawn.clear()
    begun = _now()
    for _ in range(steps):
        trainer._once()
    return _now() - begun, sum(drawn)


def _parts(trainer: Trainer, batch: int) -> dict[str, float]:
    """Least milliseconds of each part of a step; regularisers as often as it asks for them."""
    learned, times = trainer.learned, {name: [] for name in PARTS}
    rows = trainer.pictures.frames[:batch]
    views = trainer.pictures.views(rows, 1)
    background = torch.rand(batch, 3, device=learned.values["offsets"].device)
    values = [learned.values[name] for name in trainer.rates]
    often = 1 if batch > 1 else EVERY
    for _ in range(ROUNDS):
        pose, leaves = trainer.poses.leaves(rows)
        ticks = [_now()]
        posed = learned.posed(pose[0] if batch == 1 else pose)
        ticks.append(_now())
        drawn = render(posed, [view.camera for view in views])
        ticks.append(_now())
        image = drawn.image + (1 - drawn.alpha)[..., None] * background[:, None, None]
        loss = photometric(image, over(views, background), L1, SSIM)
        ticks.append(_now())
        found = torch.autograd.grad(loss, [*leaves, *values])[2:]
        ticks.append(_now())
        trainer._regularisers.gradients(learned)
        ticks.append(_now())
        trainer.adam.step(found)
        learned.keep_valid()
        ticks.append(_now())
        for name, first, end in zip(PARTS, ticks, ticks[1:], strict=False):
            times[name].append(1e3 * (end - first))
    least = {name: min(runs) for name, runs in times.items()}
    least["regularisers"] /= often
    return {f"{name}_ms": round(value, 2) for name, value in least.items()}


def _renders(learned: Learned, poses: Pose, batch: int) -> dict[str, Any]:
    """Poses a second, each posed and drawn, in calls of some at a time."""
    camera, count = learned.avatar.camera, len(poses) // batch * batch

    @torch.no_grad()
    def turn() -> None:
        for first in range(0, count, batch):
            pose = poses[first] if batch == 1 else poses[first : first + batch]
            render(learned.posed(pose), [camera] * batch)

    seconds = statistics.median(_repeated(turn)) / count
    return {
        "gaussians": len(learned.avatar.gaussians), "px": camera.height,
        "renders_per_second": round(1 / seconds, 1),
    }  # fmt: skip


def _repeated(function: Callable[[], object]) -> Sequence[float]:
    """Seconds of each run, three at least."""
    function()
    runs: list[float] = []
    while len(runs) < 3 or sum(runs) < SECONDS:
        begun = _now()
        function()
        runs.append(_now() - begun)
    return runs


def _cutting(trainer: Trainer, config: TrainConfig) -> float:
    """Seconds to cut one frame out at both sizes, which is done when it is first drawn."""
    clip: Clip = trainer.pictures._clip
    begun = _now()
    for row in range(len(clip.rgb)):
        for height in (config.height // 2, config.height):
            make_view(clip.rgb[row], clip.matte[row], clip.cameras[row], height)
    return (_now() - begun) / len(clip.rgb)


def _config(preset: Preset) -> TrainConfig:
    assert preset.avatar.train is not None
    return preset.avatar.train


def _frames(preset: Preset) -> int:
    assert preset.diffusion is not None
    return preset.diffusion.frames


def _size(preset: Preset) -> tuple[int, int]:
    assert preset.diffusion is not None
    return preset.diffusion.width, preset.diffusion.height


def _who(name: str, place: torch.device) -> dict[str, Any]:
    on_gpu = place.type == "cuda"
    name_of = torch.cuda.get_device_name() if on_gpu else f"CPU, {os.cpu_count()} cores"
    return {
        "bench": name, "device": name_of, "rasteriser": NAMES[backend_for(place)],
        "threads": torch.get_num_threads(),
    }  # fmt: skip


def _peak() -> float:
    """Most memory that this process has had, GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)


def _gpu_peak() -> float:
    return round(torch.cuda.max_memory_allocated() / 1e9, 2)


def _now() -> float:
    """Seconds, once the GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
