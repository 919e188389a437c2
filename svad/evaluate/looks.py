"""`evaluate looks`: previews of drawn people against their sides and poses that no photo shows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from svad.core.progress import part, silent
from svad.evaluate.flaws import flaws, iou
from svad.evaluate.methods import LookMethods, studio_photo
from svad.evaluate.placing import by_silhouettes, on_own_skeleton
from svad.evaluate.tracked import wrapped
from svad.evaluate.truth import Look
from svad.evaluate.views import photo_view
from svad.learn.metrics import compared
from svad.run.holdout import drawn
from svad.types import Clip, Report

UNSEEN = 60.0  # degrees from the photo's view: what is farther off it did not show
VIEWS = ("unseen", "seen", "a_pose", "photo")  # columns of a result
MEAN = "mean"
STEPS = 1000  # of the bar
Scores = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    case: str  # a kind of picture, or "mean"
    people: tuple[str, ...]
    scores: dict[str, Scores]  # by view: psnr in dB, ssim, iou
    looks: Scores  # `svad.evaluate.flaws`
    seconds: float  # of making the avatar

    def line(self) -> dict[str, object]:
        """The row as it is written in JSON; numbers to four decimals."""
        scores = {view: _rounded(found) for view, found in self.scores.items()}
        head = {"case": self.case, "people": list(self.people)}
        return {**head, **scores, "looks": _rounded(self.looks), "seconds": round(self.seconds, 2)}


@dataclass(frozen=True)
class Measured:
    """A row with the pictures behind it."""

    row: Row
    photo: np.ndarray  # [h, w, 3] uint8, what was sent
    truth: np.ndarray  # [T, H, W, 3] uint8
    drawn: np.ndarray  # [T, H, W, 3] uint8


def measure(look: Look, methods: LookMethods, report: Report = silent) -> Measured:
    """The preview of one picture, its avatar posed as the truth is and seen by the same cameras.

    `unseen`: sides more than 60 degrees from the photo's, in all poses; `seen`: the other ones;
    `a_pose`: all sides in the A-pose; `photo`: the photo's own view at the working size. Raises
    `PhotoError` where the picture is not understood.
    """
    begun = time.perf_counter()
    photo = studio_photo(look)
    subject, avatar = methods.preview(photo, part(report, 0, 500, STEPS, "preview"))
    seconds = time.perf_counter() - begun
    aligned = on_own_skeleton(avatar, look)[list(range(look.count))]
    first = drawn(avatar, aligned, part(report, 500, 600, STEPS, "silhouettes"))[1]
    clip = on_own_skeleton(avatar, look, by_silhouettes(look, first))
    pictures, mattes = drawn(avatar, clip, part(report, 600, 950, STEPS, "sides"))
    front = photo_view(look, subject)
    shown = drawn(
        avatar, replace(front, poses=avatar.pose), part(report, 950, STEPS, STEPS, "photo")
    )
    off = np.degrees(np.abs(wrapped(look.sides.yaw - look.photo.yaw[0])))
    places = {
        "unseen": np.flatnonzero(off > UNSEEN + 1e-3),
        "seen": np.flatnonzero(off <= UNSEEN + 1e-3),
        "a_pose": np.arange(look.count),
    }
    scores = {
        view: _scores(pictures[rows], mattes[rows], clip[rows.tolist()])
        for view, rows in places.items()
    }
    scores["photo"] = _scores(*shown, front)
    found = flaws(pictures[: look.count], mattes[: look.count], tuple(mattes[look.count :]))
    row = Row(look.kind, (look.name,), scores, found, seconds)
    return Measured(row, photo.rgb, clip.rgb, pictures)


def mean(rows: Sequence[Row], case: str = MEAN) -> Row:
    """The mean of several rows; raises ValueError without any."""
    if not rows:
        raise ValueError("there is nothing to take a mean of")
    scores = {view: _mean([row.scores[view] for row in rows]) for view in VIEWS}
    people = tuple(dict.fromkeys(name for row in rows for name in row.people))
    seconds = float(np.mean([row.seconds for row in rows]))
    return Row(case, people, scores, _mean([row.looks for row in rows]), seconds)


def _scores(pictures: np.ndarray, mattes: np.ndarray, clip: Clip) -> Scores:
    return {**compared(pictures, clip.rgb), "iou": float(iou(mattes, clip.matte).mean())}


def _mean(found: Sequence[Scores]) -> Scores:
    """By name, over those that have it."""
    names = dict.fromkeys(name for one in found for name in one)
    return {name: float(np.mean([one[name] for one in found if name in one])) for name in names}


def _rounded(found: Scores) -> Scores:
    return {name: round(value, 4) for name, value in found.items()}
