"""What a visitor can do, without any page: look at pictures, create, stop, move, come back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad.config import BUILT_IN, CLIP, PHOTO_PRESETS, PRESETS
from svad.core.errors import JobError, Stopped, SvadError
from svad.export.formats import EVERY
from svad.export.viewer_page import VIEWING
from svad.run.bodies import bodies_here, own_body
from svad.run.offers import offer
from svad.run.sources import as_list, is_one_photo
from svad.types import Footage
from svad.ui import inputs, texts
from svad.ui.beats import Ended, Followed, Making, Progress, Seen
from svad.ui.engine import Engine, Settings, load_engine
from svad.ui.fetching import Fetcher
from svad.ui.files import Shelf
from svad.ui.gallery import Finished, read_examples, read_finished
from svad.ui.memory import Memory
from svad.ui.moving import follow, play
from svad.ui.work import Line, Task, Tickets, stopping

if TYPE_CHECKING:
    from svad.run.jobs import Job
    from svad.types import Result, StageState

LOOK = "look.jpg"  # what was understood, drawn over it


class Studio:
    """All visitors' business. A visitor is known by the unguessable ids of their jobs only."""

    def __init__(
        self, settings: Settings, load: Callable[[Settings], Engine] = load_engine
    ) -> None:
        self.settings = settings
        self.examples = read_examples(settings.examples)
        self.shelf = Shelf((settings.examples, VIEWING))
        self._load = load
        self._engine: Engine | None = None
        self._loading, self._starting = threading.Lock(), threading.Lock()
        self._line = Line(settings.at_once)
        self._looking = Line(settings.at_once)  # through clips: tens of seconds
        self._tasks: dict[str, Task] = {}  # the latest run of each job
        self._tickets = Tickets()  # of looks and videos
        self.fetcher = Fetcher()
        self._memory = Memory()

    @property
    def ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._engine is not None

    def engine(self) -> Engine:
        """The engine, loaded by whoever needs it first."""
        with self._loading:
            if self._engine is None:
                self._engine = self._load(self.settings)
            return self._engine

    def look(self, sent: Path | Sequence[Path], ticket: str = "") -> Iterator[Making | Seen]:
        """How far it is while it looks at a photo, several photos or a clip, then what it saw.

        `halt(ticket)` stops it; it then raises `Stopped`. Raises `PhotoError`, `SourceError` or
        `VideoError` for pictures that cannot be used.
        """
        files = [Path(one) for one in as_list(sent) if not isinstance(one, bytes)]

        def work(task: Task) -> Seen:
            engine = self.engine()
            inputs.require_small(files, self.settings)
            if is_one_photo(files):
                seen = engine.pipeline.look(files[0])
                picture, count = seen.overlay, 0
            else:
                maker = engine.of(CLIP.name)
                with self._looking.turn(task.stop, _tell_ahead(task)):
                    seen = maker.glance(files, stopping(task))
                picture, count = maker.strip(seen), len(seen.rgb)
            job = engine.store.create()  # not before: nothing stays of what cannot be used
            inputs.keep(files, job.folder)
            self._memory.keep(job.id, seen)
            from svad.media.images import save_jpg

            save_jpg(job.folder / LOOK, picture)
            shown = self.shelf.publish(job.folder / LOOK)
            return Seen(job.id, shown, tuple(seen.warnings), count)

        yield from self._tickets.work(work, ticket)

    def halt(self, ticket: str) -> bool:
        """Stops the look or the video of a ticket; false if there is none."""
        return self._tickets.halt(ticket)

    def create(
        self, job_id: str, preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[Progress | Ended]:
        """Makes the avatar of what was looked at, with a beat at least every second.

        `preset`: see `preset_for`. Closing the generator stops the run. What an earlier run
        finished is kept. Raises `SvadError` with a sentence for the visitor.
        """
        preset = self.preset_for(job_id, preset)
        if not offer(PRESETS[preset]).fits:
            raise SvadError(texts.TOO_LONG)
        own_body(body)  # says which file is missing, before anybody waits in line
        job = self._open(job_id)

        def work(task: Task) -> Result:
            if before is not None:
                before.halt()
                task.tell(Progress((), 0, winding_down=before.running))
                while not before.join(0.25):
                    if task.stop.is_set():
                        raise Stopped("Stopped while waiting.")
            with self._line.turn(task.stop, lambda n: task.tell(Progress((), 0, ahead=n))):
                task.tell(())
                return (
                    self.engine()
                    .of(preset, body)
                    .run(
                        inputs.kept(job.folder),
                        job.folder,
                        listener=task.tell,
                        stop=task.stop,
                        **self._seen_for(job_id, preset),
                    )
                )

        with self._starting:  # visitors come at the same time
            before = self._tasks.get(job_id)
            self._tasks = {key: task for key, task in self._tasks.items() if task.running}
            task = self._tasks[job_id] = Task(work)
        states = ()
        try:
            for _ in task.beats():
                news = task.news or ()
                states = () if isinstance(news, Progress) else news
                yield news if isinstance(news, Progress) else Progress(states, task.seconds)
            yield self._ended(job, task, states)
        finally:
            task.stop.set()

    def stop(self, job_id: str) -> bool:
        """Asks the run of a job to stop; false if there is none."""
        task = self._tasks.get(job_id)
        if task is None or not task.running:
            return False
        task.halt()
        return True

    def pictures(self, job_id: str) -> list[Path]:
        """What was sent for a job; raises `JobError` when the job is not there (any more)."""
        return inputs.kept(self._open(job_id).folder)

    def is_photo(self, job_id: str) -> bool:
        """Whether one photo is all that was sent for a job."""
        return is_one_photo(self.pictures(job_id))

    def preset_for(self, job_id: str, chosen: str | None = None) -> str:
        """The preset that makes a job: a clip or several photos have one of their own.

        For a photo it is the chosen one, or the one that the page is run with.
        """
        return chosen or self.settings.preset if self.is_photo(job_id) else CLIP.name

    def preset_of(self, job_id: str) -> str:
        """The preset for photos that a job was last run with, or the page's own."""
        name = self._open(job_id).card.get("preset")
        return name if name in PHOTO_PRESETS else self.settings.preset

    def body_of(self, job_id: str) -> str:
        """The body a job was last run with, or the built-in one where that is not here any more."""
        settings = self._open(job_id).card.get("settings") or {}
        return settings["body"] if settings.get("body") in bodies_here() else BUILT_IN

    def finished(self, key: str) -> Finished | None:
        """The finished avatar behind "example:NAME" or "job:ID", or None.

        Raises `JobError` when a job is not there (any more).
        """
        kind, _, name = key.partition(":")
        if kind == "example":
            return self.examples.get(name)
        if kind != "job":
            return None
        found = self._read_finished(name)
        return found if found.archive is not None else None

    def seen(self, job_id: str) -> Path | None:
        """The pictures of a job with what was understood, if the job can be started from them.

        Raises `JobError` when the job is not there (any more).
        """
        folder = self._open(job_id).folder
        if not inputs.kept(folder) or not (folder / LOOK).is_file():
            return None
        return self.shelf.publish(folder / LOOK)

    def move(self, finished: Finished, motion: str) -> Iterator[Making | Path]:
        """How far it is while it makes the video of a motion, then the video's path.

        A video that was made before is given at once. Raises `JobError` where there is no avatar
        to move.
        """
        if motion not in finished.motions:
            raise JobError(texts.MOTION_NOT_HERE)

        def work(task: Task) -> Path:
            with self._line.turn(task.stop, _tell_ahead(task)):
                return play(self.engine().pipeline, finished, motion, stopping(task))

        video = finished.folder / "motions" / f"{motion}.mp4"
        if video.is_file():
            yield self.shelf.publish(video)
            return
        for beat in self._tickets.work(work):
            yield beat if isinstance(beat, Making) else self.shelf.publish(beat)

    def export(self, finished: Finished, name: str) -> Iterator[Making | Path]:
        """How far it is while it makes the file of a format, then the file's path.

        A file that was made before is given at once. Raises `JobError` where there is no avatar,
        `MissingFile` where the format's library is not installed.
        """
        if not finished.movable:
            raise JobError(texts.EXPORT_NOT_HERE)
        path = finished.folder / EVERY[name].file

        def work(task: Task) -> Path:
            with self._line.turn(task.stop, _tell_ahead(task)):
                return self.engine().export(finished.folder, name, stopping(task))

        for beat in [path] if path.is_file() else self._tickets.work(work):
            yield beat if isinstance(beat, Making) else self.shelf.publish(beat)

    def follow(
        self, finished: Finished, clip: Path, ticket: str = ""
    ) -> Iterator[Making | Followed]:
        """How far it is while it makes the avatar move as somebody in a clip does, then the video.

        `halt(ticket)` stops it; it then raises `Stopped`. Raises `JobError` where there is no
        avatar to move, `SourceError` or `VideoError` for a clip that cannot be used.
        """
        if not finished.movable:
            raise JobError(texts.MOTION_NOT_HERE)

        def work(task: Task) -> Followed:
            inputs.require_small([clip], self.settings)
            with self._line.turn(task.stop, _tell_ahead(task)):
                mover = self.engine().mover
                return follow(mover, finished, clip, self.shelf, stopping(task))

        yield from self._tickets.work(work, ticket)

    def _ended(self, job: Job, task: Task, states: tuple[StageState, ...]) -> Ended:
        """The end of a run; raises its error unless it was stopped."""
        news = task.news if isinstance(task.news, tuple) else states
        stopped = task.running  # it was told to stop and will notice in a moment
        try:
            if not stopped:
                task.result()
        except Stopped:
            stopped = True
        if stopped:
            halted = [replace(s, state="stopped") if s.state == "running" else s for s in news]
            return Ended(tuple(halted), task.seconds, None)
        done = replace(self._read_finished(job.id), seconds=task.seconds)
        return Ended(news, task.seconds, done)

    def _read_finished(self, job_id: str) -> Finished:
        """What lies in a job's folder; raises `JobError` when the job is not there (any more)."""
        job = self._open(job_id)
        card, key = job.card, f"job:{job_id}"
        found = read_finished(job.folder, key, texts.YOUR_AVATAR, card.get("seconds"))
        body, files = card.get("body"), card.get("weights") or ()
        source = texts.source(card.get("pictures") or {})
        return replace(found, terms=(*([body] if body else ()), *files), source=source)

    def _seen_for(self, job_id: str, preset: str) -> dict[str, Any]:
        """What was seen, under the name by which a run takes it.

        A photo's is good for presets that work at the size at which it was looked at.
        """
        seen = self._memory.take(job_id)
        if isinstance(seen, Footage):
            return {"footage": seen}
        same = PRESETS[preset].subject == PRESETS[self.settings.preset].subject
        return {"look": seen if same else None}

    def _open(self, job_id: str) -> Job:
        try:
            return self.engine().store.open(job_id)
        except JobError as error:
            hours = f"{self.settings.keep_hours:g}"
            raise JobError(texts.LINK_GONE.format(hours=hours)) from error


def _tell_ahead(task: Task) -> Callable[[int], None]:
    """Tells how many visitors are served before."""
    return lambda n: task.tell((None, texts.ahead(n)))
