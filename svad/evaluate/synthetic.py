"""`evaluate synthetic`: avatars of drawn people, measured against what was drawn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from svad.core.progress import part, silent
from svad.evaluate.methods import Methods, studio_photo
from svad.evaluate.truth import Truth
from svad.evaluate.views import held_out, on_fitted_body, photo_view, training_clip
from svad.learn.metrics import Distance, compared
from svad.run.holdout import pictures
from svad.types import Avatar, Clip, Report

VIEWS = ("train", "held_out", "novel_pose", "photo")  # columns of a result
CLOSED, TRAINED = "closed", "trained"
MOST = 12  # training views that are measured, evenly spread
MEAN = "mean"
STEPS = 1000  # of the bar
Scores = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    case: str  # a person, or "mean"
    frames: str  # one of `spoil.KINDS`
    method: str  # "closed" or "trained"
    scores: dict[str, Scores]  # by view: psnr in dB, ssim, perhaps lpips
    seconds: float  # of making the avatar

    def line(self) -> dict[str, object]:
        """The row as it is written in JSON; numbers to four decimals."""
        scores = {
            view: {name: round(value, 4) for name, value in self.scores[view].items()}
            for view in VIEWS
        }
        head = {"case": self.case, "frames": self.frames, "method": self.method}
        return {**head, **scores, "seconds": round(self.seconds, 2)}


@dataclass(frozen=True)
class Measured:
    """A row with the pictures behind it."""

    row: Row
    truth: dict[str, Clip]  # by view, T frames
    drawn: dict[str, np.ndarray]  # by view, [T, H, W, 3] uint8


def measure(
    truth: Truth,
    frames: str,  # one of `spoil.KINDS`
    methods: Methods,
    distance: Distance | None,
    report: Report = silent,
    seed: int = 0,
) -> Iterator[Measured]:
    """First the avatar in closed form, then the trained one; both from the same photo and frames.

    All views are measured against the truth, however the training's frames were spoilt, and
    with poses refined for the avatar: unrefined ones would measure the poses.
    """
    subject, start = methods.understand(studio_photo(truth), _named(report, "photo"))
    clip = training_clip(truth, subject, start, frames, seed)
    learn, kept = held_out(len(truth.turning.rgb))
    views = {
        "train": on_fitted_body(truth.turning[learn[:: len(learn) // MOST + 1]], truth, subject),
        "held_out": on_fitted_body(truth.turning[kept], truth, subject),
        "novel_pose": on_fitted_body(truth.novel, truth, subject),
        "photo": photo_view(truth, subject),
    }
    begun = time.perf_counter()
    avatar = methods.closed(subject, clip, _named(report, CLOSED))
    seconds = time.perf_counter() - begun
    yield _measured(truth.name, frames, CLOSED, avatar, views, seconds, methods, distance, report)
    begun = time.perf_counter()
    avatar = methods.train(avatar, subject, clip, _named(report, TRAINED))
    seconds = time.perf_counter() - begun
    yield _measured(truth.name, frames, TRAINED, avatar, views, seconds, methods, distance, report)


def _measured(
    case: str,
    frames: str,
    method: str,
    avatar: Avatar,
    views: dict[str, Clip],
    seconds: float,
    methods: Methods,
    distance: Distance | None,
    report: Report,
) -> Measured:
    drawn, scores = {}, {}
    for view, clip in views.items():
        told = _named(report, f"{method}, {view}")
        if view == "photo":  # the avatar knows the pose of its photo
            clip = replace(clip, poses=avatar.pose)
        poses = methods.refine(avatar, clip, told)
        drawn[view] = pictures(avatar, replace(clip, poses=poses), told)
        scores[view] = compared(drawn[view], clip.rgb, distance)
    return Measured(Row(case, frames, method, scores, seconds), views, drawn)


def mean(rows: Sequence[Row]) -> Row:
    """The mean over people of the rows of the trained avatars; raises ValueError without any."""
    trained = [row for row in rows if row.method == TRAINED]
    if not trained:
        raise ValueError("there is no trained avatar to take a mean of")
    scores = {
        view: {
            name: float(np.mean([row.scores[view][name] for row in trained]))
            for name in trained[0].scores[view]
        }
        for view in VIEWS
    }
    seconds = float(np.mean([row.seconds for row in trained]))
    return Row(MEAN, trained[0].frames, TRAINED, scores, seconds)


def _named(report: Report, name: str) -> Report:
    """A report whose notes say what they are about."""
    return part(report, 0, STEPS, STEPS, name)
