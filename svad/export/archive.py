"""Packs the files a person takes home into one zip archive."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from svad.core.files import writing
from svad.export.context import ExportContext
from svad.export.formats import packed_formats
from svad.export.notes import licence, readme
from svad.motion.authored import authored

STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: same files, same bytes
PACKED = {".mp4"}  # already compressed


def write_archive(path: Path, members: Iterable[tuple[str, Path | str | bytes]]) -> None:
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


def pack(context: ExportContext, path: Path) -> None:
    """The archive of a job: its formats, with notes, card and loader example."""
    write_archive(path, _members(context))


def _members(context: ExportContext) -> Iterator[tuple[str, Path | str | bytes]]:
    """What goes into the archive; formats that are still being written come last."""
    avatar, formats = context.avatar, packed_formats()
    expressions = len(avatar.expression_names)
    imported = str(context.card.get("imported") or "")
    yield "README.txt", readme(len(avatar.gaussians), expressions, tuple(authored()), imported)
    yield "LICENSE-AND-CONSENT.txt", licence(context.card)
    yield "job.json", card_text(context.card)
    yield "loader_example.py", loader_example()
    for row in sorted(formats, key=lambda row: row.beside):
        if row.beside:
            context.wait()
        for name in row.files(context.settings):
            yield name, context.folder / name


def card_text(card: Mapping[str, Any]) -> str:
    """The job card as it goes into the archive."""
    return json.dumps(card, indent=2, ensure_ascii=False) + "\n"


def loader_example() -> str:
    """The source of the loader example."""
    return Path(__file__).with_name("loader_example.py").read_text(encoding="utf-8")
