"""Finished avatars: what lies in an example's or a job's folder, ready to be shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from svad.core.files import make_folder
from svad.export.formats import FORMATS, shown_formats
from svad.export.notes import ONE_PHOTO
from svad.motion.authored import authored

BACKDROP = (230, 230, 234)  # the light studio wall behind a render


@dataclass(frozen=True)
class Finished:
    """A finished avatar; a path is None where the folder does not have the file."""

    key: str  # "example:NAME" or "job:ID"
    name: str  # for people
    folder: Path
    photo: Path | None
    front: Path | None  # RGBA render in the photo's pose and camera
    turntable: Path | None
    viewer: Path | None  # .splat
    moving: Path | None  # the avatar that the viewer moves, .rig
    archive: Path | None  # .zip
    seconds: float | None  # what it took to make
    downloads: tuple[Path, ...]
    motions: tuple[str, ...]  # that can be played
    terms: tuple[str, ...] = ()  # of the body and the pretrained files it was made with
    source: str = ONE_PHOTO  # what it was made from
    preset: str = ""  # by which it was made; "" = not known
    movable: bool = False  # whether the avatar itself is here, for motions nobody has played yet


def own_job(key: str) -> str:
    """The id of the job in the key of a visitor's own avatar; "" for others."""
    kind, _, name = key.partition(":")
    return name.partition("/")[0] if kind == "job" else ""


def read_finished(folder: Path, key: str, name: str, seconds: float | None = None) -> Finished:
    """Whatever of a finished avatar lies in `folder`."""

    def first(*names: str) -> Path | None:
        return next((folder / n for n in names if (folder / n).is_file()), None)

    movable = (folder / "stages" / "avatar.safetensors").is_file()
    motions = [m for m in authored() if movable or (folder / "motions" / f"{m}.mp4").is_file()]
    downloads = [folder / row.file for row in shown_formats()]
    return Finished(
        key=key,
        name=name,
        folder=folder,
        photo=first("input.png", "photo.jpg", "photo.png", "photo.webp"),
        front=first(FORMATS["front"].file, "front.webp"),
        turntable=first(FORMATS["turntable"].file),
        viewer=first(FORMATS["viewer"].file),
        moving=first(FORMATS["moving"].file),
        archive=first(FORMATS["archive"].file),
        seconds=seconds,
        downloads=tuple(path for path in downloads if path.is_file()),
        motions=tuple(motions),
        movable=movable,
    )


def read_examples(folder: Path) -> dict[str, Finished]:
    """The finished examples below `folder` by name; an empty or missing folder has none.

    The one whose card says "first" comes first, the others in alphabetical order.
    """
    found: dict[str, Finished] = {}
    for card in sorted(folder.glob("*/example.json")):
        try:
            facts = json.loads(card.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"{card} is not valid JSON: {error}") from error
        name = card.parent.name
        title = str(facts.get("title") or facts.get("name") or name.replace("_", " ")).strip()
        seconds = facts.get("seconds")
        seconds = float(seconds) if isinstance(seconds, int | float) else None
        one = {name: read_finished(card.parent, f"example:{name}", title, seconds)}
        found = one | found if facts.get("first") else found | one
    return {name: one for name, one in found.items() if one.photo is not None}


def compare(finished: Finished, folder: Path) -> tuple[Path, Path] | None:
    """Photo and render as two pictures of the same size, written into `folder`."""
    if finished.photo is None or finished.front is None:
        return None
    make_folder(folder)
    pair = folder / "compare_photo.jpg", folder / "compare_avatar.jpg"
    with Image.open(finished.photo) as photo, Image.open(finished.front) as front:
        render = front.convert("RGBA")
        photo = photo.convert("RGBA").resize(render.size, Image.Resampling.LANCZOS)
        for picture, path in zip((photo, render), pair, strict=True):
            wall = Image.new("RGBA", render.size, (*BACKDROP, 255))
            Image.alpha_composite(wall, picture).convert("RGB").save(path, quality=92)
    return pair
