"""Frames into the kind of file that a name asks for: a video, a zip of pictures, a still."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from svad.core.files import write_bytes
from svad.media.frames_zip import still_bytes, write_frames_zip
from svad.media.video import write_mp4, write_webm

WRITERS = {".mp4": write_mp4, ".webm": write_webm, ".zip": write_frames_zip}


def write_movie(
    path: Path,
    frames: Iterable[np.ndarray],  # each [H, W, 3] RGB or [H, W, 4] RGBA straight, uint8, all alike
    fps: float,
) -> None:
    """By the ending of `path`, one of `shot.ENDINGS`; of a .png the first frame alone.

    Whatever it is, it says that it is synthetic. Raises `OutputError`, `MissingFile`, `ValueError`
    without frames.
    """
    ending = path.suffix.lower()
    if ending in WRITERS:
        WRITERS[ending](path, frames, fps)
        return
    for frame in frames:
        write_bytes(path, still_bytes(frame))
        return
    raise ValueError("a still needs a frame")
