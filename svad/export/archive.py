"""Packs the files a person takes home into one zip archive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from svad.export.context import ExportContext
from svad.export.notes import licence, readme
from svad.export.row import Format
from svad.export.zipped import write_zip
from svad.motion.authored import authored


def pack(context: ExportContext, formats: Sequence[Format], path: Path) -> None:
    """The archive of a job: these formats, with notes, card and loader example."""
    write_zip(path, _members(context, formats))


def _members(
    context: ExportContext, formats: Sequence[Format]
) -> Iterator[tuple[str, Path | str | bytes]]:
    """What goes into the archive, each as soon as it is written; the slowest come last."""
    yield "LICENSE-AND-CONSENT.txt", licence(context.card)
    yield "job.json", card_text(context.card)
    yield "loader_example.py", loader_example()
    for row in sorted(formats, key=lambda row: row.beside):
        context.progress.wait_for(row.name)
        for name in row.files(context.settings):
            yield name, context.folder / name
    # not before: the face shapes that it counts are made for the mesh
    count, shapes = len(context.avatar.gaussians), context.shaped[1]
    yield "README.txt", readme(formats, count, len(shapes), tuple(authored()), context.card)


def card_text(card: Mapping[str, Any]) -> str:
    """The job card as it goes into the archive."""
    return json.dumps(card, indent=2, ensure_ascii=False) + "\n"


def loader_example() -> str:
    """The source of the loader example."""
    return Path(__file__).with_name("loader_example.py").read_text(encoding="utf-8")
