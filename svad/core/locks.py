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

from svad.core.errors import JobError, OutputError
from svad.core.files import output_error
from svad.core.parts import drop, is_alive, part_of

BEAT = 10.0  # seconds between signs of life
WRITTEN = 5.0  # seconds within which a lock that was begun has its content
DEADLINE = 120.0  # seconds without one after which a lock counts as left behind


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Raises `JobError` when another run holds it, or something of that name was not made here, and
    `OutputError` when it cannot be written. A lock of ours whose process has ended, or that gave no
    sign of life for two minutes, is taken over.
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
    return _is_stale(path) is False


def _is_stale(path: Path) -> bool | None:
    """Whether the run that made a lock has ended or is silent; None where there is no lock."""
    try:
        age = _age(path)
    except OSError:
        return None
    holder = _read(path)
    if holder.get("host") == socket.gethostname() and not is_alive(holder.get("pid", 0)):
        return True
    return age >= DEADLINE


def _take(path: Path) -> str:
    token = secrets.token_hex(8)
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "time": time.time(), "token": token}
    if not _create(path, holder):
        _require_ours(path)
        if not is_locked(path):
            _sweep(path)
        if not _create(path, holder):
            raise JobError(
                "Another run is working in this folder. Wait until it has finished, or choose "
                "another folder."
            )
    return token


def _create(path: Path, content: dict) -> bool:
    """Makes the file, unless it exists: the file system lets only one run do that.

    It has its content from the first moment, so that no killed run leaves an empty one, which would
    look like somebody else's.
    """
    temporary = part_of(path)
    try:
        _write(temporary, content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links, as of many memory cards
            if os.path.lexists(path):
                return False
            _write(path, content)
    except FileExistsError:
        return False
    except FileNotFoundError as error:  # the folder went, or takes no files, as in /proc
        raise OutputError(
            f"{path.parent} takes no files, or is not there any more. Choose another folder."
        ) from error
    except OSError as error:
        raise output_error(error, path.parent) or error from error
    finally:
        drop(temporary)
    return True


def _write(path: Path, content: dict) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
    except OSError:
        path.unlink(missing_ok=True)  # created, but there was no room for its content
        raise


def _require_ours(path: Path) -> None:
    """Raises `JobError` for a file, link or folder that is no lock of ours."""
    if not os.path.lexists(path):
        return  # gone this moment
    plain = path.is_file() and not path.is_symlink()
    if plain and "token" in _read(path):
        return
    with suppress(OSError):
        if plain and path.stat().st_size == 0 and _age(path) < WRITTEN:
            return  # just being written, where there are no links
    if not os.path.lexists(path):
        return  # gone while it was looked at
    raise JobError(
        f"{path} was not made here. Another program may be working in this folder: choose "
        "another one, or move that file away."
    )


def _sweep(path: Path) -> None:
    """Removes a stale lock. Only who holds the broom does, or one might remove a fresh lock."""
    broom = path.with_name(f"{path.name}-stale")
    if not _create(broom, {"token": ""}):
        _require_ours(broom)
        with suppress(FileNotFoundError):
            if _age(broom) > DEADLINE:
                broom.unlink()  # of a run that was killed right here
        return
    try:
        if _is_stale(path):  # one that is gone may just be made anew by who swept before
            path.unlink(missing_ok=True)
    finally:
        broom.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Seconds since its last sign of life."""
    return time.time() - path.stat().st_mtime


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
