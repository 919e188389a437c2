"""What happens when something on the page is pressed: each callback asks the studio, shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import gradio as gr

from svad.core.errors import SvadError
from svad.ui import stages, texts
from svad.ui.explain import explain
from svad.ui.exporting import ExportEvents
from svad.ui.motions import MotionEvents
from svad.ui.offering import offering
from svad.ui.panels import notes, offers, visit
from svad.ui.parts import Given, Parts, Updates
from svad.ui.pictures import PictureEvents
from svad.ui.returning import ReturnEvents
from svad.ui.running import RunEvents
from svad.ui.studio import Studio


class Events(RunEvents, ReturnEvents, PictureEvents, MotionEvents, ExportEvents):
    """The callbacks; they hold no visitor's data."""

    def __init__(self, studio: Studio, parts: Parts) -> None:
        self.studio, self.parts = studio, parts

    def choose(self, preset: str) -> Updates:
        """A preset was chosen."""
        steps = stages.step_list((), self.studio.shelf.url, preset)
        return self._offer(preset) | {self.parts.steps: steps}

    def cost(self, job: str, preset: str) -> Updates:
        """A run has ended: what its preset, or the chosen one of a photo, costs is known better."""
        with suppress(SvadError):  # it has been removed meanwhile
            preset = self.studio.preset_for(job, preset) if job else preset
        return {self.parts.offer: self._offer(preset)[self.parts.offer]}

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
                    yield {p.offer: offers.fetching(preset, beat)}
                    continue
                now = self._offer(preset)
                yield ready | now | {p.offer: offers.fetched(beat) + now[p.offer]}
        except Exception as error:
            sentence = notes.problem(texts.FETCH_FAILED, explain(error), "")
            yield (ready | self._offer(preset) | {p.offer: sentence})

    def halt(self) -> Updates:
        """*Stop fetching* was pressed."""
        self.studio.fetcher.stop()
        return {self.parts.halt: gr.Button(texts.STOPPING, interactive=False)}

    def _offer(self, preset: str) -> Updates:
        return offering(self.parts, preset, self.studio.settings)

    def pick(self, event: gr.EventData) -> Updates:
        """An example was chosen."""
        finished = self.studio.finished(f"example:{event.pick}")
        if finished is None:
            return {self.parts.status: gr.skip()}  # gradio wants something
        return self.show(finished) | {
            self.parts.examples: self.shown_examples(finished.key),
            self.parts.tabs: gr.Tabs(selected="avatar"),
        }

    def arrive(self, request: gr.Request) -> Updates:
        """The page was opened, perhaps through the link of a job."""
        p = self.parts
        job = request.query_params.get("job", "")
        token = request.query_params.get("avatar", "")
        if token and not job:
            return self._shared(token)
        if not job:
            return {self.parts.status: gr.skip()}  # gradio wants something
        try:
            finished = next(reversed(self.studio.versions(job)), None)
            picture = self.studio.seen(job)
        except SvadError as error:
            gone = {p.mark: visit.mark("", forget=job)}
            return gone | {p.status: stages.note(str(error), kind="bad")}
        updates: Updates = {}
        if picture is not None:
            go = gr.Button(interactive=True)
            several = not self.studio.is_photo(job)
            given = Given((str(picture),), "", several)
            updates = {p.job: job, p.photo: [str(picture)], p.create: go, p.check: ""}
            updates |= {p.mark: visit.mark(job), p.delete: gr.Button(visible=True)}
            updates |= {p.given: given, p.preset: self.studio.preset_of(job)}
            updates |= self._kind(True, "") if several else {}
            updates[p.body] = self.studio.body_of(job)
        if finished is None:
            going = self.studio.progress(job) is not None  # `attend` comes next
            words = "" if going else stages.note(texts.LINK_UNFINISHED)
            return updates | self.unfinished(job, "") | {p.status: words} | self._waiting(job)
        updates |= {p.examples: self.shown_examples(finished.key)} | self.better(job)
        return updates | self.show(finished) | self._waiting(job)

    def _waiting(self, job: str) -> Updates:
        """That a run of the job is paused, if one is."""
        p, found = self.parts, self.studio.unfinished(job)
        if found is None or found.state != "paused":
            return {}
        why = stages.note(f"{texts.PAUSED} {found.why}", texts.PAUSED_LINK, kind="warn")
        return {p.status: why, p.resume: gr.Button(visible=True, interactive=True)}

    def _shared(self, token: str) -> Updates:
        finished = self.studio.shared(token)
        if finished is None:
            return {self.parts.status: stages.note(texts.SHARE_GONE, kind="bad")}
        return self.show(finished) | {self.parts.examples: self.shown_examples(finished.key)}
