"""The public endpoints for programs: /generate, /animate, /follow and /example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from svad.config import BUILT_IN, PRESETS
from svad.core.errors import SvadError
from svad.run.bodies import own_body
from svad.run.sources import is_one_photo, require_fitting
from svad.ui import texts
from svad.ui.beats import Ended, Followed, Progress, Seen
from svad.ui.explain import explain
from svad.ui.files import uploaded
from svad.ui.gallery import Finished
from svad.ui.studio import Studio


def add_endpoints(studio: Studio) -> None:
    """Adds them to the page being built."""

    def generate(
        photo: dict | list[dict], preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[dict]:
        """Makes an avatar from a photo, a clip, or a list of two to four photos of one person.

        Yields the state, at the end with the files. The preset is one of those on the page, by
        name; a wrong one is answered with all names. Without one, a photo takes the preview, and a
        clip or several photos take the preset clip.
        The body is default, or smplx_neutral, smplx_male or smplx_female where that file is.

        Each result has "state" (looking, waiting, running, stopped or done), "seconds", "job",
        "warnings", "stages", and when done "files" (name to file).
        """
        try:
            if preset and preset not in PRESETS:
                words = texts.PRESET_UNKNOWN.format(name=preset, names=", ".join(PRESETS))
                raise SvadError(words)
            own_body(body)
            sent = [uploaded(one) for one in (photo if isinstance(photo, list) else [photo])]
            if preset:
                require_fitting(PRESETS[preset], is_one_photo(sent))
            yield from _generate(studio, sent, preset, body)
        except Exception as error:
            raise gr.Error(explain(error), print_exception=False) from error

    def animate(job: str, motion: str) -> dict:
        """Plays a motion with the avatar of a job; returns the video file."""
        try:
            *_, video = studio.move(_finished(studio, job), motion)
        except Exception as error:
            raise gr.Error(explain(error), print_exception=False) from error
        return gr.FileData(path=str(video)).model_dump()

    def follow(job: str, clip: dict) -> dict:
        """Moves the avatar of a job as the person in a clip or in a motion's file does.

        Returns "video" and the motion, as SMPL-X parameters in "motion" (.npz) and as "bvh", and
        the avatar with it as a "mesh" (.glb).
        """
        try:
            *_, made = studio.follow(_finished(studio, job), uploaded(clip))
            assert isinstance(made, Followed)
        except Exception as error:
            raise gr.Error(explain(error), print_exception=False) from error
        files = {"video": made.video, "motion": made.motion, "bvh": made.bvh, "mesh": made.mesh}
        return {name: gr.FileData(path=str(path)).model_dump() for name, path in files.items()}

    def example(name: str) -> dict:
        """The files of a finished example."""
        finished = studio.finished(f"example:{name}")
        if finished is None:
            names = ", ".join(studio.examples) or "none"
            raise gr.Error(f"There is no example {name}. There are: {names}.")
        return files(finished, studio)

    api(generate, api_name="generate", concurrency_limit=studio.settings.waiting)
    api(animate, api_name="animate")
    api(follow, api_name="follow")
    api(example, api_name="example", queue=False)


def _finished(studio: Studio, job: str) -> Finished:
    """The avatar of a job; raises `SvadError` while there is none."""
    finished = studio.finished(f"job:{job}")
    if finished is None:
        raise SvadError(texts.LINK_UNFINISHED)
    return finished


def _generate(studio: Studio, sent: list[Path], preset: str | None, body: str) -> Iterator[dict]:
    seen = None
    for beat in studio.look(sent):
        if isinstance(beat, Seen):
            seen = beat
        else:
            yield {"state": "looking", "seconds": round(beat.seconds, 1), "note": beat.note}
    if seen is None:
        return
    about = {"job": seen.job, "warnings": list(seen.warnings)}
    for news in studio.create(seen.job, preset, body):
        yield about | describe(news, studio)


def describe(news: Progress | Ended, studio: Studio) -> dict[str, Any]:
    """One beat as plain values."""
    states = [
        {"name": s.name, "state": s.state, "done": s.done, "total": s.total, "note": s.note}
        for s in news.states
    ]
    result: dict[str, Any] = {"seconds": round(news.seconds, 1), "stages": states}
    if isinstance(news, Progress):
        waiting = news.ahead or news.winding_down
        return result | {"state": "waiting" if waiting else "running", "ahead": news.ahead}
    if news.finished is None:
        return result | {"state": "stopped"}
    return result | {"state": "done", "files": files(news.finished, studio)}


def files(finished: Finished, studio: Studio) -> dict[str, Any]:
    """The files of an avatar as gradio hands them to programs."""
    found = [finished.archive, finished.front, *finished.downloads]
    return {
        path.name: gr.FileData(path=str(studio.shelf.publish(path))).model_dump()
        for path in found
        if path is not None
    }
