"""What a visitor can do, without any page: look at a photo, create, stop, move, come back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from svad.config import BUILT_IN, OWN_BODIES, PRESETS, PREVIEW
from svad.core.errors import JobError, Stopped, SvadError
from svad.core.files import writing
from svad.run.bodies import bodies_here, own_body
from svad.run.offers import offer
from svad.ui import texts
from svad.ui.fetching import Fetcher
from svad.ui.files import VIEWER, Shelf
from svad.ui.gallery import Finished, read_examples, read_finished
from svad.ui.work import Line, Task

if TYPE_CHECKING:
    from svad.run.board import Listener
    from svad.run.jobs import Job, JobStore
    from svad.subject.look import Look
    from svad.types import Report, Result, StageState

UPLOAD = "upload"  # the photo as it was sent, in the job folder
LOOK = "look.jpg"  # what was understood, drawn over it
LOOKS = 4  # photos whose look is kept in memory


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this page is run."""

    jobs: Path  # private root of the job folders
    examples: Path  # folder of the finished examples
    preset: str = PREVIEW.name
    keep_hours: float = 6  # until photos and avatars are removed
    keep_gigabytes: float = 10  # of job folders; the oldest go first
    upload_megabytes: int = 25
    at_once: int = 1  # avatars made at the same time; the others wait in line
    waiting: int = 24  # visitors who may wait
    hosted: bool = False  # on somebody's server rather than on the visitor's own machine


class AvatarMaker(Protocol):
    """What the page asks of a pipeline: see `svad.run.pipeline.Pipeline`."""

    def look(self, photo: Path, /) -> Look:
        """What is understood of a photo at a glance."""
        ...

    def run(
        self,
        photo: Path,
        folder: Path,
        /,
        *,
        listener: Listener,
        stop: threading.Event,
        look: Look | None,
    ) -> Result:
        """Makes the avatar of a photo in a folder."""
        ...

    def motion_video(self, folder: Path, motion: str, output: Path, /, *, report: Report) -> Path:
        """Writes a video of the avatar in a folder."""
        ...


@dataclass(frozen=True)
class Engine:
    """The parts below the page; a test puts quick ones in their place."""

    pipeline: AvatarMaker
    store: JobStore
    others: Mapping[str, AvatarMaker] = field(default_factory=dict)  # the same for further presets
    # the same by preset and body, for bodies other than the built-in one
    bodied: Mapping[tuple[str, str], AvatarMaker] = field(default_factory=dict)

    def of(self, preset: str, body: str = BUILT_IN) -> AvatarMaker:
        """The pipeline of a preset on a body."""
        if body != BUILT_IN:
            return self.bodied[preset, body]
        return self.others.get(preset, self.pipeline)


@dataclass(frozen=True)
class Seen:
    """What was understood of a photo."""

    job: str
    picture: Path  # the photo with matte and pose drawn over it
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """One beat of a running job."""

    states: tuple[StageState, ...]
    seconds: float
    ahead: int = 0  # visitors to wait for
    winding_down: bool = False  # an earlier, stopped run of the same job is still ending


@dataclass(frozen=True)
class Ended:
    """How a job ended: with an avatar, or stopped."""

    states: tuple[StageState, ...]
    seconds: float
    finished: Finished | None


@dataclass(frozen=True)
class Making:
    """How far a video is."""

    seconds: float
    share: float | None  # 0..1, None before it is known


def load_engine(settings: Settings) -> Engine:
    """The real pipeline and job store; takes seconds the first time."""
    from svad.run.jobs import JobStore
    from svad.run.pipeline import Pipeline

    all_of_them = {name: Pipeline(preset) for name, preset in PRESETS.items()}
    bodied = {
        (name, body): Pipeline(replace(preset, body=body))
        for name, preset in PRESETS.items()
        for body in OWN_BODIES
    }
    return Engine(all_of_them[settings.preset], JobStore(settings.jobs), all_of_them, bodied)


class Studio:
    """All visitors' business. A visitor is known by the unguessable ids of their jobs only."""

    def __init__(
        self, settings: Settings, load: Callable[[Settings], Engine] = load_engine
    ) -> None:
        self.settings = settings
        self.examples = read_examples(settings.examples)
        self.shelf = Shelf((settings.examples, VIEWER))
        self._load = load
        self._engine: Engine | None = None
        self._loading, self._starting = threading.Lock(), threading.Lock()
        self._line = Line(settings.at_once)
        self._tasks: dict[str, Task] = {}  # the latest run of each job
        self.fetcher = Fetcher()
        self._looks: dict[str, Look] = {}  # what was seen of the latest photos, by job

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

    def look(self, upload: Path) -> Iterator[float | Seen]:
        """Seconds spent so far while it looks, then what it saw. Raises `PhotoError`."""

        def work(task: Task) -> Seen:
            engine = self.engine()
            job = engine.store.create()
            with writing(job.folder / UPLOAD) as temporary:
                shutil.copyfile(upload, temporary)
            seen = engine.pipeline.look(job.folder / UPLOAD)
            self._remember(job.id, seen)
            from svad.media.images import save_jpg

            save_jpg(job.folder / LOOK, seen.overlay)
            return Seen(job.id, self.shelf.publish(job.folder / LOOK), tuple(seen.warnings))

        task = Task(work)
        for _ in task.beats():
            yield task.seconds
        yield task.result()

    def create(
        self, job_id: str, preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[Progress | Ended]:
        """Makes the avatar of a photo that was looked at, with a beat at least every second.

        `preset` None takes the one the page is run with. Closing the generator stops the run. What
        an earlier run finished is kept. Raises `SvadError` with a sentence for the visitor.
        """
        preset = preset or self.settings.preset
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
                pipeline = self.engine().of(preset, body)
                return pipeline.run(
                    job.folder / UPLOAD,
                    job.folder,
                    listener=task.tell,
                    stop=task.stop,
                    look=self._look_for(job_id, preset),
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

    def preset_of(self, job_id: str) -> str:
        """The preset a job was last run with, or the page's own."""
        name = self._open(job_id).card.get("preset")
        return name if name in PRESETS else self.settings.preset

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
        """The photo of a job with what was understood, if the job can be started from it.

        Raises `JobError` when the job is not there (any more).
        """
        folder = self._open(job_id).folder
        if not (folder / UPLOAD).is_file() or not (folder / LOOK).is_file():
            return None
        return self.shelf.publish(folder / LOOK)

    def move(self, finished: Finished, motion: str) -> Iterator[Making | Path]:
        """How far it is while it makes the video of a motion, then the video's path.

        A video that was made before is given at once. Raises `JobError` where there is no avatar
        to move.
        """
        if motion not in finished.motions:
            raise JobError(texts.MOTION_NOT_HERE)
        video = finished.folder / "motions" / f"{motion}.mp4"

        def work(task: Task) -> None:
            with self._line.turn(task.stop, lambda ahead: None):
                video.parent.mkdir(exist_ok=True)
                report = stopping(task)
                self.engine().pipeline.motion_video(finished.folder, motion, video, report=report)

        if not video.is_file():
            task = Task(work)
            try:
                for _ in task.beats():
                    yield Making(task.seconds, task.news)
                task.result()
            finally:
                task.stop.set()
        yield self.shelf.publish(video)

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
        return replace(found, terms=(*([body] if body else ()), *files))

    def _remember(self, job_id: str, seen: Look) -> None:
        """Saves the run from looking again; only for the latest photos, as they are large."""
        for old in list(self._looks)[: 1 - LOOKS]:
            self._looks.pop(old, None)
        self._looks[job_id] = seen

    def _look_for(self, job_id: str, preset: str) -> Look | None:
        """What was seen of the photo, if the preset works at the size it was looked at."""
        same = PRESETS[preset].subject == PRESETS[self.settings.preset].subject
        return self._looks.pop(job_id, None) if same else None

    def _open(self, job_id: str) -> Job:
        try:
            return self.engine().store.open(job_id)
        except JobError as error:
            hours = f"{self.settings.keep_hours:g}"
            raise JobError(texts.LINK_GONE.format(hours=hours)) from error


def stopping(task: Task) -> Report:
    """A progress report that tells the share and looks whether to stop."""

    def report(done: int, total: int, note: str, picture: Any = None) -> None:
        del note, picture
        if task.stop.is_set():
            raise Stopped("Stopped.")
        task.tell(done / max(total, 1))

    return report
