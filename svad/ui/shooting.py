"""What can be chosen of a video on the page: camera, background, size, rate, kind of file."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import ImageColor

from svad.core.errors import SettingError
from svad.media.shot import STUDIO, TRANSPARENT, Shot
from svad.ui import texts
from svad.ui.files import Shelf, uploaded
from svad.ui.panels import avatar

COLOR, PICTURE = "colour", "picture"
CAMERAS = ("front", "left", "right", "back", "orbit", "portrait")
BACKGROUNDS = (STUDIO, TRANSPARENT, COLOR, PICTURE)
SIZES = (480, 720, 1080)  # px
RATES = (0, 24, 25, 30, 60)  # frames per second; 0 = the motion's own
GREEN = "#20a040"


@dataclass(frozen=True)
class Filming:
    """How a video is asked for."""

    shot: Shot = field(default_factory=Shot)
    ending: str = ".mp4"

    @property
    def usual(self) -> bool:
        """Whether nothing was chosen: such a video is kept beside the avatar."""
        return self == Filming()


def filming(
    camera: str = CAMERAS[0],
    background: str = STUDIO,
    color: str = GREEN,
    picture: Any = None,  # an uploaded file as the browser names it
    size: int = 720,
    rate: int = 0,
    pictures: bool = False,
) -> Filming:
    """What was chosen; a visitor's picture is only taken from where uploads lie.

    Raises `SettingError` for what the page does not offer, `PhotoError` for a picture that is not
    there.
    """
    rows = ((camera, CAMERAS), (background, BACKGROUNDS), (size, SIZES), (rate, RATES))
    if not all(one in row for one, row in rows):
        raise SettingError(texts.FILM_UNKNOWN)
    behind = background
    if background == COLOR:
        behind = _hex(color)
    elif background == PICTURE:
        if picture is None:
            raise SettingError(texts.FILM_NO_PICTURE)
        behind = str(uploaded(picture))
    ending = ".zip" if pictures else ".webm" if background == TRANSPARENT else ".mp4"
    fps = float(rate) if rate else None
    shot = Shot(height=int(size), camera=camera, background=behind, fps=fps)
    shot.require_valid(Path(f"video{ending}"))
    return Filming(shot, ending)


def asked(
    camera: str,
    background: str,  # studio, transparent or a colour
    picture: Any,  # an uploaded file, in place of the background
    size: int,
    rate: int = 0,
    pictures: bool = False,
) -> Filming:
    """What a program asks for, in the words of the endpoints; raises as `filming` does."""
    if picture is not None:
        return filming(camera, PICTURE, GREEN, picture, size, rate, pictures)
    if background in (STUDIO, TRANSPARENT):
        return filming(camera, background, GREEN, None, size, rate, pictures)
    return filming(camera, COLOR, background, None, size, rate, pictures)


def _hex(color: object) -> str:
    """A colour as `#rrggbb`, however the picker writes it."""
    text = str(color)
    try:
        if text.startswith("rgb"):  # rgba(12.3, 4, 5, 1)
            values = [float(x) for x in text[text.index("(") + 1 : -1].split(",")[:3]]
            text = "#" + "".join(f"{min(255, max(0, round(x))):02x}" for x in values)
        red, green, blue = ImageColor.getrgb(text)[:3]
    except (ValueError, OverflowError) as error:
        raise SettingError(texts.FILM_UNKNOWN) from error
    return f"#{red:02x}{green:02x}{blue:02x}"


def filming_options() -> list[Any]:
    """The components below *Motions*, in the order of the arguments of `filming`."""
    named = dict(zip(CAMERAS, texts.FILM_CAMERAS, strict=True))
    walls = dict(zip(BACKGROUNDS, texts.FILM_BACKGROUNDS, strict=True))
    rates = [(texts.FILM_OWN_RATE, 0), *((str(rate), rate) for rate in RATES[1:])]
    with gr.Accordion(texts.FILM_OPTIONS, open=False, elem_id="filming"):
        with gr.Row():
            camera = gr.Dropdown(
                [(named[c], c) for c in CAMERAS], value=CAMERAS[0], label=texts.FILM_CAMERA
            )
            background = gr.Dropdown(
                [(walls[b], b) for b in BACKGROUNDS], value=STUDIO, label=texts.FILM_BACKGROUND
            )
            size = gr.Dropdown(
                [(f"{one} px", one) for one in SIZES], value=720, label=texts.FILM_SIZE
            )
            rate = gr.Dropdown(rates, value=0, label=texts.FILM_RATE)
        color = gr.ColorPicker(GREEN, label=texts.FILM_COLOR, visible=False)
        picture = gr.File(label=texts.FILM_PICTURE, file_types=["image"], height=120, visible=False)
        pictures = gr.Checkbox(label=texts.FILM_FRAMES, container=False)
    background.change(
        lambda chosen: (gr.update(visible=chosen == COLOR), gr.update(visible=chosen == PICTURE)),
        background, [color, picture], show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    return [camera, background, color, picture, size, rate, pictures]


def shown(path: Path, label: str, shelf: Shelf, caption: str) -> str:
    """A video and the way to take it home; of frames as pictures the latter alone."""
    link = (
        f'<p class="terms"><a href="{escape(shelf.url(path))}" download="{escape(path.name)}">'
        f"{escape(texts.FILM_DOWNLOAD.format(ending=path.suffix))}</a></p>"
    )
    film = "" if path.suffix == ".zip" else avatar.video(path, label, shelf, caption)
    return film + link
