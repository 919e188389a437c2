"""The job folder: its lock, its place among others, its end."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from svad.config.preset import Preset, settings_of
from svad.core.errors import JobError, OutputError
from svad.core.files import make_folder, write_json
from svad.core.locks import locked
from svad.core.parts import PART, is_left
from svad.export.formats import EVERY, FORMATS
from svad.run.card import CARD, SCHEMA, read_card, versions
from svad.run.holdout import FOLDER as HOLDOUT

LOCK = ".lock"
BETTER = "better"  # inside a job: a folder for each further preset that made an avatar of it
NEXT = ".next"  # inside a folder that holds another photo's job: the new one, until it is ready
# What a run may write at the top of a folder. A folder without a job must not hold any of these:
# they would be somebody else's files.
NAMES = (
    *("input.png", "matte.png", "stages", HOLDOUT, CARD),
    *(row.file for row in EVERY.values()),
)


class Job:
    """One folder, one source, one preset; made by `open_job` or `JobStore`."""

    def __init__(self, folder: Path, home: Path | None = None) -> None:
        self.folder = Path(folder)  # where the run works
        self.home = Path(home or folder)  # where the files are in the end
        self.card: dict[str, Any] = read_card(folder) if (self.folder / CARD).exists() else {}

    @property
    def id(self) -> str:
        """The name by which a `JobStore` finds the job again."""
        return self.home.name

    @property
    def replaces(self) -> bool:
        """Whether the finished job will take the place of another photo's."""
        return self.folder != self.home

    def begin(self, preset: Preset, source: str) -> None:
        """Fills in the card for a run; what is known of finished stages stays."""
        old = self.card if self.card.get("source") == source else {}
        self.card = {
            "schema": SCHEMA,
            "preset": preset.name,
            "seed": preset.seed,
            "settings": settings_of(preset),
            "versions": versions(),
            "source": source,
            "created": old.get("created", _now()),
            "state": "running",
            "seconds": 0.0,
            "stages": old.get("stages", []),
            "warnings": old.get("warnings", []),
            "error": None,
            "result": old.get("result"),
        }
        if "pictures" in old:  # what was said of them when they were looked through
            self.card["pictures"] = old["pictures"]
        self.write()

    def entry(self, name: str) -> dict[str, Any]:
        """The card's line about one stage; empty if there is none."""
        return next((e for e in self.card["stages"] if e["name"] == name), {})

    def record(self, entry: dict[str, Any], order: Iterable[str]) -> None:
        """Puts in the line about one stage, in the order of the stages, and writes the card."""
        lines = {e["name"]: e for e in self.card["stages"]} | {entry["name"]: entry}
        self.card["stages"] = [lines[name] for name in order if name in lines]
        self.card["seconds"] = round(sum(e["seconds"] for e in self.card["stages"]), 3)
        self.write()

    def write(self) -> None:
        """Writes the card; raises `OutputError` if it cannot."""
        write_json(self.folder / CARD, self.card)

    def keeps(self, name: str, key: str) -> bool:
        """Whether the stage was finished with this key and its files are all still there."""
        entry = self.entry(name)
        files = entry.get("files", {})
        return (
            entry.get("state") == "done"
            and entry.get("key") == key
            and all(file_size(self.folder / file) == size for file, size in files.items())
        )

    def sizes(self, files: Iterable[Path]) -> dict[str, int]:
        """The form in which the card lists files: name within the folder to bytes."""
        return {p.relative_to(self.folder).as_posix(): p.stat().st_size for p in files}

    def files(self) -> set[str]:
        """The names of all files that finished stages have written."""
        entries = self.card.get("stages", [])
        return {file for entry in entries for file in entry.get("files", {}) if is_own(file)}

    def remove(self, names: Iterable[str]) -> None:
        """Deletes own files that no longer belong to the result."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            (self.folder / HOLDOUT).rmdir()
        for row in FORMATS.values():
            if row.parts is not None:
                with suppress(OSError):  # it is absent, or holds files of the person
                    (self.folder / row.file).rmdir()

    def publish(self) -> None:
        """Moves a finished job to its home; files of the job before that have no successor go.

        The old card goes first and the new one comes last: a move that is cut short is then seen
        as such, and the next run with the same photo finishes it.
        """
        if not self.replaces:
            return
        before = Job(self.home)
        (self.home / CARD).unlink(missing_ok=True)
        names = sorted(self.files() | set(_pictures(self.folder)))
        for name in names:
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.folder / name, self.home / name)
        before.remove(before.files() - set(names))
        before.remove(row.file for row in EVERY.values() if row.asked)
        os.replace(self.folder / CARD, self.home / CARD)
        for name in [*NAMES, *(left.name for left in self.folder.glob(f"{PART}*"))]:
            _remove(self.folder / name)
        with suppress(OSError):  # somebody has put something of theirs into it
            self.folder.rmdir()
        self.folder = self.home


@contextmanager
def open_job(folder: Path, source: str | None) -> Iterator[Job]:
    """Locks `folder` and gives the job in it: a new one, or the one begun with the same source.

    `source` is the hash of what was sent, None to go on with whatever lies there. If the folder
    holds the job of another, the new one is made in a folder inside and takes its place when it
    is ready. Raises `OutputError` (cannot be written to, or holds files that are not ours) and
    `JobError` (another run works there; made by a newer version).
    """
    folder = Path(folder)
    top = os.path.realpath(folder)
    if top == os.path.dirname(top):
        raise OutputError(f"{folder} is the top of the whole disk. Name a folder for the avatar.")
    make_folder(folder)
    with locked(folder / LOCK):
        job = _choose(folder, source)
        make_folder(job.folder)
        for left in [*job.folder.glob(f"{PART}*"), *job.folder.glob(f"*/{PART}*")]:
            if is_left(left, quiet=0.0):  # a video of it may be being written
                _remove(left)
        yield job


def _choose(folder: Path, source: str | None) -> Job:
    here = Job(folder)
    following = folder / NEXT
    if source is None:
        job = Job(following, folder) if (following / CARD).exists() else here
        if not job.card:
            raise JobError(f"There is no job in {folder} to go on with. Start from the photo.")
        return job
    job = Job(following, folder)
    if job.card.get("source") == source:
        return job
    if here.card.get("source") == source:
        return here
    if os.path.lexists(following):
        if not _made_here(following):
            raise OutputError(
                f"{following} was not made here and would be overwritten. Move it away, or choose "
                "another folder."
            )
        shutil.rmtree(following)
        return Job(following, folder)
    if here.card:
        return job if here.files() else here
    foreign = [name for name in NAMES if (folder / name).exists()]
    if foreign:
        raise OutputError(
            f"{folder} holds something named {foreign[0]} that was not made here and would be "
            "overwritten. Please choose an empty folder."
        )
    return here


def _made_here(folder: Path) -> bool:
    """Whether all in a folder is of a run that is not wanted any more: nothing but what runs write.

    Its card is what a run writes first.
    """
    if folder.is_symlink() or not folder.is_dir():
        return False
    names = [path.name for path in folder.iterdir() if not path.name.startswith(PART)]
    return not names or (CARD in names and set(names) <= set(NAMES))


def _remove(path: Path) -> None:
    """Deletes a file, link or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_own(name: str) -> bool:
    """Whether a name from a card is one a run writes: cards come from disks, and may be forged."""
    parts = Path(name).parts
    return bool(parts) and parts[0] in NAMES and ".." not in parts


def _pictures(folder: Path) -> list[str]:
    """The thumbnails of the stages."""
    return [p.relative_to(folder).as_posix() for p in (folder / "stages").glob("*.jpg")]


def file_size(path: Path) -> int | None:
    """Bytes of a plain file; None if there is none (any more)."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
