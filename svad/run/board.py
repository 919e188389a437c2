"""The list of stages as a person sees it: states, elapsed and remaining seconds, thumbnails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.errors import Stopped
from svad.types import Report, StageState

if TYPE_CHECKING:
    import numpy as np

Listener = Callable[[tuple[StageState, ...]], None]
INTERVAL = 0.25  # seconds between two calls of the listener, unless a state changes
THUMBNAIL = (320, 320)  # px, the largest width and height
PRIOR = 5.0  # seconds of a run on an ordinary machine that the estimate of its speed starts from


class Board:
    """Keeps the states of all stages, tells a listener, and asks whether to stop."""

    def __init__(
        self,
        titles: Sequence[tuple[str, str]],  # (name, title) in order
        typical: Mapping[str, float],  # seconds a stage takes on an ordinary machine
        pictures: Path,  # folder of the thumbnails
        listener: Listener | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._typical, self._pictures = dict(typical), pictures
        self._listener, self._stop = listener, stop
        self._states = {name: first_state(name, title, typical.get(name)) for name, title in titles}
        self._started: dict[str, float] = {}
        self._told = self._pictured = 0.0
        self._mutex = threading.RLock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keeps the clock moving for the listener also while a stage is silent."""
        ended = threading.Event()

        def tick() -> None:
            while not ended.wait(INTERVAL):
                self._tell(force=False)

        clock = threading.Thread(target=tick, daemon=True)
        self._tell(force=True)
        clock.start()
        try:
            yield
        finally:
            ended.set()
            clock.join()
            self._tell(force=True)

    def start(self, name: str) -> None:
        """The stage begins to run."""
        with self._mutex:  # a running stage has begun, for whoever looks meanwhile
            self._started[name] = time.monotonic()
            self._change(name, state="running", note="Getting ready", done=0, total=1)

    def end(self, name: str, state: str, note: str | None = None, seconds: float = 0.0) -> None:
        """The stage is over: done, kept, skipped, stopped or failed."""
        with self._mutex:  # as above
            begun = self._started.pop(name, None)
            seconds = seconds if begun is None else time.monotonic() - begun
            old = self._states[name]
            complete = state in ("done", "kept")
            self._change(
                name,
                state=state,
                note=old.note if note is None else note,
                done=max(old.total, 1) if complete else old.done,
                total=max(old.total, 1),
                seconds=seconds,
                remaining=0.0 if complete else None,
                thumbnail=self.thumbnail(name),
            )

    def thumbnail(self, name: str) -> Path | None:
        """The stage's small picture, if there is one."""
        path = self._pictures / f"{name}.jpg"
        return path if path.exists() else None

    def report(self, name: str) -> Report:
        """The function a stage calls to tell its progress; it raises `Stopped` when asked to."""

        def report(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
            self.check()
            if picture is not None:
                self._draw(name, picture, last=done >= total)
            with self._mutex:
                state = replace(self._states[name], done=done, total=max(total, 1), note=note)
                self._states[name] = state
            self._tell(force=False)

        return report

    def check(self) -> None:
        """Raises `Stopped` if the person pressed stop."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped("Stopped. What was finished is kept; start again to go on from there.")

    def states(self) -> tuple[StageState, ...]:
        """All stages with their seconds as of now."""
        with self._mutex:
            now, speed = time.monotonic(), self._slowness()
            return tuple(self._timed(state, now, speed) for state in self._states.values())

    def seconds(self, name: str) -> float:
        """Seconds the stage took, or has taken so far."""
        begun = self._started.get(name)
        return self._states[name].seconds if begun is None else time.monotonic() - begun

    def _timed(self, state: StageState, now: float, slowness: float) -> StageState:
        typical = self._typical.get(state.name)
        if typical is None or state.state not in ("waiting", "running"):
            return state
        left = typical * slowness
        if state.state == "waiting":
            return replace(state, remaining=left)
        seconds, share = now - self._started[state.name], min(state.done / state.total, 1)
        # the further a stage is, the more its own pace counts against the table's
        left = (1 - share) * ((1 - share**2) * left + share * seconds)
        return replace(state, seconds=seconds, remaining=left)

    def _slowness(self) -> float:
        """How many times slower than the table this run goes, from what is done so far."""
        spent = expected = PRIOR
        for name, state in self._states.items():
            share = min(state.done / state.total, 1) if state.total else 0
            if state.state == "done" or (state.state == "running" and share > 0):
                spent += self.seconds(name)
                expected += self._typical.get(name, 0.0) * share
        return min(max(spent / expected, 0.2), 10.0)

    def _change(self, name: str, **changes: object) -> None:
        with self._mutex:
            self._states[name] = replace(self._states[name], **changes)
        self._tell(force=True)

    def _tell(self, force: bool) -> None:
        if self._listener is None:
            return
        with self._mutex:  # one call at a time, in order
            now = time.monotonic()
            if force or now - self._told >= INTERVAL:
                self._told = now
                self._listener(self.states())

    def _draw(self, name: str, picture: np.ndarray, last: bool) -> None:
        """Writes the thumbnail, at most once a second unless it is the last."""
        now = time.monotonic()
        if now - self._pictured < 1 and not last and self.thumbnail(name):
            return
        from svad.media.images import fit_within, save_jpg

        self._pictured = now
        save_jpg(self._pictures / f"{name}.jpg", fit_within(picture, *THUMBNAIL), quality=85)
        with self._mutex:
            self._states[name] = replace(self._states[name], thumbnail=self.thumbnail(name))


def first_state(name: str, title: str, typical: float | None) -> StageState:
    """A stage before it has begun."""
    return StageState(
        name=name,
        title=title,
        state="waiting",
        done=0,
        total=1,
        note="",
        seconds=0.0,
        remaining=typical,
        thumbnail=None,
    )
