"""All avatars of a batch at a glance: a contact sheet and a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from svad.core.errors import SvadError
from svad.core.files import write_text
from svad.media.images import save_jpg
from svad.media.opening import DAMAGE, learn_heif, opened
from svad.media.video import read_frames
from svad.run.batch.photos import PAGE, SHEET, STILLS
from svad.run.batch.rows import DONE, Row

CELL = 150, 250  # px of a picture on the sheet, width and height
LARGEST = 16000  # px of the sheet along a side: with more photos the pictures are smaller
LABEL = 22  # px below a picture
WALL, INK, RED = (238, 238, 241), (40, 40, 46), (170, 30, 30)
MOST_PIXELS = 30_000_000  # that are decoded for a small picture of a photo that failed
SIDES, SIDE_HEIGHT = 4, 320  # stills of a turn, and their height in px
UNREADABLE = (*DAMAGE, SvadError, Image.DecompressionBombError)


def write_report(out: Path, photos: Path, rows: Sequence[Row]) -> None:
    """Writes `sheet.jpg` and `index.html` beside the avatars, and stills of their turns.

    Raises `OutputError` if one cannot be written; a picture that cannot be read is left out.
    """
    for row in rows:
        if row.state == DONE:
            _write_stills(out, row)
    save_jpg(out / SHEET, draw_sheet(out, photos, rows))
    write_text(out / PAGE, page(out, rows))


def _write_stills(out: Path, row: Row) -> None:
    """Four sides of the turntable beside each other, unless they are there already."""
    video, target = out / row.folder / "turntable.mp4", _stills(out, row)
    with suppress(*UNREADABLE):
        if target.is_file() and target.stat().st_mtime >= video.stat().st_mtime:
            return
        frames, _ = read_frames(video, 10_000)
        sides = [frames[len(frames) * k // SIDES] for k in range(SIDES)]
        strip = Image.fromarray(np.concatenate(sides, 1))
        strip.thumbnail((SIDES * SIDE_HEIGHT, SIDE_HEIGHT), Image.Resampling.LANCZOS)
        save_jpg(target, np.asarray(strip), quality=85)


def _stills(out: Path, row: Row) -> Path:
    return out / STILLS / f"{row.folder}.jpg"


def draw_sheet(out: Path, photos: Path, rows: Sequence[Row]) -> np.ndarray:  # [H, W, 3] uint8
    """Each photo beside its avatar, with name, and why there is none."""
    width, height = 2 * CELL[0], CELL[1] + LABEL
    columns = max(1, math.ceil(math.sqrt(len(rows) * height / width)))
    lines = math.ceil(len(rows) / columns)
    scale = min(1.0, LARGEST / (columns * width), LARGEST / (lines * height))
    cell = max(8, int(CELL[0] * scale)), max(8, int(CELL[1] * scale))
    step = 2 * cell[0], cell[1] + LABEL
    sheet = Image.new("RGB", (columns * step[0], lines * step[1]), WALL)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, row in enumerate(rows):
        x, y = step[0] * (place % columns), step[1] * (place // columns)
        pictures = [photos / row.photo]
        if row.state == DONE:
            pictures = [out / row.folder / name for name in ("input.png", "front.png")]
        for k, path in enumerate(pictures):
            with suppress(*UNREADABLE):
                sheet.paste(_small(path, cell), (x + k * cell[0], y))
        done = row.state == DONE
        if not done:
            pen.text((x + cell[0] + 8, y + cell[1] // 2), row.state, RED, font)
        letters = max(4, step[0] // 8)
        pen.text((x + 4, y + cell[1] + 3), row.photo[:letters], INK if done else RED, font)
    return np.asarray(sheet)


def _small(path: Path, cell: tuple[int, int]) -> Image.Image:
    """A picture before the sheet's wall, fitted into a cell."""
    learn_heif()
    with opened(path) as file:
        if file.format == "JPEG":
            file.draft("RGB", (2 * cell[0], 2 * cell[1]))  # it is decoded small
        if file.width * file.height > MOST_PIXELS:
            raise ValueError("too many pixels for a small picture")
        picture = ImageOps.exif_transpose(file).convert("RGBA")
    picture = ImageOps.contain(picture, cell, Image.Resampling.BILINEAR)
    wall = Image.new("RGB", cell, WALL)
    wall.paste(picture, ((cell[0] - picture.width) // 2, (cell[1] - picture.height) // 2), picture)
    return wall


STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #8886; padding: 1rem 0; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; border-radius: 6px; }
.failed, .stopped, .waiting { border-left: 4px solid #b33; padding-left: 1rem; }
a { margin-right: 1rem; }
"""
LINKS = (
    ("viewer.html", "Turn and move it"),
    ("avatar.zip", "Everything in one file"),
    ("turntable.mp4", "Turntable"),
    ("avatar.glb", "Mesh"),
    ("avatar.ply", "Splats"),
)


def page(out: Path, rows: Sequence[Row]) -> str:
    """The page of all avatars, as HTML without scripts; every name in it is escaped."""
    done = sum(row.state == DONE for row in rows)
    title = f"{done} of {len(rows)} avatars"
    articles = "".join(_article(out, row) for row in rows)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        "<p>The avatars are synthetic. Use them only with the consent of the people shown.</p>"
        f"<main>{articles}</main></body></html>\n"
    )


def _article(out: Path, row: Row) -> str:
    name = escape(row.photo)
    words = f"{row.seconds:.0f} s" if row.state == DONE else row.error or row.state.capitalize()
    notes = "".join(f"<li>{escape(warning)}</li>" for warning in row.warnings)
    links = [
        f'<a href="{escape(quote(f"{row.folder}/{file}"))}">{label}</a>'
        for file, label in LINKS
        if file in row.files or (row.state == DONE and (out / row.folder / file).is_file())
    ]
    picture = ""
    if row.state == DONE and _stills(out, row).is_file():
        source = escape(quote(f"{STILLS}/{row.folder}.jpg"))
        picture = f'<img loading="lazy" src="{source}" alt="Four sides of the avatar of {name}">'
    return (
        f'<article class="{row.state}"><h2>{name}</h2><p>{escape(words)}</p>{picture}'
        f"{f'<ul>{notes}</ul>' if notes else ''}<p>{''.join(links)}</p></article>"
    )
