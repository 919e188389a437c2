"""Hundreds of jobs from several clients: memory stays flat, the disk is given back."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.drill import tiny
from tools.drill.server import Page, served

WARM = 20  # jobs after which memory may grow no more
GROWTH = 0.10
KEEP = 20.0  # s that pictures and avatars are kept
SPARE = 15.0  # s more that the janitors may take
LARGEST = 400e6  # bytes of disk at any time: what is made in the seconds it is kept


def drill(options: argparse.Namespace, folder: Path, end: float) -> dict[str, Any]:
    """All jobs end with files, memory is flat after the twentieth, and the disk is bounded."""
    photo = tiny.save_photo(folder / "photo.png").read_bytes()
    with served(folder / "page", hosted=False, keep_seconds=KEEP, at_once=2) as page:
        rows = _Rows(page, options.jobs)
        threads = [
            threading.Thread(target=_client, args=(page, photo, rows, end))
            for _ in range(options.clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(min(KEEP + SPARE, max(0.0, end - time.monotonic())))
        left = _bytes(page)
        ended = page.ended()
    return _found(options, rows, left, ended)


class _Rows:
    """What the clients measured; shared by all."""

    def __init__(self, page: Page, jobs: int) -> None:
        self._page, self._jobs, self._lock, self._begun = page, jobs, threading.Lock(), 0
        self.memory: list[int] = []
        self.disk: list[int] = []
        self.failed: list[str] = []

    def take(self) -> Iterator[int]:
        """The numbers of the jobs, each to one client."""
        while True:
            with self._lock:
                if self._begun >= self._jobs:
                    return
                self._begun += 1
                number = self._begun
            yield number

    def note(self, wrong: str) -> None:
        """A job has ended."""
        with self._lock:
            self.memory.append(self._page.memory())
            if len(self.memory) % 10 == 0:
                self.disk.append(_bytes(self._page))
            if wrong:
                self.failed.append(wrong)


def _client(page: Page, photo: bytes, rows: _Rows, end: float) -> None:
    for number in rows.take():
        if time.monotonic() > end - KEEP - SPARE:
            return
        rows.note(_job(page, photo, number))


def _job(page: Page, photo: bytes, number: int) -> str:
    """One visit by a program; gives what went wrong."""
    sent = page.upload(photo, f"photo-{number}.png")
    if sent.status != 200:
        return f"upload {number}: {sent.status} {sent.text[:200]}"
    made = page.call("generate", [{"path": json.loads(sent.body)[0]}, None, "default"])
    try:
        last = [one for one in made.text.splitlines() if one.startswith("data: ")][-1]
        done = json.loads(last.removeprefix("data: "))[0]
        assert done["state"] == "done" and "avatar.zip" in done["files"]
        told = page.call("status", [done["job"]])
        assert '"done"' in told.text
    except (ValueError, KeyError, IndexError, TypeError, AssertionError):
        return f"job {number}: {made.status} {made.text[-300:]}"
    return ""


def _bytes(page: Page) -> int:
    """Of the disk; files come and go meanwhile, and folders too."""
    total = 0
    for top in (page.jobs, page.cache):
        for folder, _, names in os.walk(top):
            for name in names:
                with suppress(OSError):
                    total += os.stat(os.path.join(folder, name)).st_size
    return total


def _found(options: argparse.Namespace, rows: _Rows, left: int, ended: str) -> dict[str, Any]:
    missed = rows.failed[:5]
    if len(rows.memory) < options.jobs:
        missed.append(f"only {len(rows.memory)} of {options.jobs} jobs in the time")
    if ended:
        missed.append(ended)
    start = rows.memory[min(WARM, len(rows.memory)) - 1] if rows.memory else 0
    latest = rows.memory[-1] if rows.memory else 0
    if start and latest > start * (1 + GROWTH):
        missed.append(f"memory grew from {start / 1e6:.0f} to {latest / 1e6:.0f} MB")
    most = max(rows.disk, default=0)
    if most > LARGEST:
        missed.append(f"{most / 1e6:.0f} MB of disk at once")
    return {
        "jobs": len(rows.memory),
        "clients": options.clients,
        "memory_mb_after_20": round(start / 1e6, 1),
        "memory_mb_at_end": round(latest / 1e6, 1),
        "disk_mb_most": round(most / 1e6, 1),
        "disk_mb_left": round(left / 1e6, 2),
        "missed": missed,
    }
