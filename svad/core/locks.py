"""One run per folder: a lock file with process and time that outlives no crash."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from svad.core.errors import JobError
from svad.core.files import output_error

BEAT = 10.0  # seconds between signs of life
DEADLINE = 120.0  # seconds without one after which a lock counts as left behind


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Raises `JobError` when another run holds it, `OutputError` when it cannot be written. A lock
    whose process has ended, or that gave no sign of life for two minutes, is taken over.
    """
    token = _take(path)
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(path, token, ended), daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        if _read(path).get("token") == token:
            path.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """Whether a living run holds `path`."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    holder = _read(path)
    if holder.get("host") == socket.gethostname() and not _alive(holder.get("pid", 0)):
        return False
    return age < DEADLINE


def _take(path: Path) -> str:
    token = secrets.token_hex(8)
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "time": time.time(), "token": token}
    if not _create(path, holder):
        if not is_locked(path):
            _sweep(path)
        if not _create(path, holder):
            raise JobError(
                "Another run is working in this folder. Wait until it has finished, or choose "
                "another folder."
            )
    return token


def _create(path: Path, content: dict) -> bool:
    """Makes the file, unless it exists: the file system lets only one run do that."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
    except FileExistsError:
        return False
    except OSError as error:
        with suppress(OSError):  # a disk that is read only refuses this, too
            path.unlink()  # created, but there was no room for its content
        raise output_error(error, path.parent) or error from error
    return True


def _sweep(path: Path) -> None:
    """Removes a stale lock. Only who holds the broom does, or one might remove a fresh lock."""
    broom = path.with_name(f"{path.name}-stale")
    if not _create(broom, {}):
        with suppress(FileNotFoundError):
            if time.time() - broom.stat().st_mtime > DEADLINE:
                broom.unlink()  # of a run that was killed right here
        return
    try:
        if not is_locked(path):
            path.unlink(missing_ok=True)
    finally:
        broom.unlink(missing_ok=True)


def _beat(path: Path, token: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        if _read(path).get("token") != token:
            return  # taken over while this machine slept
        with suppress(FileNotFoundError):
            os.utime(path)


def _read(path: Path) -> dict:
    try:
        holder = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}  # gone, or just being written
    return holder if isinstance(holder, dict) else {}


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives, under another user
    return True
