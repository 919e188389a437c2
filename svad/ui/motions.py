"""What happens when a motion is chosen, or brought as a clip or a file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from svad.core.errors import JobError, Stopped
from svad.motion.authored import authored
from svad.motion.readers.files import MotionError
from svad.ui import shooting, texts
from svad.ui.beats import Followed, Making
from svad.ui.explain import explain
from svad.ui.extras import FOLLOW, MOTION
from svad.ui.files import uploaded
from svad.ui.gallery import Finished
from svad.ui.panels import avatar, notes
from svad.ui.parts import Parts, Updates
from svad.ui.shooting import filming
from svad.ui.studio import Studio


class MotionEvents:
    """The callbacks below *Motions*."""

    studio: Studio
    parts: Parts

    def move(self, motion: str | None, shown: str, *chosen: Any) -> Iterator[Updates]:
        """A motion was chosen; `chosen`: the arguments of `filming`."""
        p = self.parts
        try:
            finished = self.studio.finished(shown) if shown else None
            if finished is None or not motion:
                yield {p.motion_video: notes.hint(texts.MOTION_NOTHING)}
                return
            beats = self.studio.move(finished, motion, filming(*chosen))
            yield from self._moved(finished, motion, beats)
        except Exception as error:
            yield {p.motion_video: notes.hint(explain(error))}

    def attend_motion(self, shown: str) -> Iterator[Updates]:
        """The page has come back: the video that was asked for last, or how far it is."""
        p = self.parts
        yield {p.motion_video: gr.skip()}  # gradio wants something
        found, finished = self.studio.again(shown, MOTION, FOLLOW), self.studio.finished(shown)
        if found is None or finished is None:
            return
        (kind, what, *_), beats = found
        if kind == FOLLOW:
            yield from self._following(what, lambda: (finished, beats))
            return
        yield {p.motion: gr.Radio(value=what)}
        try:
            yield from self._moved(finished, what, beats)
        except Exception as error:
            yield {p.motion_video: notes.hint(explain(error))}

    def _moved(
        self, finished: Finished, motion: str, beats: Iterator[Making | Path]
    ) -> Iterator[Updates]:
        title = authored()[motion].title if motion in authored() else ""
        label = texts.MOTION_VIDEO.format(name=title, who=finished.name)
        making = texts.MOTION_MAKING.format(name=title)
        for beat in beats:
            if isinstance(beat, Path):
                html = shooting.shown(beat, label, self.studio.shelf, title)
            else:
                html = notes.busy(making, beat.seconds, beat.share, beat.note)
            yield {self.parts.motion_video: html}

    def film_anew(self, motion: str | None, shown: str, *chosen: Any) -> Iterator[Updates]:
        """Something else was chosen of the video: that of a bundled motion is made again."""
        if motion:
            yield from self.move(motion, shown, *chosen)
        else:
            yield {}

    def follow_clip(self, clip: dict | None, shown: str, *chosen: Any) -> Iterator[Updates]:
        """A clip or a motion's file was chosen: the avatar moves as the person in it does."""
        ticket = secrets.token_urlsafe(8)

        def begun() -> tuple[Finished, Iterator[Making | Followed]]:
            finished = self.studio.finished(shown) if shown else None
            if finished is None:
                raise JobError(texts.MOTION_NOTHING)
            how = filming(*chosen)
            return finished, self.studio.follow(finished, uploaded(clip), ticket, how)

        yield from self._following(ticket, begun)

    def _following(
        self,
        ticket: str,
        begun: Callable[[], tuple[Finished, Iterator[Making | Followed]]],
    ) -> Iterator[Updates]:
        p = self.parts
        yield {
            p.following: ticket,
            p.follow: gr.UploadButton(interactive=False),
            p.follow_stop: gr.Button(texts.FOLLOW_STOP, visible=True, interactive=True),
            p.motion: gr.Radio(value=None, interactive=False),
            p.motion_video: notes.busy(texts.FOLLOW_MAKING, 0, None),
        }
        ready = {
            p.following: "",
            p.follow: gr.UploadButton(interactive=True),
            p.follow_stop: gr.Button(visible=False),
            p.motion: gr.Radio(interactive=True),
        }
        try:
            finished, beats = begun()
            for beat in beats:
                if isinstance(beat, Followed):
                    yield ready | {p.motion_video: self._followed(beat, finished)}
                else:
                    making = notes.busy(texts.FOLLOW_MAKING, beat.seconds, beat.share, beat.note)
                    yield {p.motion_video: making}
        except Stopped:
            yield ready | {p.motion_video: notes.hint(texts.FOLLOW_STOPPED)}
        except Exception as error:
            what = texts.BAD_MOTION if isinstance(error, MotionError) else texts.BAD_CLIP
            yield ready | {p.motion_video: notes.problem(what, explain(error), "")}

    def halt_follow(self, ticket: str) -> Updates:
        """*Stop* was pressed beside the clip."""
        if not self.studio.halt(ticket):
            return {self.parts.follow_stop: gr.Button(visible=False)}
        return {self.parts.follow_stop: gr.Button(texts.STOPPING, interactive=False)}

    def _followed(self, beat: Followed, finished: Finished) -> str:
        label = texts.MOTION_VIDEO.format(name=texts.FOLLOW_TITLE, who=finished.name)
        shelf = self.studio.shelf
        film = shooting.shown(beat.video, label, shelf, texts.FOLLOW_TITLE)
        film += avatar.in_the_view(beat.moving)
        return film + avatar.motion_files((beat.motion, beat.bvh, beat.mesh), beat.warnings, shelf)


def motion_choices(finished: Finished | None) -> list[tuple[str, str]]:
    """The motions that can be played, as (title, name)."""
    return [(authored()[name].title, name) for name in (finished.motions if finished else ())]
