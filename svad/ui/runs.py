"""The runs of jobs: each begun once, watched by any number of pages, ended when none is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from svad.ui.engine import Unwatched
from svad.ui.line import Line
from svad.ui.work import Task

LOOKS = 0.25  # s between two looks whether somebody watches


class Runs:
    """The latest run of each job."""

    def __init__(self, line: Line, patience: Unwatched) -> None:
        """`line`: in which the runs wait; whoever else waits there shortens the patience."""
        self._line, self._patience = line, patience
        self._tasks: dict[str, Task] = {}
        self._lock = threading.Lock()

    def begin(
        self,
        job: str,
        work: Callable[[Task, Task | None], Any],
        place: AbstractContextManager[None],
        asked: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """Begins the run of a job, unless one goes on; gives what that was asked for.

        `work` gets its task, and the run before, which may have been told to stop and not have
        ended yet. `place` is entered here and left when the work ends, whoever watches it; `asked`
        is kept with it. Raises what entering `place` does.
        """
        with self._lock:  # visitors come at the same time
            before = self._tasks.get(job)
            if before is not None and before.running and not before.stop.is_set():
                return before.asked
            held = ExitStack()
            held.enter_context(place)

            def run(task: Task) -> Any:
                with held:
                    return work(task, before)

            task = Task(run, asked)
            self._tasks = {key: one for key, one in self._tasks.items() if one.running}
            self._tasks[job] = task
        threading.Thread(target=self._guard, args=(task,), daemon=True).start()
        return asked

    def of(self, job: str) -> Task | None:
        """The latest run of a job; one that begins this moment, too."""
        with self._lock:
            return self._tasks.get(job)

    def _guard(self, task: Task) -> None:
        """Stops a run that nobody has watched for so long."""
        while not task.join(LOOKS):
            waited_for = self._line.others_wait(task.stop)
            patience = self._patience.others_wait if waited_for else self._patience.nobody_waits
            if task.unwatched > patience and not task.stop.is_set():
                task.abandoned = True
                task.halt()
