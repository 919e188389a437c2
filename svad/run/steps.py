"""Runs one stage after another in a job folder and keeps the ones that need not run again."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from svad.compute.engine import GpuUnavailable, timed
from svad.config.preset import Preset, settings_of
from svad.core.errors import MissingFile, NothingToDo, OutputError, Stopped, SvadError
from svad.core.files import output_error
from svad.run.board import Board
from svad.run.jobs import Job
from svad.run.stages import Stage, stage
from svad.storage import load, save
from svad.types import Report, Result

T = TypeVar("T")
GPU_SECONDS = "gpu_seconds"  # in a card: of a stage's longest call, waiting for the GPU left out
PART = ".part.safetensors"  # how the name of a file ends in which a stage keeps what it has so far


class Steps:
    """The stages of one run. Each one's key holds the keys of all before it."""

    def __init__(
        self,
        job: Job,
        board: Board,
        preset: Preset,
        weights: Callable[[Stage], list[tuple[str, int]]],  # a stage's files: name, bytes
        body: str = "",  # sha256 of a person's own body file
    ) -> None:
        self.job, self.board, self.preset, self.weights = job, board, preset, weights
        self._key = job.card["source"] + body  # all stages stand on the body
        self._order = [state.name for state in board.states()]
        self._before = job.files()
        self._calls: list[float] = []  # seconds of each GPU call of the running stage

    def do(
        self,
        name: str,
        cls: type[T],
        run: Callable[[Report], T],
        more: Callable[[Job, T], list[Path]] | None = None,
        instead: Callable[[], T] | None = None,
    ) -> Callable[[], T]:
        """Runs a stage, or keeps what it gave before; returns how to get its result.

        `more(job, value)` writes files that belong to the stage and returns their paths. A kept
        result is read only if somebody asks for it. A run can do without a stage that has
        `instead`: when it raises `NothingToDo` or `MissingFile`, the card says why it was skipped,
        and what `instead` gives takes its place.
        """
        self._key = key = self._next_key(name)
        if self.job.keeps(name, key):
            self.board.end(name, "kept", self.job.entry(name).get("note", ""))
            return cache(lambda: load(cls, self._path(name)))
        # What follows a stage that was skipped is as good as before, if it is skipped again.
        skipped = self.job.entry(name).get("state") == "skipped"
        if not skipped:
            self._forget_from(name)
        done = False
        with self._watched(name, optional=instead is not None):
            self.board.check()
            value = run(self.board.report(name))
            files = more(self.job, value) if more else []
            if cls is not Result:
                save(value, self._path(name))
                files.append(self._path(name))
            if thumbnail := self.board.thumbnail(name):
                files.append(thumbnail)
            done = True
        if not done:
            assert instead is not None  # or what the stage raised had not been caught
            return instead
        if skipped:
            self._forget_from(name)
        self._note(name, "done", key=key, files=self.job.sizes(files))
        self.checkpoint(name)[0].unlink(missing_ok=True)  # only now is what it led to safe
        return lambda: value

    def checkpoint(self, name: str) -> tuple[Path, str]:
        """A file where the running stage may keep what it has so far, and the key it belongs to."""
        return self.job.folder / "stages" / f"{name}{PART}", self._key

    def skip(self, name: str, reason: str) -> None:
        """A stage this preset leaves out, and why."""
        self.board.end(name, "skipped", reason)
        self._note(name, "skipped", files={})  # those of an earlier run go at the end

    def finish(self) -> None:
        """The job is done: its card says so, and files of an earlier run without successor go."""
        self.job.remove(self._before - self.job.files())
        for left in (self.job.folder / "stages").glob(f"*{PART}"):
            left.unlink()  # of a run that was stopped in a stage, and then went another way
        self.job.card["state"] = "done"
        self.job.write()

    def card_when_done(self, last: str) -> dict[str, Any]:
        """The card as it will be after the stage `last`, to be packed by that stage."""
        card = copy.deepcopy(self.job.card)
        card["state"] = "done"
        for entry in card["stages"]:
            if entry["name"] == last:
                entry |= {"state": "done", "seconds": None}
        return card

    def _next_key(self, name: str) -> str:
        row, settings = stage(name), settings_of(self.preset)[name]
        parts = [self._key, name, settings, self.preset.seed, row.code(), self.weights(row)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _path(self, name: str) -> Path:
        return self.job.folder / "stages" / f"{name}.safetensors"

    def _forget_from(self, name: str) -> None:
        """What this and the later stages gave before does not count any more."""
        before = self._order[: self._order.index(name)]
        for entry in self.job.card["stages"]:
            if entry["name"] not in before:  # those of another preset, too
                entry |= {"state": "waiting", "key": None, "seconds": 0.0}

    @contextmanager
    def _watched(self, name: str, *, optional: bool) -> Iterator[None]:
        """Marks the stage as running, and as what it came to; unknown errors pass unchanged.

        An `optional` stage that has nothing to do is skipped, and nothing is raised.
        """
        self._note(name, "running")
        self.board.start(name)
        try:
            with timed() as self._calls:
                yield
        except BaseException as error:
            if optional and isinstance(error, NothingToDo | MissingFile):
                self.skip(name, str(error))
                return
            reason = error
            if isinstance(error, OSError):
                reason = output_error(error, self.job.home) or error
            state = _state(reason)
            self.board.end(name, state, _sentence(reason))
            self._fail(name, state, _sentence(reason))
            if reason is error:
                raise
            raise reason from error
        self.board.end(name, "done")

    def _fail(self, name: str, state: str, sentence: str) -> None:
        self.job.card |= {"state": state, "error": None if state == "stopped" else sentence}
        with suppress(OutputError):  # on a full disk the card cannot tell; the error itself does
            self._note(name, state)

    def _note(self, name: str, state: str, **more: Any) -> None:
        """Writes the line about a stage into the card."""
        shown = next(s for s in self.board.states() if s.name == name)
        entry: dict[str, Any] = {
            "name": name,
            "title": shown.title,
            "state": state,
            "seconds": round(self.board.seconds(name), 3),
            "note": shown.note,
            "key": None,
            "files": self.job.entry(name).get("files", {}),
        }
        if self._calls and state != "running":
            entry[GPU_SECONDS] = round(max(self._calls), 1)
        self.job.record(entry | more, self._order)


def no_weights(row: Stage) -> list[tuple[str, int]]:
    """For stages that somebody else makes."""
    return []


def _state(error: BaseException) -> str:
    """What an error makes of a stage; without a GPU it pauses, since nothing is wrong with it."""
    if isinstance(error, Stopped | KeyboardInterrupt):
        return "stopped"
    return "paused" if isinstance(error, GpuUnavailable) else "failed"


def _sentence(error: BaseException) -> str:
    if isinstance(error, SvadError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Stopped."
    return f"Something went wrong that should not have ({type(error).__name__})."
