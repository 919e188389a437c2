"""`evaluate filmed`: avatars of people before a camera, measured against the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from svad.core.errors import SvadError
from svad.core.progress import part, silent
from svad.evaluate.filmed import Filmed, nearest
from svad.evaluate.memory import forget_peak, peak_gb
from svad.evaluate.methods import ClipMethods
from svad.evaluate.tracked import errors
from svad.evaluate.truth import Truth
from svad.evaluate.views import on_fitted_body
from svad.learn.metrics import Distance, compared
from svad.media.images import to_float, to_uint8
from svad.motion.stance import bound_as
from svad.run.holdout import pictures, times_of
from svad.run.sources import read_source
from svad.types import Avatar, Clip, Footage, Report, Source, Subject

FRAMES = "filmed"
# columns of a result; of photos there are too few to keep one, so that all that were given count
VIEWS = ("held_out", "held_out_unrefined", "novel_pose", "photo")
GIVEN = ("given", "given_unrefined", "novel_pose", "photo")
UNREFINED = "_unrefined"
PREVIEW, TRAINED = "preview", "trained"
MEAN = "mean"
STEPS = 1000  # of the bar
SHAPE = 0.02  # sides of a frame may differ by so much from the clip's
Scores = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    case: str  # a person, or "mean"
    method: str  # "preview" of the front frame, or "trained" on the clip
    scores: dict[str, Scores]  # by view: psnr in dB, ssim, perhaps lpips
    tracking: dict[str, Scores]  # by stage: errors in degrees and mm; a preview has none
    seconds: float  # of making the avatar, from the file on
    memory: float | None  # GB, the most that was held while it was made

    def line(self) -> dict[str, object]:
        """The row as it is written in JSON; numbers to four decimals."""
        return {
            **{"case": self.case, "frames": FRAMES, "method": self.method},
            **{view: _rounded(found) for view, found in self.scores.items()},
            **{f"tracking_{name}": _rounded(found) for name, found in self.tracking.items()},
            "seconds": round(self.seconds, 2),
            "memory_gb": None if self.memory is None else round(self.memory, 2),
        }


@dataclass(frozen=True)
class Measured:
    """A row with the pictures behind it."""

    row: Row
    truth: dict[str, Clip]  # by view, T frames
    drawn: dict[str, np.ndarray]  # by view, [T, H, W, 3] uint8


@dataclass(frozen=True)
class Followed:
    """A clip that the pipeline went through, up to the film."""

    subject: Subject
    film: Clip  # K frames, the front picture first
    places: list[int]  # K, of the film's frames in the truth
    cuts: np.ndarray  # [K, 4] px of the clip, the part of it that they show
    rows: list[int]  # of the film, which are looked at: those kept from the training, or all
    kept: bool  # whether they were kept from it


def measure(
    truth: Filmed,
    person: Truth,
    methods: ClipMethods,
    distance: Distance | None,
    report: Report = silent,
) -> Iterator[Measured]:
    """First the preview of the front frame, then the avatar that is trained on the clip.

    Pictures are compared with the truth over white, under the exposure of the front frame: what an
    avatar looks like is what its photo looks like. Raises `SvadError` as the stages do, and where
    the film's frames are not those of the clip.
    """
    forget_peak()
    begun = time.perf_counter()
    footage = methods.footage(_source(truth), _named(report, "footage"))
    subject = methods.understand(footage.photo, _named(report, "front picture"))
    relief = methods.relief(subject, _named(report, "front picture"))
    before = time.perf_counter()
    preview = methods.preview(subject, relief, _named(report, PREVIEW))
    own = time.perf_counter() - before
    alone = (before - begun + own, peak_gb())
    film = methods.film(subject, footage, relief, _named(report, "film"))
    seconds = time.perf_counter() - begun - own
    followed = _followed(footage, subject, film, truth, methods)
    if film.start is not None:  # the film's poses are those of its own binding
        preview = bound_as(preview, film.start.pose)
    looks = _looks(followed, truth, person, preview)
    yield _measured(person.name, PREVIEW, preview, looks, {}, *alone, methods, distance, report)
    begun = time.perf_counter()
    avatar = methods.train(subject, film, _named(report, TRAINED))
    seconds += time.perf_counter() - begun
    cost = seconds, peak_gb()
    tracking = {"film": errors(film, avatar.joints, truth, followed.places)}
    looks = _looks(followed, truth, person, avatar)
    found = _measured(
        person.name, TRAINED, avatar, looks, tracking, *cost, methods, distance, report
    )
    refined = found.truth[next(iter(looks))]
    seen = [followed.places[row] for row in followed.rows]
    tracking = {**tracking, "refined": errors(refined, avatar.joints, truth, seen)}
    yield replace(found, row=replace(found.row, tracking=tracking))


def _source(truth: Filmed) -> Source:
    return read_source(truth.files)


def _followed(
    footage: Footage, subject: Subject, film: Clip, truth: Filmed, methods: ClipMethods
) -> Followed:
    places = _places(footage, film, truth)
    kept = [row for row in methods.held_out(len(film.rgb)) if truth.fps]
    rows = [row for row in kept or range(len(film.rgb)) if film.matte[row].any()]
    return Followed(subject, film, places, _cuts(footage, truth), rows, bool(kept))


def _places(footage: Footage, film: Clip, truth: Filmed) -> list[int]:
    """Which frames of the truth the film's are: the front, then the others in order."""
    if len(film.rgb) != len(footage.rgb):
        raise SvadError(
            f"The film has {len(film.rgb)} frames, the footage {len(footage.rgb)}: it is not known "
            "which frame is which, so that they cannot be held against the truth."
        )
    height, width = film.rgb.shape[1:3]
    x0, y0, x1, y1 = _cuts(footage, truth)[0]
    wide, tall = x1 - x0, y1 - y0
    if abs(width / height * tall / wide - 1) > SHAPE:
        raise SvadError(f"The film's frames ({width} x {height}) are not whole frames of the clip.")
    if not truth.fps:
        return [footage.front, *(i for i in range(len(footage.rgb)) if i != footage.front)]
    times = [moment for moment in times_of(footage) if moment is not None]
    return nearest(truth, np.array(times))


def _cuts(footage: Footage, truth: Filmed) -> np.ndarray:  # [K, 4] px of the clip
    """Which part of the truth each frame of the film shows, the front first."""
    order = [footage.front, *(i for i in range(len(footage.rgb)) if i != footage.front)]
    if footage.cuts is not None:
        return np.asarray(footage.cuts)[order]
    camera = truth.cameras[0]
    return np.tile((0.0, 0.0, camera.width, camera.height), (len(order), 1))


def _looks(followed: Followed, truth: Filmed, person: Truth, avatar: Avatar) -> dict[str, Clip]:
    """What is looked at, on the avatar's own body."""
    gain = truth.gain[followed.places[0]]
    kept = followed.film[followed.rows]
    places, cuts = [followed.places[row] for row in followed.rows], followed.cuts[followed.rows]
    kept = _true(kept, truth, places, gain, cuts)
    body = replace(followed.subject.body, joints=avatar.joints.numpy(force=True))
    novel = on_fitted_body(person.novel, person, replace(followed.subject, body=body))
    photo = replace(followed.film[[0]], poses=avatar.pose, cameras=(avatar.camera,))
    novel = replace(novel, rgb=_lit(novel.rgb, novel.matte, gain))
    photo = _true(photo, truth, followed.places[:1], gain)
    names = VIEWS if followed.kept else GIVEN
    return dict(zip(names, (kept, kept, novel, photo), strict=True))


def _true(
    clip: Clip,
    truth: Filmed,
    places: Sequence[int],
    gain: np.ndarray,
    cuts: np.ndarray | None = None,
) -> Clip:
    """The clip with the truth's pictures and mattes, at the size of its cameras."""
    pairs = [
        truth.picture(place, camera.width, camera.height, None if cuts is None else cuts[i])
        for i, (place, camera) in enumerate(zip(places, clip.cameras, strict=True))
    ]
    rgb, matte = map(np.stack, zip(*pairs, strict=True))
    return replace(clip, rgb=_lit(rgb, matte, gain), matte=matte)


def _lit(
    rgb: np.ndarray,  # [T, H, W, 3] uint8 over white
    matte: np.ndarray,  # [T, H, W] uint8
    gain: np.ndarray,  # [3] of each channel
) -> np.ndarray:  # [T, H, W, 3] uint8
    """The person under another exposure, still over white."""
    out = np.empty_like(rgb)
    for i, (picture, alpha) in enumerate(zip(rgb, matte, strict=True)):
        back = 1 - to_float(alpha)[..., None]
        out[i] = to_uint8((to_float(picture) - back) * gain + back)
    return out


def _measured(
    case: str,
    method: str,
    avatar: Avatar,
    looks: dict[str, Clip],
    tracking: dict[str, Scores],
    seconds: float,
    memory: float | None,
    methods: ClipMethods,
    distance: Distance | None,
    report: Report,
) -> Measured:
    drawn, scores, clips = {}, {}, {}
    for view, clip in looks.items():
        told = _named(report, f"{method}, {view}")
        tracked = view.endswith(UNREFINED)
        poses = clip.poses if tracked else methods.refine(avatar, clip, told)
        clips[view] = replace(clip, poses=poses)
        drawn[view] = pictures(avatar, clips[view], told)
        scores[view] = compared(drawn[view], clip.rgb, distance)
    return Measured(Row(case, method, scores, tracking, seconds, memory), clips, drawn)


def mean(rows: Sequence[Row], method: str = TRAINED) -> Row:
    """The mean over people of the rows of a method; raises ValueError without any."""
    own = [row for row in rows if row.method == method]
    if not own:
        raise ValueError(f"there is no {method} avatar to take a mean of")
    memory = [row.memory for row in own if row.memory is not None]
    return Row(
        case=MEAN,
        method=method,
        scores={view: _mean([row.scores[view] for row in own]) for view in own[0].scores},
        tracking={name: _mean([row.tracking[name] for row in own]) for name in own[0].tracking},
        seconds=float(np.mean([row.seconds for row in own])),
        memory=max(memory, default=None),
    )


def _mean(scores: Sequence[Scores]) -> Scores:
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}


def _rounded(scores: Scores) -> Scores:
    return {name: round(value, 4) for name, value in scores.items()}


def _named(report: Report, name: str) -> Report:
    """A report whose notes say what they are about."""
    return part(report, 0, STEPS, STEPS, name)
