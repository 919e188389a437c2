"""Files as people name them: there, ordinary and of a bearable size, or a sentence why not."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from svad.core.errors import SvadError

WAIT = 10.0  # seconds without a byte out of a pipe
CHUNK = 2**20  # bytes
SHOWN = 60  # characters of a name in a sentence
ABSENT = "There is no file {name}. Please check the path."
CLOSED = "{name} cannot be read ({why}). Check its permissions, and those of its folder."


def is_file(path: Path) -> bool:
    """Whether an ordinary file is there; also False where nobody may look."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def is_filled(path: Path) -> bool:
    """Whether an ordinary file with something in it is there.

    Files that the system makes up, such as /proc/kmsg, are as long as an empty one, and to read
    them may take for ever.
    """
    return is_file(path) and os.stat(path).st_size > 0


def require_file(path: Path, kind: type[SvadError], most: int = 0) -> None:
    """Raises `kind` with a sentence unless an ordinary file can be read; `most` bytes, 0 = any."""
    mode, size = _looked_at(path, kind)
    if not stat.S_ISREG(mode):
        raise kind(f"{_name(path)} is a device or a pipe. Please give a file.")
    if most and size > most:
        raise kind(_too_large(path, most))
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        raise kind(CLOSED.format(name=_name(path), why=error.strerror)) from error


def read_given(path: Path, most: int, kind: type[SvadError]) -> bytes:
    """The bytes of a file or a pipe, at most `most`; raises `kind` with a sentence.

    More is not read: a file may be endless, and grow while it is read.
    """
    mode, size = _looked_at(path, kind)
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        raise kind(f"{_name(path)} is a device. Please give a file.")
    if size > most:
        raise kind(_too_large(path, most))
    if size == 0 and stat.S_ISREG(mode):
        require_file(path, kind)
        return b""  # see `is_filled`
    try:
        return _read(path, most, kind, stat.S_ISFIFO(mode))
    except OSError as error:
        raise kind(CLOSED.format(name=_name(path), why=error.strerror)) from error


def _looked_at(path: Path, kind: type[SvadError]) -> tuple[int, int]:
    """Mode and size of what is there, if it is no folder."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # a zero in the name
        raise kind(ABSENT.format(name=_name(path))) from error
    except OSError as error:
        raise kind(CLOSED.format(name=_name(path), why=error.strerror)) from error
    if stat.S_ISDIR(found.st_mode):
        raise kind(f"{_name(path)} is a folder. Please give a single file.")
    return found.st_mode, found.st_size


def _read(path: Path, most: int, kind: type[SvadError], pipe: bool) -> bytes:
    # A pipe that nobody writes to would never open.
    handle = os.open(path, os.O_RDONLY | (getattr(os, "O_NONBLOCK", 0) if pipe else 0))
    parts: list[bytes] = []
    with open(handle, "rb", buffering=0) as file:
        left = most
        while True:
            if pipe and not select.select([file], [], [], WAIT)[0]:
                raise kind(f"Nothing came out of {_name(path)} for {WAIT:.0f} seconds.")
            part = file.read(CHUNK)
            if not part:
                break
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise kind(_too_large(path, most))
    return b"".join(parts)


def _too_large(path: Path, most: int) -> str:
    return f"{_name(path)} is larger than {most / 1e6:.0f} MB. Please use a smaller copy."


def _name(path: Path) -> str:
    name = Path(path).name or str(path)
    return name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
