"""What is measured: the stages that understand the photo, and the ways to make its avatar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from svad.avatar.train.poses import refine_poses
from svad.config.avatar import GENERATED, AvatarConfig, TrainConfig
from svad.config.film import FilmConfig
from svad.config.presets import CLIP, PREVIEW
from svad.evaluate.truth import Look, Truth
from svad.media.images import to_float, to_uint8
from svad.run.holdout import learnable
from svad.run.stages import stage
from svad.types import Avatar, Clip, Footage, Photo, Pose, Report, Source, Subject

HOLDOUT = 5  # every so many frames of a film are kept from the training
STUDIO = 0.68  # grey level of the paper behind the person in the photo


@dataclass(frozen=True)
class Methods:
    """The callables that a measurement is made of."""

    understand: Callable[[Photo, Report], tuple[Subject, Avatar]]  # subject, first guess
    closed: Callable[[Subject, Clip, Report], Avatar]  # colours in closed form
    train: Callable[[Avatar, Subject, Clip, Report], Avatar]  # from the closed form's avatar
    refine: Callable[[Avatar, Clip, Report], Pose]  # poses of a clip's frames, avatar frozen


def methods(frames: str, steps: int | None = None) -> Methods:
    """The pipeline's own for frames of a kind; `steps` of the training, None = its default."""
    train = GENERATED if frames == "generated" else TrainConfig()
    train = train if steps is None else replace(train, steps=steps)
    preset = replace(PREVIEW, avatar=replace(PREVIEW.avatar, train=train))
    trained = stage("avatar").made(preset)
    return Methods(
        understand=understand,
        closed=closed,
        train=trained.trained,  # pyright: ignore[reportAttributeAccessIssue]
        refine=refine_poses,
    )


def studio_photo(truth: Truth | Look) -> Photo:
    """The photo that the pipeline gets: the person before plain grey paper."""
    white, alpha = to_float(truth.photo.rgb[0]), to_float(truth.photo.matte[0])[..., None]
    grey = np.float32(STUDIO)
    return Photo(to_uint8(white - (1 - alpha) * (1 - grey)), None)


def understand(photo: Photo, report: Report) -> tuple[Subject, Avatar]:
    """The subject, and the first guess of the avatar; raises `PhotoError`."""
    subject = stage("subject").made(PREVIEW).run(photo, report)
    clip = stage("relief").made(PREVIEW).run(subject, report)
    return subject, clip.start


def closed(subject: Subject, clip: Clip, report: Report) -> Avatar:
    """The avatar in closed form, its other sides coloured from all frames of the clip."""
    from svad.avatar.stage import AvatarStage

    return AvatarStage(AvatarConfig(frames=len(clip.rgb) - 1)).run(subject, clip, report)


@dataclass(frozen=True)
class LookMethods:
    """The callable that the measurement of one picture is made of."""

    preview: Callable[[Photo, Report], tuple[Subject, Avatar]]


def look_methods() -> LookMethods:
    """The pipeline's own preview."""
    finish = stage("avatar").made(PREVIEW).run

    def preview(photo: Photo, report: Report) -> tuple[Subject, Avatar]:
        subject = stage("subject").made(PREVIEW).run(photo, report)
        clip = stage("relief").made(PREVIEW).run(subject, report)
        return subject, finish(subject, clip, report)

    return LookMethods(preview)


@dataclass(frozen=True)
class ClipMethods:
    """The callables that the measurement of a clip is made of: the stages of the preset `clip`."""

    footage: Callable[[Source, Report], Footage]
    understand: Callable[[Photo, Report], Subject]
    relief: Callable[[Subject, Report], Clip]
    preview: Callable[[Subject, Clip, Report], Avatar]  # of the front picture alone
    film: Callable[[Subject, Footage, Clip, Report], Clip]
    train: Callable[[Subject, Clip, Report], Avatar]  # held-out frames do not count
    refine: Callable[[Avatar, Clip, Report], Pose]  # poses of a clip's frames, avatar frozen
    held_out: Callable[[int], list[int]]  # rows of a film of so many frames


def clip_methods(
    frames: int | None = None,  # chosen of a clip; None = the preset's own
    steps: int | None = None,  # of the training; None = the preset's own
    holdout: int = HOLDOUT,
) -> ClipMethods:
    """The pipeline's own, with every so many frames kept from the training."""
    preset = CLIP
    assert preset.footage is not None and preset.avatar.train is not None  # it is the clip's
    film = FilmConfig(holdout=holdout)
    footage = preset.footage if frames is None else replace(preset.footage, frames=frames)
    train = preset.avatar.train if steps is None else replace(preset.avatar.train, steps=steps)
    avatar = replace(preset.avatar, train=train)
    preset = replace(preset, footage=footage, film=film, avatar=avatar)
    stages = {name: stage(name).made(preset) for name in ("footage", "subject", "relief", "film")}
    trained = stage("avatar").made(preset)
    return ClipMethods(
        footage=stages["footage"].run,
        understand=stages["subject"].run,
        relief=stages["relief"].run,
        preview=stage("avatar").made(PREVIEW).run,
        film=stages["film"].run,
        train=lambda subject, clip, report: trained.run(subject, learnable(clip, film), report),
        refine=refine_poses,
        held_out=film.held_out,
    )
