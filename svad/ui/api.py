"""The public endpoints for programs and models, named after what a visitor does on the page.

Their docstrings are what the page of the API and the MCP server show; `Args:` is their format.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradio.events import api

from svad.config.preset import BUILT_IN
from svad.config.presets import PRESETS, PREVIEW
from svad.core.errors import SvadError
from svad.export.formats import EVERY
from svad.run.bodies import own_body
from svad.run.sources import is_one_photo, require_fitting
from svad.ui import texts
from svad.ui.api_moving import add_moving
from svad.ui.beats import Ended, Progress, Seen
from svad.ui.calls import explained, file_data, job_named, newest, streaming, word
from svad.ui.files import uploaded
from svad.ui.gallery import Finished
from svad.ui.studio import Studio


def add_endpoints(studio: Studio) -> None:
    """Adds them to the page being built."""

    def generate(
        photo: dict | list[dict], preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[dict]:
        """Makes an animatable 3D avatar from a photo of a person, or from a clip of one turning.

        Streams dictionaries: "state" (looking, waiting, running, stopped, paused or done),
        "seconds", "stages", "warnings", "job" (a private word for the other tools) and, when done,
        "files" (name to file: avatar.zip has everything, turntable.mp4 shows it). Use photos only
        with the consent of the person.

        Args:
            photo: an uploaded file as {"path": PATH}, where PATH is what a POST of the file to /gradio_api/upload gives; or a list of two to four photos of one person; addresses of other servers are not fetched
            preset: preview, quick or paper for one photo (default preview), clip for the rest; a wrong one is answered with all names
            body: default, or smplx_neutral, smplx_male, smplx_female where that file is installed
        """  # noqa: E501  gradio reads one line for each argument
        if preset and word("preset", preset, PREVIEW.name) not in PRESETS:
            words = texts.PRESET_UNKNOWN.format(name=preset, names=", ".join(PRESETS))
            raise SvadError(words)
        own_body(word("body", body, BUILT_IN))
        sent = [uploaded(one) for one in (photo if isinstance(photo, list) else [photo])]
        if preset:
            require_fitting(PRESETS[preset], is_one_photo(sent))
        yield from _generate(studio, sent, preset, body)

    def resume(job: str) -> Iterator[dict]:
        """Goes on with a job that was stopped, paused for want of a GPU, or failed.

        Finished steps are kept. Streams the same dictionaries as generate; a job that is done is
        answered at once, with its files.

        Args:
            job: the word that generate gave as "job"
        """
        known = job_named(studio, job)
        left = studio.unfinished(known)
        if left is None and studio.versions(known):
            yield _status(studio, known)
            return
        yield from _create(studio, known, left.preset if left else None, studio.body_of(known))

    def status(job: str) -> dict:
        """Tells how far a job is, without waiting and at no cost.

        Gives "state": ready (nothing was begun), waiting, running, stopped, paused, failed or done;
        "stages", "why" where it did not end well, and "files" once there is an avatar.

        Args:
            job: the word that generate gave as "job"
        """
        return _status(studio, job_named(studio, job))

    def export(job: str, format: str) -> dict:
        """Gives the avatar of a job as a file for another program: Blender, a game, a viewer.

        Args:
            job: the word that generate gave as "job"
            format: the name of a format, such as glb, ply, textured, vrm, obj, spz or sog; a wrong one is answered with all names
        """  # noqa: E501
        if word("format", format, "glb") not in EVERY:
            words = texts.FORMAT_UNKNOWN.format(name=format, names=", ".join(EVERY))
            raise SvadError(words)
        *_, path = studio.export(newest(studio, job), format)
        return file_data(Path(str(path)))

    def example(name: str) -> dict:
        """Gives the files of a finished example, at no cost.

        Args:
            name: of an example; a wrong one is answered with all names
        """
        finished = studio.examples.get(word("name", name, "ada"))
        if finished is None:
            names = ", ".join(studio.examples) or "none"
            raise SvadError(texts.EXAMPLE_UNKNOWN.format(name=name, names=names))
        return files(finished, studio)

    for endpoint in (generate, resume):
        api(
            streaming(endpoint),
            api_name=endpoint.__name__,
            concurrency_limit=studio.settings.waiting,
        )
    add_moving(studio)
    api(explained(export), api_name="export")
    for endpoint in (status, example):
        api(explained(endpoint), api_name=endpoint.__name__, queue=False)


def _generate(studio: Studio, sent: list[Path], preset: str | None, body: str) -> Iterator[dict]:
    seen = None
    for beat in studio.look(sent):
        if isinstance(beat, Seen):
            seen = beat
        else:
            yield {"state": "looking", "seconds": round(beat.seconds, 1), "note": beat.note}
    if seen is not None:
        yield from _create(studio, seen.job, preset, body, seen.warnings)


def _create(
    studio: Studio, job: str, preset: str | None, body: str, warnings: tuple[str, ...] = ()
) -> Iterator[dict]:
    try:
        for news in studio.create(job, preset, body):
            yield {"job": job, "warnings": list(warnings)} | describe(news, studio)
    except GeneratorExit:  # cancelled; a program has no other way to stop a run
        studio.stop(job)
        raise


def _status(studio: Studio, job: str) -> dict[str, Any]:
    """How far a job is, and the files of its newest avatar."""
    made = studio.versions(job)
    found: dict[str, Any] = {"job": job, "state": "done" if made else "ready", "stages": []}
    running, left = studio.progress(job), studio.unfinished(job)
    if running is not None:
        found |= describe(running, studio)
    elif left is not None:
        # a run that nobody works on any more was cut off
        state = "stopped" if left.state == "running" else left.state
        found |= {"state": state, "preset": left.preset, "why": left.why}
    if made:
        found |= {"files": files(made[-1], studio), "preset": made[-1].preset}
    return found


def describe(news: Progress | Ended, studio: Studio) -> dict[str, Any]:
    """One beat as plain values."""
    states = [
        {"name": s.name, "state": s.state, "done": s.done, "total": s.total, "note": s.note}
        for s in news.states
    ]
    result: dict[str, Any] = {"seconds": round(news.seconds, 1), "stages": states}
    if isinstance(news, Progress):
        if news.ahead or news.winding_down:
            return result | {"state": "waiting", "ahead": news.ahead, "wait": news.wait}
        return result | {"state": "running", "ahead": 0}
    if news.paused:
        return result | {"state": "paused", "why": news.paused}
    if news.finished is None:
        return result | {"state": "stopped"}
    return result | {"state": "done", "files": files(news.finished, studio)}


def files(finished: Finished, studio: Studio) -> dict[str, Any]:
    """The files of an avatar as gradio hands them to programs."""
    found = [finished.archive, finished.front, *finished.downloads]
    published = [studio.shelf.publish(path) for path in found if path is not None]
    return {path.name: file_data(path) for path in published}
