"""A finished avatar as the values of the components that show it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from svad.ui import texts
from svad.ui.files import Shelf
from svad.ui.gallery import Finished, compare, own_job
from svad.ui.panels import avatar, notes

PAIR_HEIGHT = 600  # px


@dataclass(frozen=True)
class Sheet:
    """What the right side of the page shows of one avatar."""

    key: str  # "" for none
    heading: str  # html
    archive: Path | None
    video: str  # html
    viewer: str  # html
    pair: tuple[Path, Path] | None  # photo and render
    pair_width: int  # px, at the height in which they are shown
    motion: str  # html
    files: str  # html


def make_sheet(finished: Finished | None, shelf: Shelf, hours: float) -> Sheet:
    """Publishes what there is of an avatar; with none, sentences that say so."""
    if finished is None:
        return Sheet(
            key="",
            heading=avatar.heading(None),
            archive=None,
            video=notes.hint(texts.NO_EXAMPLES),
            viewer=notes.hint(texts.NO_VIEWER),
            pair=None,
            pair_width=0,
            motion=notes.hint(texts.MOTION_NOTHING),
            files=avatar.files(None, shelf, hours),
        )
    label = texts.TURNTABLE.format(name=finished.name)
    archive = finished.archive
    if archive is not None:
        archive = shelf.publish(archive, f"avatar-{short(finished.key)}.zip")
    pair = published_pair(finished, shelf)
    return Sheet(
        key=finished.key,
        heading=avatar.heading(finished),
        archive=archive,
        video=avatar.video(finished.turntable, label, shelf, texts.VIDEO_CAPTION),
        viewer=avatar.viewer(finished, shelf),
        pair=pair,
        pair_width=0 if pair is None else width_at(pair[0], PAIR_HEIGHT),
        motion=notes.hint(texts.MOTION_HINT if finished.motions else texts.MOTION_NOT_HERE),
        files=avatar.files(finished, shelf, hours),
    )


def width_at(path: Path, height: int) -> int:
    """The width of a picture that is shown `height` px high."""
    with Image.open(path) as picture:
        return round(height * picture.width / picture.height)


def published_pair(finished: Finished, shelf: Shelf) -> tuple[Path, Path] | None:
    """Photo and render, of the same size."""
    with tempfile.TemporaryDirectory() as folder:
        pair, job = compare(finished, Path(folder)), own_job(finished.key)
        if pair is None:
            return None
        return shelf.publish(pair[0], job=job), shelf.publish(pair[1], job=job)


def short(key: str) -> str:
    """The part of a key that goes into file names: not enough of a job's id to find it."""
    return key.partition(":")[2][:6].strip("-_") or "svad"
