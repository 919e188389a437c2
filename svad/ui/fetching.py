"""Fetches the files of a preset for the page: one bar per file, stopped and gone on with."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from svad.core.errors import Stopped, SvadError
from svad.ui.work import Task
from svad.weights.download import Outcome, download
from svad.weights.manifest import Entry
from svad.weights.own_repo import store_to_fill
from svad.weights.store import Store, named_repository
from svad.weights.transfer import DONE, Progress

FETCH, ACCEPT = "SVAD_FETCH", "SVAD_ACCEPT_TERMS"  # what a Space's owner sets
OWN = "own"  # in place of a preset

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileState:
    """How far one file is."""

    name: str
    done: int  # bytes
    total: int | None  # bytes, None = not known
    note: str  # "", "checking", "converting to safetensors" or "done"


@dataclass(frozen=True)
class Fetching:
    """One beat of a download, or its end."""

    files: tuple[FileState, ...]
    over: bool = False
    stopped: bool = False
    errors: tuple[str, ...] = ()  # sentences


@dataclass
class _News:
    """The files in the order in which they were begun."""

    task: Task
    files: dict[str, FileState] = field(default_factory=dict)

    def progress(self, entry: Entry) -> Progress:
        def show(done: int, total: int | None, note: str) -> None:
            if self.task.stop.is_set():
                raise Stopped("Stopped.")
            self.files[entry.name] = FileState(entry.base, done, total, note)
            self.task.tell(tuple(self.files.values()))

        return show


class Fetcher:
    """One download at a time."""

    def __init__(self, fetch: Callable[..., list[Outcome]] = download) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._task: Task | None = None

    def fetch(self, preset: str, accepted: bool) -> Iterator[Fetching]:
        """What the preset reads and is not here; a beat at least every second.

        Closing the generator stops it; what has come is gone on with the next time. Files whose
        terms must be accepted first stay away unless `accepted`. Raises `SvadError` when another
        download runs, or the disk cannot hold the files.
        """

        def work(task: Task) -> list[Outcome]:
            store = store_to_fill()
            progress = _News(task).progress
            return self._fetch(store, store.of_preset(preset), progress, accepted=accepted)

        with self._lock:
            if self._task is not None and self._task.running:
                raise SvadError("Files are being fetched already. Wait for that, or stop it.")
            task = self._task = Task(work)
        try:
            for _ in task.beats():
                yield Fetching(task.news or ())
            yield self._ended(task)
        finally:
            task.stop.set()

    def stop(self) -> None:
        """Asks the running download to stop."""
        with self._lock:  # one that begins this moment is meant, too
            task = self._task
        if task is not None:
            task.halt()

    def _ended(self, task: Task) -> Fetching:
        files = task.news or ()
        if task.running:  # told to stop, and about to notice
            return Fetching(files, over=True, stopped=True)
        try:
            outcomes = task.result()
        except Stopped:
            return Fetching(files, over=True, stopped=True)
        errors = tuple(f"{o.entry.base}: {o.error}" for o in outcomes if o.error)
        return Fetching(files, over=True, errors=errors)


def fetch_at_start(fetch: Callable[..., list[Outcome]] = download) -> None:
    """What the owner of a Space asked for: `SVAD_FETCH=quick` fetches that preset's files.

    `SVAD_FETCH=own` fetches what lies in the repository that SVAD_WEIGHTS names; a preset brings
    that, too.
    `SVAD_ACCEPT_TERMS=1` says that its owner accepts the terms of files that ask for it. Whatever
    goes wrong is logged in a sentence; the page works without the files.
    """
    for preset in os.environ.get(FETCH, "").replace(",", " ").split():
        try:
            store = store_to_fill()
            outcomes = fetch(
                store, _wanted(store, preset), _logged, accepted=os.environ.get(ACCEPT) == "1"
            )
        except SvadError as error:
            log.warning("Files of %s were not fetched: %s", preset, error)
            continue
        for outcome in outcomes:
            if outcome.error:
                log.warning("%s was not fetched: %s", outcome.entry.base, outcome.error)


def _wanted(store: Store, preset: str) -> list[Entry]:
    """The files of a preset, and those in the owner's own repository."""
    repo = named_repository(os.environ)
    own = [entry for entry in store.entries.values() if repo and entry.repo == repo]
    files = [] if preset == OWN else store.of_preset(preset)
    return list({entry.name: entry for entry in [*files, *own]}.values())


def _logged(entry: Entry) -> Progress:
    def show(done: int, total: int | None, note: str) -> None:
        if note == DONE or done == 0:
            log.info("%s: %s of %s bytes %s", entry.base, done, total, note)

    return show
