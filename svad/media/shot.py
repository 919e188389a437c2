"""How a video of an avatar is taken: camera, size, rate, and what is behind the person."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageOps

from svad.core.errors import SettingError
from svad.core.given import read_given
from svad.media.opening import (
    DAMAGE,
    JPEGS,
    MAX_BYTES,
    learn_heif,
    memory_of,
    memory_there,
    opened,
)
from svad.media.video import ffmpeg_path

CAMERAS = ("front", "left", "right", "side", "back", "orbit", "portrait")
STILL_CAMERAS = tuple(name for name in CAMERAS if name != "orbit")  # of one picture
STUDIO, TRANSPARENT = "studio", "transparent"
HEIGHTS = (64, 2160)  # px
RATES = (1.0, 120.0)  # frames per second
ENDINGS = (".mp4", ".webm", ".zip", ".png")
VIDEOS = (".mp4", ".webm")
CLEAR = (".webm", ".zip", ".png")  # of which a picture can be transparent
STILL = ".png"
SIDES = "There is no view named {name}. Choose one of: {names}."


@dataclass(frozen=True, kw_only=True)
class Shot:
    """How a video or a still is taken."""

    height: int = 720  # px; an odd one is raised to the next even one
    camera: str = "front"  # one of `CAMERAS`
    background: str = STUDIO  # or transparent, a colour, the file of a picture
    fps: float | None = None  # frames per second; None = those of the motion
    frame: int | None = None  # of a still: which one, from 0; None = the middle one

    @property
    def transparent(self) -> bool:
        """Whether nothing is behind the person."""
        return self.background == TRANSPARENT

    def at(self, count: int) -> int:
        """Which of `count` frames a still shows; raises `SettingError` where there is none."""
        chosen = count // 2 if self.frame is None else self.frame
        if not 0 <= chosen < count:
            raise SettingError(f"The motion has the frames 0 to {count - 1}; there is no {chosen}.")
        return chosen

    def require_valid(self, output: Path) -> None:
        """Raises `SettingError` for what cannot be, before anything is drawn.

        Of a video it raises `MissingFile` without ffmpeg.
        """
        if self.camera not in CAMERAS:
            raise SettingError(SIDES.format(name=self.camera, names=", ".join(CAMERAS)))
        if not HEIGHTS[0] <= self.height <= HEIGHTS[1]:
            raise SettingError(
                f"The picture is {HEIGHTS[0]} to {HEIGHTS[1]} px high, not {self.height}."
            )
        if self.fps is not None and not RATES[0] <= self.fps <= RATES[1]:
            raise SettingError(
                f"A video has {RATES[0]:g} to {RATES[1]:g} frames a second, not {self.fps:g}."
            )
        ending = output.suffix.lower()
        if ending not in ENDINGS:
            raise SettingError(
                f"The video is an .mp4 or a .webm file, its frames a .zip, a still a .png; "
                f"{output.name} has another ending."
            )
        if self.transparent and ending not in CLEAR:
            raise SettingError(
                f"An {ending} file cannot be transparent. Name it .webm, or .zip for its frames as "
                "pictures."
            )
        if self.frame is not None and ending != STILL:
            raise SettingError("One frame is a still: name its file .png.")
        if self.background not in (STUDIO, TRANSPARENT):
            backdrop(self.background, 2, 2)
        if ending in VIDEOS:
            ffmpeg_path()


def backdrop(
    background: str,  # a colour or the file of a picture
    width: int,  # px
    height: int,  # px
) -> np.ndarray:  # [H, W, 3] float32 sRGB in 0..1
    """A colour, or a picture that fills everything and is cut where it has another shape.

    Colours are CSS's: `white`, `#20a040`, `hsl(120, 60%, 40%)`. Raises `SettingError` for anything
    else, and for a picture that cannot be opened.
    """
    try:
        color = ImageColor.getrgb(background)
    except ValueError:
        picture = np.asarray(_picture(Path(background), width, height), np.float32) / 255
        return np.ascontiguousarray(picture)
    return np.broadcast_to(np.asarray(color[:3], np.float32) / 255, (height, width, 3)).copy()


def _picture(path: Path, width: int, height: int) -> Image.Image:
    """The picture of a file, upright, in RGB, filling the frame; transparent parts are white."""
    if not os.path.exists(path):
        raise SettingError(
            f"There is no background {path}. Give studio, transparent, a colour such as white or "
            "#20a040, or the file of a picture."
        )
    data = read_given(path, MAX_BYTES, SettingError)
    learn_heif()
    try:
        with opened(io.BytesIO(data)) as picture:
            pixels = picture.width * picture.height
            # twice as large as it is drawn, whichever side is up
            share = 2 * max(width, height) / min(picture.size)
            small = round(picture.width * share), round(picture.height * share)
            if picture.format in JPEGS and share < 1:
                picture.draft("RGB", small)  # it is decoded small
            if memory_of(picture, pixels) > memory_there():
                raise SettingError(
                    f"{path.name} has {pixels / 1e6:.0f} million pixels, more than can be opened "
                    "here and than a picture behind somebody needs. Make it smaller."
                )
            if share < 1:
                picture.thumbnail(small, Image.Resampling.LANCZOS)
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (*DAMAGE, MemoryError, Image.DecompressionBombError) as error:
        raise SettingError(
            f"{path.name} cannot be opened as a picture. Give a JPEG, PNG, WebP or HEIC file, a "
            "colour such as #20a040, studio, or transparent."
        ) from error
    paper = Image.new("RGBA", upright.size, "white")
    whole = Image.alpha_composite(paper, upright).convert("RGB")
    return ImageOps.fit(whole, (width, height), Image.Resampling.LANCZOS)
