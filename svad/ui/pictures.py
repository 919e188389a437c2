"""What happens when pictures are dropped, added or taken away."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from svad.config.presets import CLIP
from svad.core.errors import OutputError, Stopped, SvadError
from svad.run.sources import is_one_photo
from svad.ui import stages, texts
from svad.ui.beats import Seen
from svad.ui.explain import explain
from svad.ui.files import uploaded
from svad.ui.offering import offering
from svad.ui.panels import notes, uploads, visit
from svad.ui.parts import Given, Parts, Updates
from svad.ui.studio import Studio


class PictureEvents:
    """The callbacks of the place for photos and clips."""

    studio: Studio
    parts: Parts

    def look(
        self, gallery: list[dict] | None, given: Given, job: str, preset: str
    ) -> Iterator[Updates]:
        """The pictures are others than before: by the visitor's hand, or by the page's own."""
        p = self.parts
        files = files_in(gallery)
        paths = tuple(str(file.get("path")) for file in files)
        if paths == given.paths:  # the page itself put them there, or has refused them
            yield {p.status: gr.skip()}  # gradio wants something
            return
        now = Given(paths, secrets.token_urlsafe(8), given.several)
        yield {
            p.given: now,
            p.job: "",
            p.create: gr.Button(interactive=False),
            p.check: uploads.looking(0, None, "", self.studio.ready) if files else uploads.tips(),
            p.status: "",
            p.mark: visit.mark(""),
            p.delete: gr.Button(visible=False),
            p.sure: gr.Button(visible=False),
            p.resume: gr.Button(visible=False),
            p.better: "",
            p.improve: gr.Button(visible=False),
            p.more: gr.UploadButton(visible=False),
        }
        if not files:
            yield {p.given: Given()} | (self._kind(False, preset) if given.several else {})
            return
        sent: list[Path] = []
        try:
            sent = self._sent(files, given, job)
            for beat in self.studio.look(sent, now.ticket):
                if isinstance(beat, Seen):
                    yield self._seen(beat, now, preset)
                else:
                    ready = self.studio.ready
                    yield {p.check: uploads.looking(beat.seconds, beat.share, beat.note, ready)}
        except Stopped:  # they are taken away already
            yield {p.status: gr.skip()}
        except Exception as error:
            yield {p.check: refused(error, sent)}

    def interrupt(self, gallery: list[dict] | None, given: Given) -> None:
        """The pictures are others than those that are looked at: that look is for nothing."""
        paths = tuple(str(file.get("path")) for file in files_in(gallery))
        if given.ticket and paths != given.paths:
            self.studio.halt(given.ticket)

    def _sent(self, files: list[dict[str, Any]], given: Given, job: str) -> list[Path]:
        """The pictures that were sent. The page's own stands for those it was drawn from."""
        sent: list[Path] = []
        for file in files:
            own = job and given.paths == (file.get("path"),)
            sent += self.studio.pictures(job) if own else [uploaded(file)]
        return sent

    def _seen(self, seen: Seen, now: Given, preset: str) -> Updates:
        p, several = self.parts, seen.pictures > 0
        large = self.studio.shelf.url(seen.picture)
        updates: Updates = {
            p.job: seen.job,
            p.mark: visit.mark(seen.job),
            p.delete: gr.Button(visible=True),
            p.photo: [str(seen.picture)],
            p.given: Given((str(seen.picture),), "", several),
            p.check: uploads.seen(seen.warnings, seen.pictures, large),
            p.create: gr.Button(interactive=True),
        }
        return updates | (self._kind(several, preset) if several != now.several else {})

    def _kind(self, several: bool, preset: str) -> Updates:
        """What there is to choose for one photo, or for a clip or several photos."""
        p, name = self.parts, CLIP.name if several else preset
        return offering(p, name, self.studio.settings) | {
            p.preset: gr.Radio(visible=not several),
            p.steps: stages.step_list((), self.studio.shelf.url, name),
        }


def files_in(gallery: list[dict] | None) -> list[dict[str, Any]]:
    """The files of a gallery as the browser sends it."""
    found = (one.get("image") or one.get("video") or {} for one in gallery or ())
    return [file if isinstance(file, dict) else {} for file in found]


def refused(error: Exception, sent: list[Path]) -> str:
    """Why pictures cannot be used, and what to do."""
    title, advice = texts.FAILED, texts.ANOTHER_PHOTO
    if isinstance(error, SvadError) and not isinstance(error, OutputError):
        title = texts.BAD_PHOTO
        if sent and not is_one_photo(sent):
            advice = texts.OTHER_PICTURES
            title = texts.BAD_CLIP if len(sent) == 1 else texts.BAD_PICTURES
    return notes.problem(title, explain(error), advice)
