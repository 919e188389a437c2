"""What happens when a finished avatar is made better, and when its versions are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import gradio as gr

from svad.config.preset import BUILT_IN
from svad.config.presets import CLIP, PRESETS
from svad.core.errors import JobError, Stopped, SvadError
from svad.run.costs import cost
from svad.run.offers import offer
from svad.ui import stages, texts
from svad.ui.beats import Seen
from svad.ui.explain import explain
from svad.ui.files import uploaded
from svad.ui.panels import notes, offers, uploads
from svad.ui.parts import Updates
from svad.ui.showing import Showing


class BetterEvents(Showing, ABC):
    """The callbacks of *Make it better* and of the choice between versions."""

    @abstractmethod
    def create(
        self, job: str, preset: str | None = None, body: str = BUILT_IN, shown: str = ""
    ) -> Iterator[Updates]:
        """Runs a preset, see `RunEvents.create`."""

    def improve(self, job: str, body: str, shown: str) -> Iterator[Updates]:
        """*Make it better* was pressed: the next preset runs in the same job."""
        name = next(iter(_runnable(self.studio.next_better(job) if job else [])), None)
        if name is None:
            yield self.better(job)
            return
        yield from self.create(job, name, body, shown)

    def add(self, files: list[dict] | None, job: str, body: str, shown: str) -> Iterator[Updates]:
        """A clip or photos were added to the finished avatar of a photo."""
        p = self.parts
        ready = {p.stop: gr.Button(visible=False), p.more: gr.UploadButton(interactive=True)}
        yield {
            p.stop: gr.Button(texts.STOP, interactive=True, visible=True),
            p.more: gr.UploadButton(interactive=False),
            p.status: uploads.looking(0, None, "", self.studio.ready),
        }
        try:
            sent = [uploaded(file) for file in files or ()]
            for beat in self.studio.add(job, sent, f"add:{job}"):
                if not isinstance(beat, Seen):
                    words = uploads.looking(beat.seconds, beat.share, beat.note, self.studio.ready)
                    yield {p.status: words}
        except Stopped:
            yield ready | {p.status: stages.note(texts.ADD_STOPPED)}
            return
        except Exception as error:
            bad = isinstance(error, SvadError) and not isinstance(error, JobError)
            title = texts.BAD_PICTURES if bad else texts.FAILED
            yield ready | {p.status: notes.problem(title, explain(error), texts.ADD_KEPT)}
            return
        yield ready | {p.photo: gr.Gallery()}
        yield from self.create(job, CLIP.name, body, shown)

    def pick_version(self, key: str | None) -> Updates:
        """One of a job's avatars was chosen."""
        try:
            finished = self.studio.finished(key or "")
        except SvadError as error:
            return {self.parts.status: stages.note(str(error), kind="bad")}
        return self.show(finished) if finished is not None else {self.parts.status: gr.skip()}

    def better(self, job: str) -> Updates:
        """What would make more of the job's avatar; hidden where there is nothing to do."""
        p = self.parts
        names = self.studio.next_better(job) if job else []
        clip = bool(names or (job and self._may_add(job)))
        go = _runnable(names)[:1]
        words = [offer(PRESETS[name]) for name in names]
        title = PRESETS[go[0]].title if go else ""
        return {
            p.better: offers.better(words, cost(CLIP, self.studio.settings.jobs)) if clip else "",
            p.improve: gr.Button(
                texts.IMPROVE.format(name=title), visible=bool(go), interactive=True
            ),
            p.more: gr.UploadButton(visible=clip, interactive=True),
        }

    def _may_add(self, job: str) -> bool:
        made = self.studio.versions(job)
        new = CLIP.name not in {one.preset for one in made}
        return bool(made) and new and self.studio.is_photo(job)


def _runnable(names: list[str]) -> list[str]:
    """Those of the presets that can be run here within the time somebody waits."""
    found = [offer(PRESETS[name]) for name in names]
    return [one.preset for one in found if one.ready and not (one.needs_gpu and one.here == "cpu")]
