"""A folder of photos becomes a folder of avatars; what is finished is not done again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from svad import weights
from svad.config.preset import Preset
from svad.core.errors import JobError, Stopped
from svad.core.files import make_folder
from svad.core.locks import locked
from svad.run.batch.photos import LOCK, ROWS, find_photos, name_folders, require_apart
from svad.run.batch.report import write_report
from svad.run.batch.rows import DONE, FAILED, WAITING, Row, append_row, read_rows, write_rows
from svad.run.batch.work import BatchEngine, Make, Work, all_but_photo, fingerprint
from svad.run.board import Listener
from svad.run.pipeline import Pipeline
from svad.run.results import read_result
from svad.types import StageState

Choose = Callable[[Preset, int], BatchEngine]  # gets how many photos there are to do
LEFT_OUT = "Left out, as it is no photo: {name}."
LEFT_OUT_MANY = "Left out, as they are no photos: {n} files, such as {name}."
KEPT = "{n} of {total} were finished before and are kept."


def batch(
    photos: Path,
    out: Path,
    preset: Preset,
    choose: Choose,
    *,
    listener: Listener,
    stop: threading.Event,
    say: Callable[[str], None],
    make: Make = Pipeline,
) -> list[Row]:
    """Makes an avatar of every photo in a folder, each in a folder of its own below `out`.

    What an earlier call finished is kept where photo, settings, code and pretrained files are
    unchanged; what it began goes on. A photo that fails stops no other. Gives a row for each photo,
    in the order of their names, and writes them, with a contact sheet and a page of all, into
    `out`. Raises `SourceError` for a folder without photos, `OutputError`, `JobError` while
    another batch works there, `MissingWeights`, and `Stopped` soon after `stop` is set.
    """
    require_apart(photos, out)
    found, others = find_photos(photos)
    if make is Pipeline:
        weights.require(preset.name)
    make_folder(out)
    with locked(out / LOCK):
        if others:
            words = LEFT_OUT if len(others) == 1 else LEFT_OUT_MANY
            say(words.format(name=others[0], n=len(others)))
        before = read_rows(out / ROWS)
        works = _works(found, out, preset, before, make)
        rows = {w.photo.name: before[w.photo.name] for w in works if _is_kept(w, before)}
        left = [work for work in works if work.photo.name not in rows]
        if rows:
            say(KEPT.format(n=len(rows), total=len(works)))
        _write(out, works, rows)
        try:
            bar = Bar(listener, len(works), len(rows))
            engine = choose(preset, len(left)) if left else None
            for row in engine.run(left, stop, bar.beat) if engine else ():
                rows[row.photo] = row
                append_row(out / ROWS, row)
                bar.count(row)
                if row.state == FAILED:
                    say(f"{row.photo}: {row.error}")
            bar.beat(0.0, ended=not stop.is_set())
        finally:
            ordered = _write(out, works, rows)
            write_report(out, photos, ordered)
        if stop.is_set() and any(row.state != DONE for row in ordered):
            raise Stopped("Stopped. The same command goes on.")
        return ordered


def _works(
    found: Iterable[Path], out: Path, preset: Preset, before: Mapping[str, Row], make: Make
) -> list[Work]:
    folders = name_folders(found, out, {name: row.folder for name, row in before.items()})
    works, others = [], all_but_photo(preset)
    for photo, name in folders.items():
        try:
            mark = fingerprint(photo, others)
        except OSError:
            mark = ""  # the run says why it cannot be read
        works.append(
            Work(photo=photo, folder=out / name, preset=preset, make=make, fingerprint=mark)
        )
    return sorted(works, key=lambda work: work.photo.name)


def _is_kept(work: Work, before: Mapping[str, Row]) -> bool:
    row = before.get(work.photo.name)
    if row is None or row.state != DONE or not work.fingerprint:
        return False
    try:
        read_result(work.folder)
    except JobError:
        return False
    return row.fingerprint == work.fingerprint


def _write(out: Path, works: Iterable[Work], rows: Mapping[str, Row]) -> list[Row]:
    """The lines of all photos, in order; of those not begun, too."""
    every = [
        rows.get(w.photo.name) or Row(photo=w.photo.name, folder=w.folder.name, state=WAITING)
        for w in works
    ]
    write_rows(out / ROWS, every)
    return every


class Bar:
    """One bar for all photos."""

    def __init__(self, listener: Listener, photos: int, done: int) -> None:
        self._listener, self._photos, self._begun = listener, photos, time.monotonic()
        self._done, self._kept, self._failed = done, done, 0
        self._state = StageState("batch", "Avatars", "running", 0, 100, "", 0.0, None, None)

    def count(self, row: Row) -> None:
        """A photo has ended."""
        self._done += row.state in (DONE, FAILED)
        self._failed += row.state == FAILED
        self.beat(0.0)

    def beat(self, running: float, ended: bool = False) -> None:
        """Shows how far it is; `running`: how many photos' worth is done of those at work."""
        seconds = time.monotonic() - self._begun
        done = min(self._done + running, self._photos)
        fresh = done - self._kept
        left = seconds / fresh * (self._photos - done) if fresh > 0.1 else None
        failed = f", {self._failed} failed" if self._failed else ""
        state = replace(
            self._state, state="done" if ended else "running", done=round(1000 * done),
            total=1000 * self._photos, note=f"{self._done} of {self._photos} photos{failed}",
            seconds=seconds, remaining=left,
        )  # fmt: skip
        self._listener((state,))
