"""Frames as numbered .png files in one .zip, for editors that take no transparent video."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from svad.core.files import writing
from svad.media.video import SYNTHETIC

ABOUT = """\
{count} frames, {fps:g} a second, to be played in the order of their numbers.
{synthetic}

To make a video of them:
ffmpeg -framerate {fps:g} -i %05d.png -c:v prores_ks -profile:v 4444 video.mov
"""
WHEN = (1980, 1, 1, 0, 0, 0)  # the same frames, the same bytes


def write_frames_zip(
    path: Path,
    frames: Iterable[np.ndarray],  # each [H, W, 3] RGB or [H, W, 4] RGBA straight, uint8
    fps: float,
) -> None:
    """00000.png and so on, and a note, atomically; raises `OutputError`."""
    count = 0
    # ZIP_STORED: a .png is packed already
    with writing(Path(path)) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for frame in frames:
            archive.writestr(zipfile.ZipInfo(f"{count:05}.png", WHEN), still_bytes(frame))
            count += 1
        words = ABOUT.format(count=count, fps=fps, synthetic=SYNTHETIC)
        archive.writestr(zipfile.ZipInfo("README.txt", WHEN), words)


def still_bytes(
    frame: np.ndarray,  # [H, W, 3] RGB or [H, W, 4] RGBA straight, uint8
) -> bytes:
    """A .png that says that it is synthetic."""
    told, out = PngInfo(), io.BytesIO()
    told.add_text("Comment", SYNTHETIC)
    Image.fromarray(frame).save(out, "PNG", compress_level=3, pnginfo=told)
    return out.getvalue()
