"""Writes files whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from svad.core.errors import OutputError

PART = ".svad-part-"  # first letters of temporary names; a killed run may leave some behind
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BLOCKED = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}


def output_error(error: OSError, place: Path) -> OutputError | None:
    """The sentence for a failure to write below `place`; None for failures of another kind."""
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


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; the file takes its place when the block ends well.

    The temporary file has the same suffix, so that writers may choose the format by it. Nothing
    is left behind when the block fails. Raises `OutputError` when the disk is full or the folder
    cannot be written to.
    """
    path = Path(path)
    temporary = path.with_name(f"{PART}{secrets.token_hex(4)}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
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
        # Not there after success; `missing_ok` does not cover a parent that is no folder.
        if temporary.parent.is_dir():
            temporary.unlink(missing_ok=True)


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
