"""How the stages of a preset are built: what each gets, and what of it runs on the GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from svad import gpu
from svad.config import DiffusionConfig, Preset
from svad.types import Report

if TYPE_CHECKING:
    import numpy as np

    from svad.diffusion.generate import Networks, Request

Maker = Callable[[], Any]  # builds a stage; called once, when the stage is first needed


def stage_makers(preset: Preset) -> dict[str, Maker]:
    """How the stages of a preset are built; nothing heavy is imported before one is."""

    @cache
    def body() -> Any:
        from svad.body.free import load_free_body

        return load_free_body()

    @cache
    def detector() -> Any:
        from svad.subject.dwpose import best_detector

        return best_detector()

    def look() -> Any:
        from svad.subject.look import look

        return lambda photo: look(photo, preset.subject, detector())

    def subject() -> Any:
        from svad.subject.stage import SubjectStage

        return SubjectStage(preset.subject, body(), detector)

    def relief() -> Any:
        from svad.relief.stage import ReliefStage

        return ReliefStage(replace(preset.relief, seed=preset.seed), body())

    def diffusion() -> Any:
        from svad.diffusion.stage import DiffusionStage
        from svad.subject.frames import frame_reader

        frames = partial(generate_on_gpu, preset)
        return DiffusionStage(preset.diffusion, body(), frames, frame_reader())

    def avatar() -> Any:
        from svad.avatar.stage import AvatarStage

        return AvatarStage(preset.avatar)

    def package() -> Any:
        from svad.package.stage import PackageStage

        return PackageStage(preset.package)

    return {
        "look": look,
        "subject": subject,
        "relief": relief,
        "diffusion": diffusion,
        "avatar": avatar,
        "package": package,
    }


def generate_on_gpu(preset: Preset, request: Request, report: Report) -> np.ndarray:
    """Frames [T, H, W, 3] uint8; only the networks' part of the stage costs GPU seconds."""
    return gpu.run(
        _generate, preset.diffusion, preset.seed, request,
        seconds=gpu.seconds("diffusion", preset.name), report=report,
    )  # fmt: skip


def _generate(
    config: DiffusionConfig, seed: int, request: Request, *, report: Report
) -> np.ndarray:
    from svad.diffusion.generate import generate

    return generate(video_networks(), config, request, report, seed)


@cache
def video_networks() -> Networks:
    """The video networks of this process, on its device."""
    from svad import weights
    from svad.diffusion.generate import Networks

    return Networks(weights.resolve, gpu.device(), gpu.half())


def preload(preset: Preset) -> None:
    """Loads what every run of the preset needs on the GPU; before the page is launched.

    Raises `MissingWeights`.
    """
    if preset.diffusion is not None:
        video_networks().load(lambda *_: None)
