"""Unfinished files: whose they are, and which of them a killed run has left behind."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path

PART = ".svad-part-"  # first letters of their names
LONGEST = 200  # bytes of a name that is repeated in that of its part; file systems take 255
QUIET = 86400.0  # seconds after which one of another machine counts as left behind
_NAME = re.compile(re.escape(PART) + r"([0-9a-f]{4})-(\d+)-[0-9a-f]{8}-")
_OWN: set[str] = set()  # the names of those that this process is writing


def part_of(path: Path) -> Path:
    """A new name beside `path`, with its suffix, that tells which process writes it."""
    name = path.name
    if len(os.fsencode(name)) > LONGEST:
        name = path.suffix if len(os.fsencode(path.suffix)) < LONGEST else ""
    mark = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    part = path.with_name(f"{PART}{mark}-{name}")
    _OWN.add(part.name)
    return part


def drop(part: Path) -> None:
    """Removes a part, if it is still there; a failure to do so is no news."""
    _OWN.discard(part.name)
    with suppress(OSError):
        part.unlink()


def sweep(folder: Path) -> None:
    """Removes the parts in a folder whose process has ended, and nothing else."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith(PART) and is_left(Path(entry.path)):
                with suppress(OSError):
                    os.unlink(entry.path)


def is_left(
    part: Path,
    quiet: float = QUIET,  # seconds without a change, of one whose process is not known here
) -> bool:
    """Whether nobody writes a part any more: its process has ended, or it is a day old."""
    told = _NAME.match(part.name)
    if told is None or told[1] != _machine():
        with suppress(OSError):
            return time.time() - part.lstat().st_mtime >= quiet
        return False
    process = int(told[2])
    return part.name not in _OWN if process == os.getpid() else not is_alive(process)


def is_alive(process: int) -> bool:
    """Whether a process of this machine runs."""
    if process <= 0:
        return False
    if os.name != "posix":
        return True  # to ask by a signal would end it there
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it lives, under another user
    return True


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:4]
