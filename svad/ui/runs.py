"""Work that outlives its page: begun once, watched by any number of pages, ended when none is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from svad.ui.engine import Unwatched
from svad.ui.line import Line
from svad.ui.work import Task

LOOKS = 0.25  # s between two looks whether somebody watches


class Runs:
    """The latest work on each job; where a job may have several at once, of each `what`."""

    def __init__(self, line: Line, patience: Unwatched, remembered: float = 0.0) -> None:
        """`line`: in which the work waits; whoever else waits there shortens the patience.

        `remembered`: seconds for which it is found after it has ended, at least.
        """
        self._line, self._patience, self._remembered = line, patience, remembered
        self._tasks: dict[tuple[str, Hashable], Task] = {}
        self._lock = threading.Lock()

    def begin(
        self,
        job: str,
        work: Callable[[Task, Task | None], Any],
        place: AbstractContextManager[None],
        asked: tuple = (),
        what: Hashable = "",
    ) -> Task:
        """Begins work on a job, unless the same goes on; gives the task that works now.

        `work` gets its task, and the one before, which may have been told to stop and not have
        ended yet. `place` is entered here and left when the work ends, whoever watches it; `asked`
        is kept with it. Raises what entering `place` does.
        """
        with self._lock:  # visitors come at the same time
            before = self._tasks.get((job, what))
            if before is not None and before.running and not before.stop.is_set():
                return before
            held = ExitStack()
            held.enter_context(place)

            def run(task: Task) -> Any:
                with held:
                    return work(task, before)

            task = Task(run, asked)
            self._tasks = {
                key: one
                for key, one in self._tasks.items()
                if one.running or one.over_for < self._remembered
            }
            self._tasks.pop((job, what), None)
            self._tasks[job, what] = task
        threading.Thread(target=self._guard, args=(task,), daemon=True).start()
        return task

    def of(self, job: str, what: Hashable = "") -> Task | None:
        """The latest work of that kind on a job; one that begins this moment, too."""
        with self._lock:
            return self._tasks.get((job, what))

    def all(self) -> list[Task]:
        """All work, the oldest first."""
        with self._lock:
            return list(self._tasks.values())

    def of_job(self, job: str) -> list[Task]:
        """All work on a job, the oldest first."""
        with self._lock:
            return [task for (its, _), task in self._tasks.items() if its == job]

    def _guard(self, task: Task) -> None:
        """Stops work that nobody has watched for so long."""
        while not task.join(LOOKS):
            waited_for = self._line.others_wait(task.stop)
            patience = self._patience.others_wait if waited_for else self._patience.nobody_waits
            if task.unwatched > patience and not task.stop.is_set():
                task.abandoned = True
                task.halt()
