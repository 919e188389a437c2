"""Builders of the stages: what of other rooms each gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from svad.config.preset import BUILT_IN, Preset
from svad.run.bodies import load_body
from svad.run.makers.networks import face_networks, head_networks
from svad.run.makers.on_gpu import generate_on_gpu, refine_on_gpu, train_on_gpu
from svad.types import Avatar, Clip, Footage, Photo, Pose, Report, Subject

if TYPE_CHECKING:
    import numpy as np

    from svad.avatar.stage import AvatarStage
    from svad.body.model import BodyModel
    from svad.diffusion.follow import FollowStage
    from svad.film.stage import FilmStage
    from svad.footage.follow import Follower
    from svad.footage.stage import FootageStage
    from svad.identity.stage import IdentityStage
    from svad.relief.stage import ReliefStage
    from svad.restoration.stage import RestorationStage
    from svad.subject.closer import Closer
    from svad.subject.look import Look
    from svad.subject.stage import SubjectStage

Settings = TypeVar("Settings")
STRIP = 1600  # px, width of the picture of all chosen frames


class VideoStage(Protocol):
    """A stage that makes a clip of the first guess of the avatar, if there is one."""

    def run(self, subject: Subject, start: Avatar | None, report: Report, /) -> Clip:
        """The clip; raises `MissingFile`."""
        ...


def look(preset: Preset) -> Callable[[Photo], Look]:
    """The quick look at a photo that comes before any stage."""
    from svad.subject.dwpose import best_detector
    from svad.subject.look import look

    detector = cache(best_detector)
    return lambda photo: look(photo, preset.subject, detector())


def read_photo(photo: Path | bytes) -> Photo:
    """A decoded photo; raises `PhotoError` if it cannot be used."""
    from svad.subject.checks import read_photo

    return read_photo(photo)


def footage(preset: Preset) -> FootageStage:
    """The stage that chooses pictures of a clip, or of several photos, and looks at each."""
    from svad.footage.stage import FootageStage
    from svad.subject.eyes import Eyes

    return FootageStage(_given(preset.footage), Eyes)


def strip() -> Callable[[Footage], np.ndarray]:
    """What draws the chosen pictures beside each other, with what is seen in them."""
    from svad.footage.strip import strip

    return partial(strip, width=STRIP)


def film(preset: Preset) -> FilmStage:
    """The stage that follows the person through the pictures."""
    from svad.avatar.train.poses import refine_poses
    from svad.avatar.train.together import poses_together
    from svad.film.stage import FilmStage

    body = load_body(preset.body)
    return FilmStage(_given(preset.film), body, refine_poses, poses_together)


def motion_watcher() -> tuple[Follower, Closer, Callable]:
    """What follows a person through a clip, looks at hands and face, and reads the fingers."""
    from svad.footage.follow import Follower
    from svad.subject.closer import closer, finger_reader
    from svad.subject.eyes import Eyes

    return Follower(Eyes()), closer(), finger_reader


def motion_body() -> BodyModel:
    """The body on which motions are tracked: the built-in one, of mean shape."""
    return load_body(BUILT_IN)


def subject(preset: Preset) -> SubjectStage:
    """The stage that finds the person in the photo."""
    from svad.subject.dwpose import best_detector
    from svad.subject.stage import SubjectStage

    return SubjectStage(preset.subject, load_body(preset.body), best_detector)


def warm_up() -> None:
    """Loads what the first photo of a process would wait for: models, then compiled loops.

    For a thread beside that which builds the stage: models mostly leave the interpreter free.
    """
    from svad.subject.landmarker import shared_landmarker

    shared_landmarker().warm_up()
    from svad.splat import render_cpu

    render_cpu.warm_up()
    for module in ("scipy.interpolate", "svad.relief.stage"):  # curves of motions, the next stage
        import_module(module)


def relief(preset: Preset) -> ReliefStage:
    """The stage that makes the first clip and the first guess of the avatar."""
    from svad.relief.stage import ReliefStage

    return ReliefStage(replace(preset.relief, seed=preset.seed), load_body(preset.body))


@dataclass(frozen=True)
class FromGuess:
    """The video stage among the stages that take a clip: it starts from the clip's first guess."""

    stage: VideoStage

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        """The generated frames take the place of the clip's."""
        return self.stage.run(subject, clip.start, report)


def diffusion(preset: Preset) -> FromGuess:
    """The stage that turns the person around; its networks run where the GPU is."""
    from svad.diffusion.stage import DiffusionStage
    from svad.subject.frames import frame_reader

    frames = partial(generate_on_gpu, preset)
    body = load_body(preset.body)
    return FromGuess(DiffusionStage(_given(preset.diffusion), body, frames, frame_reader()))


def follow(preset: Preset) -> FollowStage:
    """The video model moved by a clip of the person's own."""
    from svad.diffusion.follow import FollowStage
    from svad.pose.detect import DwPose
    from svad.subject.dwpose import shared_dwpose

    network = shared_dwpose() or DwPose.load()  # the latter says which file is missing
    frames = partial(generate_on_gpu, preset)
    return FollowStage(_given(preset.diffusion), frames, network.follow)


def identity(preset: Preset) -> IdentityStage:
    """The stage that keeps the photo's face."""
    from svad.identity.stage import IdentityStage
    from svad.subject.landmarker import shared_landmarker

    points = shared_landmarker().face_points
    settings, body = _given(preset.identity), load_body(preset.body)
    return IdentityStage(settings, head_networks(), body, points)


def restoration(preset: Preset) -> RestorationStage:
    """The stage that restores detail."""
    from svad.restoration.stage import RestorationStage

    settings, body = _given(preset.restoration), load_body(preset.body)
    return RestorationStage(settings, body, face_networks())


def avatar(preset: Preset) -> AvatarStage:
    """The stage that makes the avatar; its training runs where the GPU is."""
    from svad.avatar.stage import AvatarStage

    settings = preset.avatar
    if settings.train is None:
        return AvatarStage(settings)
    body = load_body(preset.body) if settings.train.start == "body" else None
    return AvatarStage(settings, partial(train_on_gpu, preset), body)


def refine() -> Callable[[Avatar, Clip, Report], Pose]:
    """What brings a clip's poses nearer to its frames, the avatar left as it is."""
    return refine_on_gpu


def _given(settings: Settings | None) -> Settings:
    assert settings is not None  # a preset without them leaves the stage out: nobody builds it
    return settings
