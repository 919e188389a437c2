"""Writes files whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from svad.core.errors import OutputError
from svad.core.parts import drop, part_of, sweep

SHOWN = 60  # characters of a name in a sentence
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BLOCKED = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}
_MANY = {errno.EMFILE, errno.ENFILE}
_BROKEN = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBUSY, errno.ESTALE}  # disks, networks


def output_error(error: OSError, folder: Path) -> OutputError | None:
    """The sentence for a failure to write below `folder`; None for failures of another kind."""
    place = in_short(folder)
    if error.errno in _FULL:
        return OutputError(
            f"There is no room left to write in {place}. Free some space or choose another "
            "folder, then start again: what is finished is kept."
        )
    if error.errno in _CLOSED:
        return OutputError(
            f"{place} cannot be written to. Choose a folder you own, or change its permissions."
        )
    if error.errno in _BLOCKED:
        return OutputError(f"{place} cannot be used as a folder. Choose another one.")
    return None


def in_short(path: Path | str) -> str:
    """A path or a name as a sentence can have it: of a very long one the beginning and the end."""
    text = str(path)
    return text if len(text) <= 3 * SHOWN else f"{text[:SHOWN]}...{text[-SHOWN:]}"


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Makes a folder and those above it, unless it is there; raises `OutputError`."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        why = OutputError(
            f"{in_short(folder)} cannot be made ({error.strerror}). Choose another folder."
        )
        raise output_error(error, folder) or why from error


def plain(error: OSError) -> str | None:
    """A sentence for what the system refused to do with a path; None for a failure within."""
    if error.errno in _FULL:
        return "There is no room left on the disk. Free some space, then start again."
    if error.errno in _MANY:
        return "Too many files are open on this machine. Close some programs, or raise `ulimit -n`."
    if "temporary directory" in str(error):  # as `tempfile` says it
        return "There is no folder for temporary files that can be written to. Set TMPDIR to one."
    if error.filename is None or error.errno not in _CLOSED | _BLOCKED | _BROKEN:
        return None
    return (
        f"{in_short(str(error.filename))} cannot be read or written ({error.strerror}). Check the "
        "path and the permissions, or choose another."
    )


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; the file takes its place when the block ends well.

    The temporary file has the same suffix, so that writers may choose the format by it. Nothing
    is left behind when the block fails, and what a killed run has left here goes. Raises
    `OutputError` when the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    temporary = part_of(path)
    try:
        make_folder(path.parent)
        sweep(path.parent)
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as error:
        reason = output_error(error, path.parent)
        if reason is None:
            raise
        raise reason from error
    finally:
        drop(temporary)  # not there after success


def require_writable(path: Path) -> None:
    """Raises `OutputError` where a file cannot be written, before the work that it is to hold."""
    path = Path(path)
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder. Name the file in it, such as {path / 'NAME'}.")
    make_folder(path.parent)
    temporary = part_of(path)
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # a name may be longer than the disk takes
        temporary.touch()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG and (known := output_error(error, path.parent)):
            raise known from error
        raise OutputError(
            f"{path.name[:SHOWN]} cannot be written ({error.strerror}). Choose another name."
        ) from error
    finally:
        drop(temporary)


@contextmanager
def kept_for(path: Path) -> Iterator[None]:
    """Raises what `require_writable` does; where the block fails, no folder made for it stays."""
    new = [folder for folder in Path(path).parents if not os.path.lexists(folder)]  # deepest first
    try:
        require_writable(path)
        yield
    except BaseException:
        for folder in new:
            with suppress(OSError):  # not made, or something is in it
                folder.rmdir()
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data`, replacing what was there."""
    with writing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8, replacing what was there."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, replacing what was there."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
