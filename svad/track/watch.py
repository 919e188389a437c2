"""Follows one person through all frames of a clip and keeps what was seen of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from svad.body.coco import ANKLES
from svad.core.errors import SourceError
from svad.track.seen import Glimpse, Seen
from svad.types import Report

LEAST = 8  # frames with the person
SHARE = 0.3  # of the frames, that they must be in
BRIDGED = 0.5  # seconds without the person that nobody misses
NOBODY = (
    "No person was found in the clip. Please send one in which one person, well lit, moves and is "
    "seen from head to feet."
)
OTHERS = "More than one person is in the clip; the largest one is followed."
NO_FEET = "The feet are hardly seen in the clip: how the legs move is a guess."
UPSIDE_DOWN = "The person in the clip is upside down. Please turn the clip and send it again."

See = Callable[[np.ndarray, float], Glimpse | None]
"""`see(rgb, time)`: the person in the next frame, [H, W, 3] uint8."""
LookCloser = Callable[[np.ndarray, Glimpse], tuple[Glimpse, np.ndarray | None]]
"""`closer(rgb, glimpse)`: the person with hands, and the face mesh [478, 3] if there is one."""


@dataclass(frozen=True)
class Watched:
    """The F frames of a clip in which the person was found."""

    seen: Seen  # F; its mattes are empty
    faces: np.ndarray  # [F, 478, 3] px, nan = no face
    warnings: tuple[str, ...]  # sentences for the person


def watch(
    frames: Iterable[tuple[float, np.ndarray]],  # seconds, [H, W, 3] uint8
    count: int,  # of them, about
    see: See,
    closer: LookCloser,
    report: Report,
) -> Watched:
    """What is seen of the person; raises `SourceError` where there is none."""
    times: list[float] = []
    glimpses: list[Glimpse] = []
    faces: list[np.ndarray] = []
    looked, shape = 0, (1, 1)
    for time, rgb in frames:
        looked, shape = looked + 1, (rgb.shape[0], rgb.shape[1])
        report(min(looked, count), count + 1, f"looking at {time:.1f} s of the clip")
        glimpse = see(rgb, time)
        if glimpse is None:
            continue
        glimpse, face = closer(rgb, glimpse)
        times.append(time)
        glimpses.append(glimpse)
        faces.append(np.full((478, 3), np.nan, np.float32) if face is None else face)
    if len(times) < max(LEAST, SHARE * looked):
        raise SourceError(NOBODY)
    seen = Seen.of(glimpses, times, shape)
    if seen.upside_down:
        raise SourceError(UPSIDE_DOWN)
    return Watched(seen, np.stack(faces), (*gap_sentences(seen.time), *_feet(seen)))


def gap_sentences(
    time: np.ndarray,  # [F] seconds, rising, of the frames in which the person is seen
) -> tuple[str, ...]:
    """Names the longer stretches without the person."""
    gaps = [(a, b) for a, b in pairwise(time) if b - a > BRIDGED]
    return tuple(
        f"The person is not seen from {a:.1f} to {b:.1f} seconds of the clip; the pose is held "
        "there."
        for a, b in gaps
    )


def _feet(seen: Seen) -> tuple[str, ...]:
    trust = np.median(seen.trust[:, list(ANKLES)])
    return (NO_FEET,) if trust < 0.3 else ()
