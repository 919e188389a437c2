"""What happens when a run is begun, watched, gone on with, stopped."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from svad.config.preset import BUILT_IN
from svad.config.presets import PRESETS
from svad.core.errors import OutputError, SvadError
from svad.run.bodies import bodies_here
from svad.ui import stages, texts
from svad.ui.beats import Ended, Progress
from svad.ui.better import BetterEvents
from svad.ui.explain import explain
from svad.ui.parts import Updates


class RunEvents(BetterEvents):
    """The callbacks of *Create avatar*, *Resume* and *Stop*, and of a page that comes back."""

    def create(
        self, job: str, preset: str | None = None, body: str = BUILT_IN, shown: str = ""
    ) -> Iterator[Updates]:
        """*Create avatar* was pressed, while the avatar of the key `shown` is shown."""
        p = self.parts
        if not job:
            yield {p.status: stages.note(texts.NO_PHOTO, kind="bad")}
            return
        try:
            chosen = self.studio.preset_for(job, preset)
        except SvadError as error:
            yield {p.status: stages.note(str(error), kind="bad")}
            return
        yield self._begun(chosen) | self.unfinished(job, shown)
        yield from self._watched(job, self.studio.create(job, preset, body))

    def attend(self, job: str, shown: str) -> Iterator[Updates]:
        """The page has come to a job: it shows the run that goes on there, or how it ended."""
        yield {self.parts.status: gr.skip()}  # gradio wants something
        if not job:
            return
        running = self.studio.progress(job)
        if running is not None:
            begun = self._begun(self.studio.preset_for(job)) | self.unfinished(job, shown)
            yield begun | self._progress(running)
        yield from self._watched(job, self.studio.watch(job))

    def _begun(self, preset: str) -> Updates:
        """What can be pressed while a run goes on, and the steps before it."""
        p = self.parts
        return {
            p.create: gr.Button(texts.CREATING, interactive=False),
            p.stop: gr.Button(texts.STOP, interactive=True, visible=True),
            p.photo: gr.Gallery(interactive=False),
            p.tabs: gr.Tabs(selected="steps"),
            p.status: stages.status((), 0),
            p.steps: stages.step_list((), self.studio.shelf.url, preset),
            p.preset: gr.Radio(interactive=False),
            p.body: gr.Radio(interactive=False),
            p.improve: gr.Button(interactive=False),
            p.more: gr.UploadButton(interactive=False),
            p.resume: gr.Button(visible=False),
        }

    def _watched(self, job: str, run: Iterator[Progress | Ended]) -> Iterator[Updates]:
        """How far a run is, and how it ended."""
        p = self.parts
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
            for beat in run:
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

    def resume(self, job: str, body: str, shown: str) -> Iterator[Updates]:
        """*Resume* was pressed: a new event, for which the platform looks at the quota anew."""
        waits = self.studio.unfinished(job) if job else None
        yield from self.create(job, waits.preset if waits else None, body, shown)

    def _progress(self, beat: Progress) -> Updates:
        p = self.parts
        if beat.winding_down:
            return {p.status: stages.note(texts.WINDING_DOWN)}
        other = _elsewhere(beat.other)
        if beat.ahead:
            return {p.status: other + stages.note(texts.ahead(beat.ahead, beat.wait))}
        return {
            p.status: other + stages.status(beat.states, beat.seconds),
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
            why = texts.STOPPED_ALONE if beat.abandoned else ""
            return steps | {p.status: stages.note(words.format(done=done), why)}
        done = texts.FINISHED.format(s=f"{beat.seconds:.0f}")
        return (
            steps
            | self.show(beat.finished)
            | {
                p.status: stages.ready(done),
                p.tabs: gr.Tabs(selected="avatar"),
                p.examples: self.shown_examples(beat.finished.key),
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


def _elsewhere(other: tuple[str, str] | None) -> str:
    """That the run which is watched makes something else than was asked for, and what to do."""
    if other is None:
        return ""
    preset, body = other
    chosen = [PRESETS[preset].title] + [texts.BODIES[body]] * (len(bodies_here()) > 1)
    name = ", ".join(chosen)
    return stages.note(texts.ELSEWHERE.format(name=name), texts.ELSEWHERE_STOP, kind="warn")
