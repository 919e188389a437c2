"""What happens when something on the page is pressed: each callback asks the studio, shows."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from svad.config.preset import BUILT_IN
from svad.core.errors import OutputError, SvadError
from svad.ui import stages, texts
from svad.ui.beats import Ended, Progress
from svad.ui.better import BetterEvents
from svad.ui.explain import explain
from svad.ui.exporting import ExportEvents
from svad.ui.gallery import Finished
from svad.ui.motions import MotionEvents, motion_choices
from svad.ui.offering import offering
from svad.ui.panels import notes, offers, visit
from svad.ui.parts import Given, Parts, Updates
from svad.ui.pictures import PictureEvents
from svad.ui.result_view import make_sheet
from svad.ui.returning import ReturnEvents
from svad.ui.studio import Studio


class Events(BetterEvents, ReturnEvents, PictureEvents, MotionEvents, ExportEvents):
    """The callbacks; they hold no visitor's data."""

    def __init__(self, studio: Studio, parts: Parts) -> None:
        self.studio, self.parts = studio, parts

    def choose(self, preset: str) -> Updates:
        """A preset was chosen."""
        steps = stages.step_list((), self.studio.shelf.url, preset)
        return self._offer(preset) | {self.parts.steps: steps}

    def cost(self, preset: str) -> Updates:
        """A run has ended: what the chosen preset costs is known better."""
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

    def create(
        self, job: str, preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[Updates]:
        """*Create avatar* was pressed."""
        p = self.parts
        if not job:
            yield {p.status: stages.note(texts.NO_PHOTO, kind="bad")}
            return
        try:
            chosen = self.studio.preset_for(job, preset)
        except SvadError as error:
            yield {p.status: stages.note(str(error), kind="bad")}
            return
        yield {
            p.create: gr.Button(texts.CREATING, interactive=False),
            p.stop: gr.Button(texts.STOP, interactive=True, visible=True),
            p.photo: gr.Gallery(interactive=False),
            p.tabs: gr.Tabs(selected="steps"),
            p.status: stages.status((), 0),
            p.steps: stages.step_list((), self.studio.shelf.url, chosen),
            p.preset: gr.Radio(interactive=False),
            p.body: gr.Radio(interactive=False),
            p.improve: gr.Button(interactive=False),
            p.more: gr.UploadButton(interactive=False),
            p.resume: gr.Button(visible=False),
        }
        ready = {
            p.preset: gr.Radio(interactive=True),
            p.body: gr.Radio(interactive=True),
            p.create: gr.Button(texts.CREATE, interactive=True),
            p.stop: gr.Button(visible=False),
            p.photo: gr.Gallery(interactive=True),
            p.improve: gr.Button(interactive=True),
            p.more: gr.UploadButton(interactive=True),
        }
        try:
            for beat in self.studio.create(job, preset, body):
                if isinstance(beat, Progress):
                    yield self._progress(beat)
                else:
                    yield ready | self._ended(beat) | self.better(job)
        except Exception as error:
            advice = "" if isinstance(error, OutputError) else texts.KEPT
            yield ready | {p.status: stages.note(explain(error), advice, kind="bad")}

    def stop(self, job: str) -> Updates:
        """*Stop* was pressed."""
        if not self.studio.stop(job) and not self.studio.halt(f"add:{job}"):
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
            return updates | {p.status: stages.note(texts.LINK_UNFINISHED)} | self._waiting(job)
        updates |= {p.examples: self._examples(finished.key)} | self.better(job)
        return updates | self.show(finished) | self._waiting(job)

    def resume(self, job: str, body: str) -> Iterator[Updates]:
        """*Resume* was pressed: a new event, for which the platform looks at the quota anew."""
        waits = self.studio.unfinished(job) if job else None
        yield from self.create(job, waits.preset if waits else None, body)

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
        return self.show(finished) | {self.parts.examples: self._examples(finished.key)}

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
            p.follow: gr.UploadButton(interactive=finished.movable),
            p.motion_video: sheet.motion,
            p.files: sheet.files,
            p.export: gr.Radio(value=None),
            p.exported: "",
            **self.several(finished),
            **self.sharing(finished),
        }

    def _progress(self, beat: Progress) -> Updates:
        p = self.parts
        if beat.winding_down:
            return {p.status: stages.note(texts.WINDING_DOWN)}
        if beat.ahead:
            return {p.status: stages.note(texts.ahead(beat.ahead, beat.wait))}
        return {
            p.status: stages.status(beat.states, beat.seconds),
            p.steps: stages.step_list(beat.states, self.studio.shelf.url),
        }

    def _ended(self, beat: Ended) -> Updates:
        p = self.parts
        steps = {p.steps: stages.step_list(beat.states, self.studio.shelf.url)}
        if beat.finished is None:
            if beat.paused:
                return steps | self._paused(beat)
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

    def _paused(self, beat: Ended) -> Updates:
        """No GPU was to be had: why, what is kept, and the way to go on, which asks anew."""
        p = self.parts
        kept = [state.title for state in beat.states if state.state in ("done", "kept")]
        what = texts.PAUSED_KEPT.format(steps=", ".join(kept)) if kept else texts.PAUSED_NOTHING
        return {
            p.status: stages.note(f"{texts.PAUSED} {beat.paused}", what, kind="warn"),
            p.resume: gr.Button(visible=True, interactive=True),
        }

    def _examples(self, shown: str) -> str:
        return visit.examples(self.studio.examples, shown, self.studio.shelf)
