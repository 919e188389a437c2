"""Runs the pipeline on an example's photo and keeps what fits into the repository.

Sizes matter here, not the last bit of quality: the copy for the page is thinned, the videos are
compressed harder, and the archive holds the animated mesh and a light copy of the Gaussians.
Whoever runs the photo through the pipeline gets the full files.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from svad.core.files import write_bytes, write_json, writing
from svad.export.formats import FORMATS
from svad.export.notes import licence
from svad.export.viewer_rig import viewer_rig_bytes
from svad.media.images import fit_within, read_png, read_rgb, save_jpg
from svad.media.shot import Shot
from svad.media.video import write_mp4
from svad.run.card import read_card
from svad.run.filming import motion_video
from svad.run.pipeline import Pipeline
from svad.run.results import load_avatar
from svad.types import Avatar
from tools.examples.people import Person

LIMIT = 4_950_000  # bytes per person
FRONT, TURNTABLE, VIEWER, GLB, ARCHIVE = (
    FORMATS[name].file for name in ("front", "turntable", "moving", "glb", "archive")
)
VIEWER_MOST, VIEWER_LEAST, VIEWER_STEP = 360_000, 100_000, 10_000  # Gaussians in it
TURNTABLE_CRF, MOTION_CRF = 20, 22
MOTIONS = ("wave", "walk")
MOTION_HEIGHT = 480  # px
THUMBNAIL = 240  # px, height
KEPT = (
    *("photo.jpg", "thumb.jpg", "front.webp", TURNTABLE, VIEWER, ARCHIVE),
    *(f"motions/{name}.mp4" for name in MOTIONS),
)
README = """\
{title}
{line}

A person who does not exist: body from MakeHuman data (CC0), clothes and hair modelled by
tools/examples, photo drawn by the same. All files here are CC0 1.0 (public domain).

avatar.glb      The coloured mesh with skeleton, facial morph targets and animations. For Blender,
                game engines and the web. Metres, y up, faces +z.
job.json        How it was made: settings, versions and seconds.

To get everything (avatar.ply, avatar.safetensors, all Gaussians), run
    python -m svad examples/{name}/photo.jpg -o out/
"""


def make_result(person: Person, folder: Path, pipeline: Pipeline) -> dict[str, int]:
    """Fills examples/<name> from its photo.jpg; returns bytes by file.

    What the other files leave of the person's share goes to the copy for the 3D view.
    """
    with tempfile.TemporaryDirectory() as place:
        job = Path(place) / "job"
        pipeline.run(folder / "photo.jpg", job)
        card = _for_readers(read_card(job))
        write_mp4(folder / TURNTABLE, _frames(job / TURNTABLE), 24.0, TURNTABLE_CRF)
        for name in MOTIONS:
            clip = job / f"{name}.mp4"
            motion_video(job, name, clip, shot=Shot(height=MOTION_HEIGHT))
            write_mp4(folder / "motions" / f"{name}.mp4", _frames(clip), 24.0, MOTION_CRF)
        front = Image.fromarray(read_png(job / FRONT))
        with writing(folder / "front.webp") as temporary:
            front.save(temporary, quality=92, alpha_quality=100, method=6)
        _archive(folder / ARCHIVE, person, job, card)
        photo = read_rgb(folder / "photo.jpg")
        save_jpg(folder / "thumb.jpg", fit_within(photo, THUMBNAIL, THUMBNAIL), quality=85)
        write_json(folder / "example.json", _facts(person, card))
        room = LIMIT - sum(_sizes(folder, *(n for n in KEPT if n != VIEWER)).values())
        write_bytes(folder / VIEWER, moving_copy(load_avatar(job), room))
    return _sizes(folder, *KEPT)


def _sizes(folder: Path, *names: str) -> dict[str, int]:
    return {name: (folder / name).stat().st_size for name in names}


def moving_copy(avatar: Avatar, room: int) -> bytes:
    """The avatar for the 3D view, with as many Gaussians as go into `room` bytes."""
    for limit in range(VIEWER_MOST, VIEWER_LEAST - 1, -VIEWER_STEP):
        data = viewer_rig_bytes(avatar, limit)
        if len(data) <= room:
            return data
    raise ValueError(f"There are {room} bytes for the 3D view, too few to look at.")


def _frames(path: Path) -> Iterator[np.ndarray]:
    """The pictures of a video [H, W, 3] uint8."""
    import imageio.v3 as reader

    yield from reader.imiter(path)


def _for_readers(card: Mapping) -> dict:
    """The job card without what only a job folder needs."""
    stages = [
        {key: stage[key] for key in ("name", "title", "state", "seconds", "note") if key in stage}
        for stage in card["stages"]
    ]
    kept = ("preset", "seed", "settings", "versions", "source", "seconds")
    warnings = list(card.get("warnings") or [])
    return {key: card[key] for key in kept} | {"stages": stages, "warnings": warnings}


def _facts(person: Person, card: Mapping) -> dict:
    """What example.json says."""
    return {
        "title": person.title,
        "shows": person.shows,
        "first": person.first,
        "preset": card["preset"],
        "seed": card["seed"],
        "seconds": card["seconds"],
        "stages": {stage["name"]: stage["seconds"] for stage in card["stages"]},
        "versions": card["versions"],
        "licence": "CC0-1.0",
        "made_by": f"python -m tools.examples.make --render --results --only {person.name}",
    }


def _archive(path: Path, person: Person, job: Path, card: dict) -> None:
    """The light archive; same files, same bytes."""
    title = person.title
    texts = {
        "README.txt": README.format(title=title, line="=" * len(title), name=person.name),
        "LICENSE-AND-CONSENT.txt": licence(card),
        "job.json": json.dumps(card, indent=2, ensure_ascii=False) + "\n",
    }
    with writing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        members = {name: text.encode() for name, text in texts.items()}
        members[GLB] = (job / GLB).read_bytes()
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=9)
