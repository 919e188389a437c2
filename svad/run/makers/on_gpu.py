"""Work that is sent to where the GPU is, and the seconds that it asks for."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from svad.compute import engine
from svad.compute.device import device, on_zero
from svad.config.avatar import TrainConfig
from svad.config.diffusion import DiffusionConfig
from svad.config.preset import Preset
from svad.config.presets import training
from svad.run.learned import MACHINE, call_name, to_ask
from svad.run.makers.networks import perceptual, video_networks
from svad.types import Avatar, Clip, Pose, Report, Subject

if TYPE_CHECKING:
    import numpy as np

    from svad.avatar.train.trainer import Trained
    from svad.diffusion.generate import Request

REFINING = 1.0  # seconds of a GPU for the pose of one frame
FILLS = ("avatar",)  # stages that go on for as long as their call may take
MARGIN = 8  # seconds of a GPU call that a training leaves for its last checkpoint and the way back


def asked_seconds(stage: str, preset: Preset) -> int:
    """GPU seconds that a stage of a preset asks for in one call, as this machine has learned."""
    usual = preset.gpu_seconds.get(stage, engine.DEFAULT_SECONDS)
    return to_ask(MACHINE.runs(call_name(preset.name, stage)), usual, stage in FILLS)


def train_on_gpu(
    preset: Preset,
    avatar: Avatar,
    subject: Subject,
    clip: Clip,
    report: Report,
    checkpoint: Path | None,
    key: str,
) -> Trained:
    """A training, or as much of it as fits in the seconds that are asked for."""
    seconds = asked_seconds("avatar", preset)
    return engine.run(
        _train, preset, avatar, subject, clip, checkpoint, key, seconds,
        seconds=seconds, report=report,
    )  # fmt: skip


def _train(
    preset: Preset,
    avatar: Avatar,
    subject: Subject,
    clip: Clip,
    checkpoint: Path | None,
    key: str,
    seconds: int,
    *,
    report: Report,
) -> Trained:
    from svad.avatar.train.trainer import Trainer

    place, started = device(), time.monotonic()
    config = _training_here(preset, place.type == "cuda")
    wanted = config.lpips > 0 and place.type == "cuda"  # on a CPU it would take most of the time
    loss = perceptual()(report) if wanted else None
    trainer = Trainer(
        avatar.to(place), subject, clip, config, checkpoint=checkpoint, key=key,
        lpips=None if loss is None else loss.network,
    )  # fmt: skip
    limited = on_zero() and checkpoint is not None
    trained = trainer.run(report, started + seconds - MARGIN if limited else None)
    return trained if loss is None else replace(trained, note=trained.note or loss.note)


def _training_here(preset: Preset, gpu: bool) -> TrainConfig:
    train = training(preset, gpu)
    assert train is not None  # a preset without it has no training that could be sent here
    return replace(train, seed=preset.seed)


def refine_on_gpu(avatar: Avatar, clip: Clip, report: Report) -> Pose:
    """The refined poses of a clip, computed where the GPU is; for measuring."""
    seconds = MARGIN + round(REFINING * len(clip.rgb))
    return engine.run(_refine, avatar, clip, seconds=seconds, report=report)


def _refine(avatar: Avatar, clip: Clip, *, report: Report) -> Pose:
    from svad.avatar.train.poses import refine_poses

    return refine_poses(avatar.to(device()), clip, report).to("cpu")


def generate_on_gpu(
    preset: Preset, request: Request, report: Report
) -> np.ndarray:  # [T, H, W, 3] uint8
    """The frames; only the networks' part of the stage costs GPU seconds."""
    return engine.run(
        _generate, preset.diffusion, preset.seed, request,
        seconds=asked_seconds("diffusion", preset), report=report,
    )  # fmt: skip


def _generate(
    config: DiffusionConfig, seed: int, request: Request, *, report: Report
) -> np.ndarray:
    from svad.diffusion.generate import generate

    return generate(video_networks(), config, request, report, seed)
