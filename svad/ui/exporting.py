"""What happens when somebody asks for the avatar as a file for another program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from svad.export.formats import EVERY
from svad.export.row import Format
from svad.ui import texts
from svad.ui.beats import Making
from svad.ui.explain import explain
from svad.ui.extras import EXPORT
from svad.ui.panels import avatar, notes
from svad.ui.parts import Parts, Updates
from svad.ui.studio import Studio


class ExportEvents:
    """The callbacks below the list of files."""

    studio: Studio
    parts: Parts

    def export(self, name: str | None, shown: str) -> Iterator[Updates]:
        """A format was chosen: the file is made, or given where it was made before."""
        p = self.parts
        try:
            finished = self.studio.finished(shown) if shown else None
            row = EVERY.get(name or "")
            if finished is None or row is None:
                yield {p.exported: notes.hint(texts.NOTHING_YET)}
                return
            yield from self._exported(row, self.studio.export(finished, row.name))
        except Exception as error:
            yield {p.exported: notes.hint(explain(error))}

    def attend_export(self, shown: str) -> Iterator[Updates]:
        """The page has come back: the file that was asked for last, or how far it is."""
        p = self.parts
        yield {p.exported: gr.skip()}  # gradio wants something
        found = self.studio.again(shown, EXPORT)
        if found is None:
            return
        (_, name), beats = found
        yield {p.export: gr.Radio(value=name)}
        try:
            yield from self._exported(EVERY[name], beats)
        except Exception as error:
            yield {p.exported: notes.hint(explain(error))}

    def _exported(self, row: Format, beats: Iterator[Making | Path]) -> Iterator[Updates]:
        making = texts.EXPORT_MAKING.format(name=row.file)
        for beat in beats:
            if isinstance(beat, Path):
                html = avatar.exported(beat, row, self.studio.shelf)
            else:
                html = notes.busy(making, beat.seconds, beat.share, beat.note)
            yield {self.parts.exported: html}


def export_choices() -> list[tuple[str, str]]:
    """The formats that are made when asked for, as (title, name)."""
    return [(f"{row.file}: {row.title}", row.name) for row in EVERY.values() if row.asked]
