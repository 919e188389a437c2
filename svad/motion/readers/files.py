"""Files of motions as other programs left them: opened with care, refused with a sentence."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np

from svad.core.errors import SvadError
from svad.core.given import read_given, require_file

LARGEST = 2**29  # bytes, unpacked
LONGEST = 200_000  # frames: 27 minutes at 120 a second
ABSURD = 1e8  # more than any angle or length in any unit
FPS = 30.0  # of files that do not tell
NO_RATE = "The file does not tell how many frames a second it has; 30 are taken."


class MotionError(SvadError):
    """A file of a motion that cannot be used."""


def contents(path: Path) -> bytes:
    """All bytes of a file; raises `MotionError` where it is absent, empty or too large."""
    require_usable(path)
    return read_given(path, LARGEST, MotionError)


def text_of(path: Path) -> str:
    """A text file as such, whatever stands in its comments; raises `MotionError`."""
    data = contents(path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _lines(data.decode("utf-16", "replace"))
    if b"\0" in data[:4096]:
        raise MotionError(f"{path.name} is no text, as {path.suffix} files are. Save it again.")
    for encoding in ("utf-8-sig", "cp932"):  # the second: Japanese names from before Unicode
        try:
            return _lines(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    return _lines(data.decode("utf-8", "replace"))


def _lines(text: str) -> str:
    """With the ends of lines of this system."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def require_usable(path: Path) -> None:
    """Raises `MotionError` for a file that is absent, empty or too large for a motion."""
    require_file(path, MotionError)
    size = path.stat().st_size
    if not size:
        raise MotionError(f"{path.name} is empty. Save or download it again.")
    if size > LARGEST:
        raise MotionError(
            f"{path.name} is too large for a motion: {size / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} "
            "are taken at most. Save a part of it."
        )


def require_numbers(
    value: np.ndarray,  # [...]
) -> None:
    """Raises `MotionError` for what is no number, is not finite, or is absurdly large."""
    fine = value.dtype.kind in "fiu" and np.isfinite(value).all()
    if not fine or np.abs(value, dtype=np.float64).max(initial=0) > ABSURD:
        raise MotionError(
            "The motion holds numbers that are not finite, or far too large. Save it again."
        )


def require_length(count: int) -> None:
    """Raises `MotionError` for a motion without two frames, or with too many."""
    if not 2 <= count <= LONGEST:
        raise MotionError(f"A motion of 2 to {LONGEST} frames can be played; this one has {count}.")
