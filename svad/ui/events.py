"""What happens when something on the page is pressed: each callback asks the studio, shows."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from svad.config import BUILT_IN, PRESETS
from svad.core.errors import OutputError, PhotoError, SvadError
from svad.core.files import output_error
from svad.motion.authored import authored
from svad.run.offers import offer
from svad.ui import panels, stages, texts
from svad.ui.files import uploaded
from svad.ui.gallery import Finished
from svad.ui.result_view import make_sheet
from svad.ui.studio import Ended, Progress, Seen, Studio
from svad.weights.convert import in_words

log = logging.getLogger(__name__)
Updates = dict[Any, Any]  # component -> its new value or properties


@dataclass(frozen=True)
class Parts:
    """The components of the page that change."""

    photo: gr.Image
    check: gr.HTML
    preset: gr.Radio
    body: gr.Radio  # shown where there is a choice
    body_note: gr.HTML
    offer: gr.HTML
    accept: gr.Checkbox  # the terms of files that ask for it
    fetch: gr.Button
    halt: gr.Button  # stops fetching
    create: gr.Button
    stop: gr.Button
    status: gr.HTML
    examples: gr.HTML
    heading: gr.HTML
    download: gr.DownloadButton
    tabs: gr.Tabs
    video: gr.HTML
    viewer: gr.HTML
    compare: gr.ImageSlider
    no_compare: gr.HTML
    motion: gr.Radio
    motion_video: gr.HTML
    steps: gr.HTML
    files: gr.HTML
    job: gr.State  # id of the job of the photo on the left, "" for none
    shown: gr.State  # key of the avatar on the right, "" for none


class Events:
    """The callbacks; they hold no visitor's data."""

    def __init__(self, studio: Studio, parts: Parts) -> None:
        self.studio, self.parts = studio, parts

    def look(self, upload: dict | None) -> Iterator[Updates]:
        """A photo was dropped (or taken away)."""
        p = self.parts
        yield {
            p.job: "",
            p.create: gr.Button(interactive=False),
            p.check: panels.looking(0, self.studio.ready) if upload else panels.tips(),
            p.status: "",
        }
        if not upload:
            return
        try:
            for beat in self.studio.look(uploaded(upload)):
                if isinstance(beat, Seen):
                    yield {
                        p.job: beat.job,
                        p.photo: str(beat.picture),
                        p.check: panels.seen(beat.warnings),
                        p.create: gr.Button(interactive=True),
                    }
                else:
                    yield {p.check: panels.looking(beat, self.studio.ready)}
        except Exception as error:
            sentence = explain(error)
            title = texts.BAD_PHOTO if isinstance(error, PhotoError) else texts.FAILED
            yield {p.check: panels.problem(title, sentence, texts.ANOTHER_PHOTO)}

    def choose(self, preset: str) -> Updates:
        """A preset was chosen."""
        steps = stages.step_list((), self.studio.shelf.url, preset)
        return self._offer(preset) | {self.parts.steps: steps}

    def fetch(self, preset: str, accepted: bool) -> Iterator[Updates]:
        """*Fetch the files* was pressed."""
        p = self.parts
        yield {
            p.fetch: gr.Button(visible=False),
            p.accept: gr.Checkbox(visible=False),
            p.halt: gr.Button(texts.FETCH_STOP, interactive=True, visible=True),
            p.preset: gr.Radio(interactive=False),
        }
        ready = {p.halt: gr.Button(visible=False), p.preset: gr.Radio(interactive=True)}
        try:
            if self.studio.settings.hosted:
                raise SvadError(texts.FETCH_HOSTED)
            for beat in self.studio.fetcher.fetch(preset, accepted):
                if not beat.over:
                    yield {p.offer: panels.fetching(preset, beat)}
                    continue
                now = self._offer(preset)
                yield ready | now | {p.offer: panels.fetched(beat) + now[p.offer]}
        except Exception as error:
            sentence = panels.problem(texts.FETCH_FAILED, explain(error), "")
            yield ready | self._offer(preset) | {p.offer: sentence}

    def halt(self) -> Updates:
        """*Stop fetching* was pressed."""
        self.studio.fetcher.stop()
        return {self.parts.halt: gr.Button(texts.STOPPING, interactive=False)}

    def _offer(self, preset: str) -> Updates:
        """What a preset gives and lacks, and whether its files can be fetched from here."""
        p = self.parts
        try:
            found = offer(PRESETS[preset])
        except SvadError as error:
            hidden = {p.fetch: gr.Button(visible=False), p.accept: gr.Checkbox(visible=False)}
            return hidden | {p.offer: panels.problem(texts.FAILED, str(error), "")}
        files = [] if self.studio.settings.hosted else panels.can_fetch(found)
        size = in_words(sum(entry.size or 0 for entry in files))
        asks = any(entry.gate == "accept-terms" for entry in files)
        return {
            p.offer: panels.offer(found),
            p.fetch: gr.Button(texts.FETCH_SIZE.format(size=size), visible=bool(files)),
            p.accept: gr.Checkbox(visible=asks),
        }

    def create(
        self, job: str, preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[Updates]:
        """*Create avatar* was pressed."""
        p = self.parts
        if not job:
            yield {p.status: stages.note(texts.NO_PHOTO, kind="bad")}
            return
        yield {
            p.create: gr.Button(texts.CREATING, interactive=False),
            p.stop: gr.Button(texts.STOP, interactive=True, visible=True),
            p.photo: gr.Image(interactive=False),
            p.tabs: gr.Tabs(selected="steps"),
            p.status: stages.status((), 0),
            p.steps: stages.step_list(
                (), self.studio.shelf.url, preset or self.studio.settings.preset
            ),
            p.preset: gr.Radio(interactive=False),
            p.body: gr.Radio(interactive=False),
        }
        ready = {
            p.preset: gr.Radio(interactive=True),
            p.body: gr.Radio(interactive=True),
            p.create: gr.Button(texts.CREATE, interactive=True),
            p.stop: gr.Button(visible=False),
            p.photo: gr.Image(interactive=True),
        }
        try:
            for beat in self.studio.create(job, preset, body):
                if isinstance(beat, Progress):
                    yield self._progress(beat)
                else:
                    yield ready | self._ended(beat)
        except Exception as error:
            advice = "" if isinstance(error, OutputError) else texts.KEPT
            yield ready | {p.status: stages.note(explain(error), advice, kind="bad")}

    def stop(self, job: str) -> Updates:
        """*Stop* was pressed."""
        if not self.studio.stop(job):
            return {self.parts.stop: gr.Button(visible=False)}
        return {self.parts.stop: gr.Button(texts.STOPPING, interactive=False)}

    def pick(self, event: gr.EventData) -> Updates:
        """An example was chosen."""
        finished = self.studio.finished(f"example:{event.pick}")
        if finished is None:
            return {self.parts.status: gr.skip()}  # gradio wants something
        return self.show(finished) | {
            self.parts.examples: self._examples(finished.key),
            self.parts.tabs: gr.Tabs(selected="avatar"),
        }

    def move(self, motion: str | None, shown: str) -> Iterator[Updates]:
        """A motion was chosen."""
        p = self.parts
        try:
            finished = self.studio.finished(shown) if shown else None
            if finished is None or not motion:
                yield {p.motion_video: panels.hint(texts.MOTION_NOTHING)}
                return
            title = authored()[motion].title if motion in authored() else ""
            label = texts.MOTION_VIDEO.format(name=title, who=finished.name)
            making = texts.MOTION_MAKING.format(name=title)
            for beat in self.studio.move(finished, motion):
                if isinstance(beat, Path):
                    html = panels.video(beat, label, self.studio.shelf, title)
                else:
                    html = panels.busy(making, beat.seconds, beat.share)
                yield {p.motion_video: html}
        except Exception as error:
            yield {p.motion_video: panels.hint(explain(error))}

    def arrive(self, request: gr.Request) -> Updates:
        """The page was opened, perhaps through the link of a job."""
        p = self.parts
        job = request.query_params.get("job", "")
        if not job:
            return {self.parts.status: gr.skip()}  # gradio wants something
        try:
            finished = self.studio.finished(f"job:{job}")
            picture = self.studio.seen(job)
        except SvadError as error:
            return {p.status: stages.note(str(error), kind="bad")}
        updates: Updates = {}
        if picture is not None:
            go = gr.Button(interactive=True)
            updates = {p.job: job, p.photo: str(picture), p.create: go, p.check: ""}
            updates[p.preset] = self.studio.preset_of(job)
            updates[p.body] = self.studio.body_of(job)
        if finished is None:
            return updates | {p.status: stages.note(texts.LINK_UNFINISHED)}
        return updates | self.show(finished) | {p.examples: self._examples(finished.key)}

    def show(self, finished: Finished) -> Updates:
        """The right side of the page with this avatar."""
        p = self.parts
        sheet = make_sheet(finished, self.studio.shelf, self.studio.settings.keep_hours)
        archive = None if sheet.archive is None else str(sheet.archive)
        pair = None if sheet.pair is None else (str(sheet.pair[0]), str(sheet.pair[1]))
        return {
            p.shown: sheet.key,
            p.heading: sheet.heading,
            p.download: gr.DownloadButton(value=archive, interactive=archive is not None),
            p.video: sheet.video,
            p.viewer: sheet.viewer,
            p.compare: gr.ImageSlider(
                value=pair, visible=pair is not None, width=f"min(100%, {sheet.pair_width}px)"
            ),
            p.no_compare: gr.HTML(visible=pair is None),
            p.motion: gr.Radio(choices=motion_choices(finished), value=None),
            p.motion_video: sheet.motion,
            p.files: sheet.files,
        }

    def _progress(self, beat: Progress) -> Updates:
        p = self.parts
        if beat.winding_down:
            return {p.status: stages.note(texts.WINDING_DOWN)}
        if beat.ahead:
            many = texts.WAITING_MANY.format(n=beat.ahead)
            return {p.status: stages.note(texts.WAITING_ONE if beat.ahead == 1 else many)}
        return {
            p.status: stages.status(beat.states, beat.seconds),
            p.steps: stages.step_list(beat.states, self.studio.shelf.url),
        }

    def _ended(self, beat: Ended) -> Updates:
        p = self.parts
        steps = {p.steps: stages.step_list(beat.states, self.studio.shelf.url)}
        if beat.finished is None:
            done = sum(state.state in ("done", "kept") for state in beat.states)
            words = {0: texts.STOPPED_EARLY, 1: texts.STOPPED_ONE}.get(done, texts.STOPPED)
            return steps | {p.status: stages.note(words.format(done=done))}
        done = texts.FINISHED.format(s=f"{beat.seconds:.0f}")
        return (
            steps
            | self.show(beat.finished)
            | {
                p.status: stages.note(done, kind="good"),
                p.tabs: gr.Tabs(selected="avatar"),
                p.examples: self._examples(beat.finished.key),
            }
        )

    def _examples(self, shown: str) -> str:
        return panels.examples(self.studio.examples, shown, self.studio.shelf)


def motion_choices(finished: Finished | None) -> list[tuple[str, str]]:
    """The motions that can be played, as (title, name)."""
    return [(authored()[name].title, name) for name in (finished.motions if finished else ())]


def explain(error: Exception) -> str:
    """A sentence for the visitor; what nobody expected is logged under a code."""
    if isinstance(error, SvadError):
        return str(error)
    if isinstance(error, OSError) and output_error(error, Path()) is not None:
        return texts.NO_WRITE if isinstance(error, PermissionError) else texts.NO_SPACE
    code = secrets.token_hex(3)
    log.error("Unexpected error, code %s", code, exc_info=error)
    return texts.UNEXPECTED.format(code=code)
