"""Clips as people send them, frame by frame: in memory there is never more than a few frames."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from svad.media.containers import LONGEST_SECONDS, ClipInfo, refuse_short
from svad.media.decoding import decode
from svad.media.images import fit_within
from svad.media.video import VideoError

FASTEST_RATE = 30.0  # frames/s that are looked at; of 60, every other shows the same
MOST_A_SECOND = 10.0  # candidates; a person who turns once in 3 s turns 12 degrees between two
LARGEST_HEIGHT = 2160  # px of a single picture
SHARPNESS_SIZE = 360  # px, either side at most: compression and noise are finer, blur is not


@dataclass(frozen=True)
class Candidate:
    """The sharpest frame of a short while."""

    index: int  # among the frames that are looked at
    time: float  # seconds from the clip's start
    rgb: np.ndarray  # [h, w, 3] uint8
    sharpness: float  # comparable within one clip only


def candidates(
    path: Path,
    info: ClipInfo,
    most: int,  # frames
    height: int,  # px, at most
    seconds: float = LONGEST_SECONDS,  # of the clip, from its start
) -> Generator[Candidate, None, None]:
    """The sharpest frame of each of at most `most` windows, at most 10 a second, in one decode.

    The windows are of one length and follow each other. A frame that repeats the one before is
    left out, and so is a window in which nothing is new. Raises `VideoError` where not a frame can
    be decoded and, at the end, if the clip broke off before `LEAST_SECONDS`.
    """
    rate = _rate(info)
    window = max(min(info.seconds, seconds) / most, 1 / MOST_A_SECOND)  # seconds
    best: Candidate | None = None
    place = 0  # of the window
    last: np.ndarray | None = None
    with closing(_timed(path, info, rate, height, seconds)) as frames:
        index = 0
        for index, (time, rgb) in enumerate(frames):
            now = min(int(time / window + 1e-6), most - 1)
            if now != place and best is not None:
                yield best
                best = None
            place = now
            if last is not None and np.array_equal(rgb, last):
                continue
            last = rgb
            sharp = sharpness(rgb)
            if best is None or sharp > best.sharpness:
                best = Candidate(index, time, rgb, sharp)
    if best is not None:
        yield best
    refuse_short(float((index + 1) / rate) + 1e-6)


def every_frame(
    path: Path,
    info: ClipInfo,
    rate: float,  # frames per second wanted; at most 30 and the clip's own
    height: int,  # px, at most
    seconds: float = LONGEST_SECONDS,  # of the clip, from its start
) -> Generator[tuple[float, np.ndarray], None, None]:  # seconds, [h, w, 3] uint8
    """All frames at an even rate, each with its time from the clip's start.

    Where the clip has none for a time, the one before comes again. Raises `VideoError` where not
    a frame can be decoded.
    """
    return _timed(path, info, min(_fraction(rate), _rate(info)), height, seconds)


def frame_at(
    path: Path,
    info: ClipInfo,
    time: float,  # seconds from the clip's start
    height: int | None = None,  # px, at most; None = as large as it is, up to 2160
) -> np.ndarray:  # [h, w, 3] uint8
    """The very frame that `candidates` gives for this time.

    Raises `VideoError` if the clip has none there.
    """
    index = round(time * _rate(info))
    height = min(height or LARGEST_HEIGHT, LARGEST_HEIGHT)
    for only in (index, None):  # a seek that went wrong is made good by reading from the start
        with closing(decode(path, info, _rate(info), height, only)) as frames:
            for number, rgb in enumerate(frames, index if only is not None else 0):
                if number == index:
                    return rgb
    raise VideoError(f"The clip has no picture at {time:.2f} seconds.")


def sharpness(
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> float:
    """Variance of the Laplacian relative to that of the picture, which exposure changes alike.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy (ICPR 2000).
    """
    grey = cv2.cvtColor(fit_within(rgb, SHARPNESS_SIZE, SHARPNESS_SIZE), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / (grey.var() + 1.0))


def _timed(
    path: Path, info: ClipInfo, rate: Fraction, height: int, seconds: float
) -> Generator[tuple[float, np.ndarray], None, None]:
    with closing(decode(path, info, rate, height)) as frames:
        for index, rgb in enumerate(frames):
            time = float(index / rate)
            if time >= seconds:
                return
            yield time, rgb


def _rate(info: ClipInfo) -> Fraction:
    """The rate at which a clip is looked at: its own, or what 30 is the nearest part to of it."""
    return _fraction(min(info.fps, FASTEST_RATE))


def _fraction(rate: float) -> Fraction:
    return Fraction(rate).limit_denominator(1001)  # holds 30000/1001 and its kin exactly
