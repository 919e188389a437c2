"""A private folder of jobs: who may see them, and when they go."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from svad.core.errors import JobError, OutputError
from svad.core.files import make_folder
from svad.core.locks import is_locked, locked
from svad.run.card import CARD
from svad.run.jobs import BETTER, LOCK, Job, file_size

ID = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 random bits


class JobStore:
    """A private folder of jobs; who knows a job's id may see it, nobody can list them."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def create(self) -> Job:
        """A new, empty job; raises `OutputError` if the root cannot be written to."""
        folder = self.root / secrets.token_urlsafe(16)
        make_folder(self.root, mode=0o700)
        make_folder(folder, mode=0o700)
        return Job(folder)

    def open(self, id: str) -> Job:
        """The job of that id; raises `JobError` if there is none (any more)."""
        if not ID.fullmatch(id) or not (self.root / id).is_dir():
            raise JobError("This avatar is not here any more: finished ones are kept for a while.")
        return Job(self.root / id)

    def remove(self, id: str) -> None:
        """Deletes a job with all that is in it; raises `JobError` while a run works there."""
        folder = self.open(id).folder
        with ExitStack() as locks:
            for place in _places(folder):
                try:
                    locks.enter_context(locked(place / LOCK))
                except OutputError:
                    # A full disk has no room for a lock, and is freed by this.
                    if is_locked(place / LOCK):
                        raise
            shutil.rmtree(folder)

    def clean(self, max_age: float, max_bytes: int) -> int:
        """Deletes jobs older than `max_age` seconds, then the oldest until `max_bytes` are kept.

        Jobs that run are left alone. Returns the number of deleted jobs.
        """
        jobs = (
            [f for f in self.root.iterdir() if ID.fullmatch(f.name)] if self.root.exists() else []
        )
        ages = sorted((_touched(folder), folder) for folder in jobs)  # oldest first
        total = sum(_bytes(folder) for folder in jobs)
        deleted = 0
        for touched, folder in ages:
            young = time.time() - touched <= max_age and total <= max_bytes
            if young or any(is_locked(place / LOCK) for place in _places(folder)):
                continue
            size = _bytes(folder)
            try:
                self.remove(folder.name)
            except (JobError, OutputError, FileNotFoundError):
                continue  # a run began this moment, or somebody else was faster
            total -= size
            deleted += 1
        return deleted


def start_janitor(
    store: JobStore, every: float, max_age: float, max_bytes: int
) -> Callable[[], None]:
    """Cleans `store` now and every `every` seconds in the background.

    Returns how to end that, which waits for the round in hand.
    """
    ended = threading.Event()

    def work() -> None:
        while True:
            try:
                store.clean(max_age, max_bytes)
            except OSError:
                # The next round may do better; a dead janitor would fill the disk.
                logging.getLogger(__name__).exception("the job folder could not be cleaned")
            if ended.wait(every):
                return

    def end() -> None:
        ended.set()
        janitor.join()

    janitor = threading.Thread(target=work, daemon=True, name="janitor")
    janitor.start()
    return end


def _places(folder: Path) -> list[Path]:
    """The folders of a job in which runs work."""
    return [folder, *(folder / BETTER).glob("*/")]


def _bytes(folder: Path) -> int:
    """Of all files below; a run, or a visitor who deletes, may be at work there."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(file_size(file) or 0 for file in files)


def _touched(folder: Path) -> float:
    """When the job was last worked on."""
    times = [0.0]
    for mark in (place / name for place in _places(folder) for name in (CARD, LOCK, "")):
        with suppress(OSError):  # not there, or not any more
            times.append(mark.stat().st_mtime)
    return max(times)
