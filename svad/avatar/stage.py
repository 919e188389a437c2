"""Fits the avatar to the photo and the clip: in closed form, then, where asked for, by training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from svad.avatar.closed.colour_balance import tinted
from svad.avatar.closed.colours import confident_frames, fit_frames
from svad.avatar.closed.photo import fit_photo
from svad.avatar.front import front_picture
from svad.avatar.model.body_start import body_start
from svad.avatar.train.head import head_as_frames
from svad.avatar.train.pictures import require_frames
from svad.avatar.train.trainer import Trained
from svad.body.model import BodyModel
from svad.compute.engine import GpuUnavailable
from svad.config.avatar import AvatarConfig
from svad.core.progress import StepCounter, part
from svad.types import Avatar, Clip, Report, Subject

CLOSED = 0.1  # part of the bar for what comes before a training


class Train(Protocol):
    """Trains an avatar, here or where the GPU is; may come back unfinished, to be called again."""

    def __call__(
        self,
        avatar: Avatar,
        subject: Subject,
        clip: Clip,
        report: Report,
        checkpoint: Path | None,
        key: str,
    ) -> Trained:
        """The trained avatar; raises what `Trainer` raises."""
        ...


class AvatarStage:
    """Refines the first guess of the avatar until it looks like the photo and the frames."""

    def __init__(
        self,
        config: AvatarConfig,
        train: Train | None = None,  # needed where the settings have a training
        body: BodyModel | None = None,  # needed where the training starts from the body
    ) -> None:
        self.config, self._train, self._body = config, train, body

    def run(
        self,
        subject: Subject,
        clip: Clip,
        report: Report,
        checkpoint: tuple[Path, str] | None = None,  # where a training goes on, and its key
    ) -> Avatar:
        """The closed form, then the training.

        Raises ValueError for a clip without a first guess (`clip.start`), and `ClipError` where
        there is nothing to train on.
        """
        if self.config.train is None or self._train is None:
            return self.closed(subject, clip, report)
        require_frames(clip)  # before minutes are spent
        steps = 1000
        avatar = self.closed(subject, clip, part(report, 0, round(CLOSED * steps), steps))
        told = part(report, round(CLOSED * steps), steps, steps)
        return self.trained(avatar, subject, clip, told, checkpoint)

    def trained(
        self,
        avatar: Avatar,  # in closed form
        subject: Subject,
        clip: Clip,
        told: Report,
        checkpoint: tuple[Path, str] | None = None,
    ) -> Avatar:
        """The avatar after its training, and with the photo's word on it once more."""
        if self.config.train is None or self._train is None:
            raise ValueError("these settings have no training")
        path, key = checkpoint or (None, "")
        first = self._first_guess(avatar, subject)
        first = head_as_frames(first, clip, self.config.train.head_steps, told)
        frames = tinted(first, clip) if self.config.train.tint else clip
        taken = -1
        while True:
            trained = self._train(first, subject, frames, told, path, key)
            if trained.finished:
                break
            if trained.steps <= taken:  # it would be called for ever
                raise GpuUnavailable(
                    "The GPU was given for too short a time to train the avatar. What was finished "
                    "is kept; try again later."
                )
            taken = trained.steps
        done = replace(trained.avatar, pose=trained.poses[-1:])  # the photo's, as it was refined
        told(1, 1, trained.note or f"learned in {trained.steps} steps", front_picture(done))
        return done

    def _first_guess(self, avatar: Avatar, subject: Subject) -> Avatar:
        config = self.config.train
        assert config is not None
        if config.start != "body":
            return avatar
        if self._body is None:
            raise ValueError("a training that starts from the body needs the body")
        return body_start(avatar, subject, self._body, config.gaussians)

    def closed(self, subject: Subject, clip: Clip, report: Report) -> Avatar:
        """Silhouette, then colours, in the photo's pose; then the other sides from the frames."""
        if clip.start is None:
            raise ValueError("this clip has no first guess of the avatar")
        start, c = clip.start, self.config
        frames = confident_frames(clip, c.frames)
        looks = (1 + c.frame_rounds) * len(frames)
        steps = StepCounter(report, total=c.silhouette_rounds + c.colour_rounds + looks + 1)
        avatar = fit_photo(
            start, subject, c.silhouette_rounds, c.colour_rounds,
            lambda note, k: steps.tell(note, ahead=k),
        )  # fmt: skip
        steps.done += c.silhouette_rounds + c.colour_rounds
        if frames:
            avatar = fit_frames(
                avatar, clip, frames, c.frame_rounds,
                lambda k: steps.tell("colours of the other sides", ahead=k),
                c.train is None or c.train.tint,
            )  # fmt: skip
        steps.done = steps.total
        steps.tell("finished", front_picture(avatar))
        return avatar
