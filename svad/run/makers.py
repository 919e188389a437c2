"""How the stages of a preset are built: what each gets, and what of it runs on the GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from svad.compute import engine as gpu
from svad.config import DiffusionConfig, Preset
from svad.types import Clip, Report, Subject

if TYPE_CHECKING:
    import numpy as np

    from svad.diffusion.generate import Request
    from svad.diffusion.models import Models
    from svad.weights.lazy import LazyNetworks

Maker = Callable[[], Any]  # builds a stage; called once, when the stage is first needed


@dataclass(frozen=True)
class OnGpu:
    """A stage that betters a clip and runs as a whole where the GPU is."""

    name: str
    preset: Preset

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        return gpu.run(
            _better_frames, self.name, getattr(self.preset, self.name), subject, clip,
            seconds=gpu.seconds(self.name, self.preset.name), report=report,
        )  # fmt: skip


def stage_makers(preset: Preset) -> dict[str, Maker]:
    """How the stages of a preset are built; nothing heavy is imported before one is."""

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

    def follow() -> Any:
        from svad.diffusion.follow import FollowStage
        from svad.pose.detect import DwPose
        from svad.subject.dwpose import shared_dwpose

        network = shared_dwpose() or DwPose.load()  # the latter says which file is missing
        return FollowStage(preset.diffusion, partial(generate_on_gpu, preset), network.follow)

    def avatar() -> Any:
        from svad.avatar.stage import AvatarStage

        return AvatarStage(preset.avatar)

    def package() -> Any:
        from svad.export.stage import PackageStage

        return PackageStage(preset.package)

    return {
        "look": look,
        "subject": subject,
        "relief": relief,
        "diffusion": diffusion,
        "identity": lambda: OnGpu("identity", preset),
        "restoration": lambda: OnGpu("restoration", preset),
        "follow": follow,
        "avatar": avatar,
        "package": package,
    }


@cache
def body() -> Any:
    """The default body of this process."""
    from svad.body.free import load_free_body

    return load_free_body()


def _better_frames(name: str, config: Any, subject: Subject, clip: Clip, *, report: Report) -> Clip:
    return frame_stage(name, config).run(subject, clip, report)


@cache
def frame_stage(name: str, config: Any) -> Any:
    """The stage `identity` or `restoration` of this process; its networks stay between runs."""
    if name == "identity":
        from svad.identity.stage import IdentityStage
        from svad.subject.landmarker import shared_landmarker

        return IdentityStage(config, head_networks(), body(), shared_landmarker().face_points)
    from svad.restoration.stage import RestorationStage

    return RestorationStage(config, body(), face_networks())


@cache
def head_networks() -> Any:
    """The head's networks; float16 holds for them where bfloat16 is too coarse."""
    import torch

    from svad import weights
    from svad.identity.models import lazy_models

    on_gpu = gpu.device().type == "cuda"
    return lazy_models(weights.resolve, gpu.device(), torch.float16 if on_gpu else torch.float32)


@cache
def face_networks() -> Any:
    """The restoration networks."""
    from svad import weights
    from svad.restoration.models import lazy_models

    return lazy_models(weights.resolve, gpu.device())


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
def video_networks() -> LazyNetworks[Models]:
    """The video networks of this process, on its device."""
    from svad import weights
    from svad.diffusion.generate import lazy_models

    return lazy_models(weights.resolve, gpu.device(), gpu.half())


def preload(preset: Preset) -> None:
    """Loads what every run of the preset needs on the GPU; before the page is launched.

    Raises `MissingWeights`.
    """
    if preset.diffusion is not None:
        video_networks()()
