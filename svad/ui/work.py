"""Long work in threads, so that the page can be told about it and can stop it."""

from __future__ import annotations

import contextvars
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from svad.core.errors import Stopped
from svad.core.progress import Report
from svad.ui.beats import Making

SHORTEST = 0.25  # s between two news, so that a page gets at most four a second
LONGEST = 0.5  # s without news until the page is told anyway
PATIENCE = 1.0  # s that stopped work may take before the page no longer waits for it


class Task:
    """One piece of work in its own thread.

    The work gets the task: it calls `tell` with news and looks at `stop`. Whoever shows it walks
    through `beats` and reads `news`, then calls `result`; there may be several of them, or none.
    """

    def __init__(self, work: Callable[[Task], Any], asked: Any = ()) -> None:
        self.asked = asked  # what it makes, for whoever asks for something else meanwhile
        self.stop = threading.Event()
        self.news: Any = None
        self.started = time.monotonic()
        self.abandoned = False  # whether it was stopped because nobody watched it
        self._work = work
        self._over: float | None = None  # when it ended
        self._changes = 0  # news, and calls of `halt`, so far
        self._changed = threading.Condition()
        self._watchers, self._left = 0, self.started
        self._value: Any = None
        self._error: BaseException | None = None
        # the visitor's request goes along: their GPU quota hangs on it
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._work(self)
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error
        finally:
            self._over = time.monotonic()
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def tell(self, news: Any) -> None:
        """Replaces the news and wakes whoever shows them."""
        self.news = news
        self._wake()

    @property
    def running(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """Time from the start until now, or until it ended."""
        return (self._over or time.monotonic()) - self.started

    @property
    def over_for(self) -> float:
        """Seconds since it ended; 0 while it works."""
        return time.monotonic() - self._over if self._over else 0.0

    @property
    def unwatched(self) -> float:
        """Seconds since the last one who watched it left; 0 while somebody does."""
        with self._changed:
            return 0.0 if self._watchers else time.monotonic() - self._left

    def beats(self) -> Iterator[None]:
        """One beat per news, between two and four a second, until the work ends.

        After `halt` the beats end soon, even if the work takes longer to notice. Whoever walks
        through them watches the work; closing the generator leaves it alone.
        """
        seen = -1
        with self._watching():
            while self.running:
                self._thread.join(SHORTEST)  # what ends sooner is told at once
                with self._changed:
                    if self._changes == seen:
                        self._changed.wait(LONGEST - SHORTEST)
                    seen = self._changes
                if self.stop.is_set():
                    self._thread.join(PATIENCE)
                    return
                if self.running:
                    yield

    @contextmanager
    def _watching(self) -> Iterator[None]:
        with self._changed:
            self._watchers += 1
        try:
            yield
        finally:
            with self._changed:
                self._watchers -= 1
            self.glance()

    def glance(self) -> None:
        """Somebody looks at it for a moment, which counts as watching until now."""
        with self._changed:
            self._left = time.monotonic()

    def halt(self) -> None:
        """Asks the work to stop and wakes whoever shows it."""
        self.stop.set()
        self._wake()

    def join(self, seconds: float) -> bool:
        """Waits for the thread; true if it has ended."""
        self._thread.join(seconds)
        return not self.running

    def result(self) -> Any:
        """What the work returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value


class Tickets:
    """Work that tells how far it is, and that whoever holds its ticket may stop."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._jobs: dict[Task, str] = {}  # whose they are, while they run
        self._lock = threading.Lock()

    def work(self, work: Callable[[Task], Any], ticket: str = "", job: str = "") -> Iterator[Any]:
        """How far it is, a beat at least every second, then what came of it.

        `job`: with which it is to end. Closing the generator stops the work. Raises what the work
        raises, and `Stopped` soon after it was told to stop.
        """
        ticket = ticket or secrets.token_urlsafe(8)
        with self._lock:  # it may be told to stop as soon as it has begun
            task = self._tasks[ticket] = Task(work)
            self._jobs = {one: its for one, its in self._jobs.items() if one.running} | {task: job}
        try:
            yield from watched(task)
        finally:
            del self._tasks[ticket]
            task.stop.set()

    def halt(self, ticket: str) -> bool:
        """Stops the work of a ticket; false if there is none."""
        with self._lock:
            task = self._tasks.get(ticket)
        if task is not None:
            task.halt()
        return task is not None

    def of(self, job: str) -> list[Task]:
        """All work on a job."""
        with self._lock:
            return [task for task, its in self._jobs.items() if its == job]


def end(tasks: Iterable[Task], seconds: float) -> bool:
    """Stops them all; true if they have ended within so many seconds."""
    tasks = list(tasks)
    for task in tasks:
        task.halt()
    limit = time.monotonic() + seconds
    return all(task.join(max(0.0, limit - time.monotonic())) for task in tasks)


def watched(task: Task) -> Iterator[Any]:
    """How far it is, a beat at least every second, then what came of it.

    Raises what the work raises, and `Stopped` soon after it was told to stop.
    """
    for _ in task.beats():
        share, note = task.news or (None, "")
        yield Making(task.seconds, share, note)
    if task.stop.is_set():
        raise Stopped("Stopped.")
    yield task.result()


def stopping(task: Task) -> Report:
    """A progress report that tells the share and the note, and looks whether to stop."""

    def report(done: int, total: int, note: str, picture: Any = None) -> None:
        del picture
        if task.stop.is_set():
            raise Stopped("Stopped.")
        task.tell((done / max(total, 1), note))

    return report
