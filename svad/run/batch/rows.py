"""What became of each photo: a line of JSON in `results.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from svad.core.errors import OutputError
from svad.core.files import output_error, write_text

DONE, FAILED, STOPPED, WAITING = "done", "failed", "stopped", "waiting"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One photo of a batch."""

    photo: str  # its file's name
    folder: str  # of its avatar, within that of the results
    state: str  # done | failed | stopped | waiting
    seconds: float = 0.0  # that its stages took, in all calls together
    warnings: tuple[str, ...] = ()  # what the person should know of the avatar
    error: str | None = None  # why there is none, in a sentence
    files: tuple[str, ...] = ()  # of the result, within its folder
    fingerprint: str = ""  # of photo, settings, code and pretrained files


def read_rows(path: Path) -> dict[str, Row]:
    """The last line about each photo, by its name; lines that are cut or strange do not count."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = filter(None, map(_read, lines))
    return {row.photo: row for row in found}


def _read(line: str) -> Row | None:
    try:
        values = json.loads(line)
        names = [field.name for field in fields(Row) if field.name in values]
        known: dict[str, Any] = {name: values[name] for name in names}
        for name in ("warnings", "files"):
            known[name] = tuple(map(str, known.get(name, ())))
        row = Row(**known)
    except (ValueError, TypeError):
        return None
    plain = isinstance(row.photo, str) and isinstance(row.folder, str)
    own = plain and Path(row.folder).name == row.folder and row.folder not in ("", "..")
    return row if own else None  # the file lies on a disk, and may be forged


def append_row(path: Path, row: Row) -> None:
    """Adds a line, so that a killed batch has told what it did; raises `OutputError`."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(row))
    except OSError as error:
        raise output_error(error, path.parent) or OutputError(str(error)) from error


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes all lines anew; raises `OutputError`."""
    write_text(path, "".join(map(_line, rows)))


def _line(row: Row) -> str:
    values: dict[str, Any] = asdict(row)
    return json.dumps(values, ensure_ascii=False) + "\n"
