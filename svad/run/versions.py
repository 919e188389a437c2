"""Several avatars of one person in one job: the first, and those that other presets made of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from svad.config.presets import PHOTO_PRESETS, PRESETS
from svad.core.errors import JobError
from svad.core.files import make_folder, write_json, writing
from svad.run.card import CARD, read_card
from svad.run.jobs import BETTER, is_own
from svad.run.results import read_result

LAST = "package"  # the stage whose files no other preset has a use for


def place_of(home: Path, preset: str) -> Path:
    """Where a run of the preset works in a job, so that no finished avatar is replaced.

    The job's own folder for its first avatar, and for that one made again; another preset than the
    finished one's gets a folder inside.
    """
    inside = home / BETTER / preset
    if (inside / CARD).exists():
        return inside
    return inside if is_finished(home) and read_card(home).get("preset") != preset else home


def prepare(home: Path, preset: str) -> Path:
    """That folder, with what finished stages of the first avatar left there.

    Which of it is kept is up to the run, by the keys of its stages: what has the same inputs,
    settings, code and files is not done again. Raises `OutputError` if it cannot be written to.
    """
    place = place_of(home, preset)
    if place == home:
        return home
    make_folder(place, mode=0o700)
    if not (place / CARD).exists() and PRESETS[preset].footage is None:
        _hand_over(home, place)
    return place


def _hand_over(home: Path, place: Path) -> None:
    """Links the files of finished stages, and writes a card that lists them; the card last."""
    card = read_card(home)
    stages = [_taken(entry) for entry in card.get("stages", ()) if entry["name"] != LAST]
    for name in [file for entry in stages for file in entry["files"]]:
        if (home / name).is_file() and not (place / name).exists():
            _link(home / name, place / name)
    same = {name: card[name] for name in ("schema", "source", "warnings") if name in card}
    write_json(place / CARD, same | {"state": "waiting", "stages": stages})


def _taken(entry: dict[str, Any]) -> dict[str, Any]:
    files = {name: size for name, size in entry.get("files", {}).items() if is_own(name)}
    return entry | {"files": files}


def _link(source: Path, target: Path) -> None:
    """The same file under another name: runs replace files and never write into them."""
    make_folder(target.parent)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        with writing(target) as temporary:
            shutil.copyfile(source, temporary)


def is_finished(folder: Path) -> bool:
    """Whether there is a whole avatar in a folder."""
    try:
        read_result(folder)
    except JobError:
        return False
    return True


def finished_in(home: Path) -> list[str]:
    """The finished avatars of a job, oldest first: "" is the first, the others by preset."""
    inside = [name for name in PRESETS if is_finished(home / BETTER / name)]
    inside.sort(key=lambda name: (home / BETTER / name / CARD).stat().st_mtime)
    return ([""] if is_finished(home) else []) + inside


def better_than(preset: str) -> list[str]:
    """The presets for a photo that make more of it than this one, the next first."""
    names = list(PHOTO_PRESETS)
    return names[names.index(preset) + 1 :] if preset in names else []
