"""What a visitor can do, without any page: look at pictures, create, stop, delete."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad.compute.engine import GpuUnavailable
from svad.config.preset import BUILT_IN
from svad.config.presets import CLIP, PRESETS
from svad.core.errors import JobError, Stopped, SvadError
from svad.export.viewer_page import VIEWING
from svad.run.bodies import own_body
from svad.run.card import read_card
from svad.run.costs import cost, learn
from svad.run.learned import MACHINE
from svad.run.offers import offer
from svad.run.sources import as_list, is_one_photo
from svad.run.versions import prepare
from svad.types import Footage
from svad.ui import inputs, texts
from svad.ui.beats import Ended, Making, Progress, Seen
from svad.ui.callers import Callers
from svad.ui.engine import Engine, Settings, load_engine
from svad.ui.extras import Extras, tell_ahead
from svad.ui.fetching import Fetcher
from svad.ui.files import Shelf
from svad.ui.gallery import read_examples
from svad.ui.kept import LOOK
from svad.ui.line import Line, Wait
from svad.ui.memory import Memory
from svad.ui.runs import Runs
from svad.ui.work import Task, Tickets, end, stopping

if TYPE_CHECKING:
    import numpy as np

    from svad.types import Result


LONGEST_END = 10.0  # s that a stopped run may take to end before it is deleted
REMEMBERED = 3600.0  # s that a file or a video, made without its page, can be found again


class Studio(Extras):
    """All visitors' business. A visitor is known by the unguessable ids of their jobs only."""

    def __init__(
        self, settings: Settings, load: Callable[[Settings], Engine] = load_engine
    ) -> None:
        self.settings = settings
        MACHINE.root = settings.jobs  # what is asked of the GPU follows what runs took here
        self.examples = read_examples(settings.examples)
        self.shelf = Shelf((settings.examples, VIEWING), settings.jobs)
        self._load = load
        self._engine: Engine | None = None
        self._loading = threading.Lock()
        self._line = Line(settings.at_once)
        self._looking = Line(settings.at_once)  # through clips: tens of seconds
        self._runs = Runs(self._line, settings.unwatched)
        self._makings = Runs(self._line, settings.unwatched, REMEMBERED)
        self._tickets = Tickets()  # of what ends with its page
        self.fetcher = Fetcher()
        self._memory = Memory()
        shared = settings.hosted  # on one's own computer nobody else has to be thought of
        each = settings.per_visitor if shared else 0
        self.callers = Callers(each, settings.an_hour, settings.sent_gigabytes)

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
                picture, seen = self._glance(files, task)
                count = len(seen.rgb)
            job = engine.store.create()  # not before: nothing stays of what cannot be used
            inputs.keep(files, job.folder)
            for file in files:
                self.shelf.note(job.id, file)  # as it was sent, with what it tells
            self._memory.keep(job.id, seen)
            shown = self._keep_look(job.folder, picture)
            return Seen(job.id, shown, tuple(seen.warnings), count)

        with self.callers.place(new=True):
            yield from self._tickets.work(work, ticket)

    def add(self, job_id: str, sent: Sequence[Path], ticket: str = "") -> Iterator[Making | Seen]:
        """How far it is while it looks through what is added to an avatar, then what it saw.

        A clip is taken instead of the job's photo, photos beside it; `create` with the preset for
        them then makes a further avatar of the same job. Stops and raises as `look` does.
        """
        home = self.job(job_id).folder
        if self.progress(job_id) is not None:  # whose pictures would be written over
            raise JobError(texts.ADD_LATER)

        def work(task: Task) -> Seen:
            inputs.require_small(sent, self.settings)
            one = len(sent) == 1 and not is_one_photo(sent)
            files = [*([] if one else inputs.kept(home)), *sent]
            picture, seen = self._glance(files, task)
            place = prepare(home, CLIP.name)
            inputs.keep(files, place)
            for file in sent:
                self.shelf.note(job_id, file)
            self._memory.keep(job_id, seen)
            return Seen(
                job_id, self._keep_look(place, picture), tuple(seen.warnings), len(seen.rgb)
            )

        with self.callers.place(new=True):
            yield from self._tickets.work(work, ticket, job_id)

    def _glance(self, files: Sequence[Path], task: Task) -> tuple[np.ndarray, Footage]:
        """The chosen pictures beside each other, and what is seen in them."""
        maker = self.engine().of(CLIP.name)
        with self._looking.turn(task.stop, tell_ahead(task)):
            seen = maker.glance(files, stopping(task))
        return maker.strip(seen), seen

    def _keep_look(
        self,
        folder: Path,
        picture: np.ndarray,  # [H, W, 3] uint8
    ) -> Path:
        from svad.media.images import save_jpg

        save_jpg(folder / LOOK, picture)
        return self.shelf.publish(folder / LOOK)

    def create(
        self, job_id: str, preset: str | None = None, body: str = BUILT_IN
    ) -> Iterator[Progress | Ended]:
        """Begins the avatar of what was looked at, and watches it, see `begin` and `watch`.

        Where another run goes on, its beats tell what that makes.
        """
        goes_on = self.begin(job_id, preset, body)
        other = None if goes_on == (self.preset_for(job_id, preset), body) else goes_on
        for beat in self.watch(job_id):
            yield replace(beat, other=other) if isinstance(beat, Progress) else beat

    def begin(
        self, job_id: str, preset: str | None = None, body: str = BUILT_IN
    ) -> tuple[str, str]:
        """Begins to make the avatar of what was looked at; a run that goes on is left as it is.

        Gives preset and body of the run that goes on now. `preset`: see `preset_for`. What an
        earlier run finished is kept. It works on without anybody who watches, as long as the
        settings say. Raises `SvadError` with a sentence for the visitor.
        """
        preset = self.preset_for(job_id, preset)
        if not offer(PRESETS[preset]).fits:
            raise SvadError(texts.TOO_LONG)
        own_body(body)  # says which file is missing, before anybody waits in line
        job = self.job(job_id)
        expected = cost(PRESETS[preset], self.settings.jobs).seconds

        def work(task: Task, before: Task | None) -> Result:
            def waits(wait: Wait) -> None:
                task.tell(Progress((), 0, ahead=wait.ahead, wait=wait.seconds))

            if before is not None:
                before.halt()
                task.tell(Progress((), 0, winding_down=before.running))
                while not before.join(0.25):
                    if task.stop.is_set():
                        raise Stopped("Stopped while waiting.")
            with self._line.turn(task.stop, waits, expected):
                task.tell(())
                place = prepare(job.folder, preset)  # no finished avatar is replaced
                maker = self.engine().of(preset, body)
                sent = inputs.kept(place) or inputs.kept(job.folder)
                seen = self._seen_for(job_id, preset)
                try:
                    made = maker.run(sent, place, listener=task.tell, stop=task.stop, **seen)
                except GpuUnavailable:
                    self._learn(place)
                    raise
                self._learn(place)
                return made

        return self._runs.begin(job_id, work, self.callers.place(), (preset, body)).asked

    def watch(self, job_id: str) -> Iterator[Progress | Ended]:
        """The latest run of a job with a beat at least every second, then how it ended.

        Nothing where there was none since the start of the page. Closing the generator leaves the
        run alone. Raises the error of a run that failed.
        """
        task = self._runs.of(job_id)
        if task is None:
            return
        for _ in task.beats():
            yield _beat(task)
        yield self._ended(job_id, task)

    def progress(self, job_id: str) -> Progress | None:
        """How far the run of a job is; None where none is running. Who asks watches it."""
        task = self._runs.of(job_id)
        if task is None or not task.running:
            return None
        task.glance()
        return _beat(task)

    def stop(self, job_id: str) -> bool:
        """Asks the run of a job to stop; false if there is none."""
        task = self._runs.of(job_id)
        if task is None or not task.running:
            return False
        task.halt()
        return True

    def delete(self, job_id: str) -> None:
        """Removes a job with all its files, those that the page shows included.

        Its run is stopped, and what is being made of its avatar. Raises `JobError` when that takes
        too long to end, or when the job is not there (any more).
        """
        self.job(job_id)
        task = self._runs.of(job_id)
        # what is made of the avatar meanwhile would make its folder anew
        theirs = [*self._tickets.of(job_id), *self._makings.of_job(job_id)]
        if not end([task, *theirs] if task else theirs, LONGEST_END):
            raise JobError(texts.DELETE_LATER)
        copies = self.shelf.copies(job_id)
        self.engine().store.remove(job_id)
        self._memory.take(job_id)
        for copy in copies:
            copy.unlink(missing_ok=True)

    def _learn(self, place: Path) -> None:
        """Takes the seconds of a run for the next; a full disk does not undo the run for it."""
        with suppress(SvadError):
            learn(read_card(place), self.settings.jobs)

    def _ended(self, job_id: str, task: Task) -> Ended:
        """The end of a run; raises its error unless it was stopped, or had no GPU."""
        news = task.news if isinstance(task.news, tuple) else ()  # it never came to its turn
        stopped, paused = task.running, ""  # it was told to stop and will notice in a moment
        try:
            if not stopped:
                task.result()
        except Stopped:
            stopped = True
        except GpuUnavailable as error:
            stopped, paused = True, str(error)
        if stopped:
            state = "paused" if paused else "stopped"
            halted = [replace(s, state=state) if s.state == "running" else s for s in news]
            return Ended(tuple(halted), task.seconds, None, paused, task.abandoned)
        place = task.result().archive.parent
        inside = "" if place == self.job(job_id).folder else place.name
        done = replace(self.read(job_id, inside), seconds=task.seconds)
        return Ended(news, task.seconds, done)

    def _seen_for(self, job_id: str, preset: str) -> dict[str, Any]:
        """What was seen, under the name by which a run takes it.

        A photo's is good for presets that work at the size at which it was looked at.
        """
        seen = self._memory.take(job_id)
        if isinstance(seen, Footage):
            return {"footage": seen}
        same = PRESETS[preset].subject == PRESETS[self.settings.preset].subject
        return {"look": seen if same else None}


def _beat(task: Task) -> Progress:
    """The latest news of a run."""
    news = task.news or ()
    return news if isinstance(news, Progress) else Progress(news, task.seconds)
