"""Writes zip files: whole or not at all, and the same bytes for the same members."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from svad.core.files import writing

STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: same files, same bytes
PACKED = {".mp4"}  # already compressed


def write_zip(path: Path, members: Iterable[tuple[str, Path | str | bytes]]) -> None:
    """Writes a zip of `members`: name, and a file or content; atomic, same bytes again.

    Each is asked for when those before it are packed. Raises `OutputError` when the disk is full or
    the folder cannot be written to.
    """
    with writing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, source in members:
            info = zipfile.ZipInfo(name, STAMP)
            info.external_attr = 0o644 << 16
            stored = Path(name).suffix in PACKED
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            if isinstance(source, str):
                source = source.encode()
            data = source.read_bytes() if isinstance(source, Path) else source
            archive.writestr(info, data, compresslevel=1)
