"""What a command shows while it works: a screen for bars and lines, and one piece of work on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from svad.core.errors import Stopped
from svad.types import Report, StageState


class Screen(Protocol):
    """Where bars and lines of text go."""

    def show(self, states: tuple[StageState, ...]) -> None:
        """Draws a bar for each state."""

    def say(self, text: str) -> None:
        """Writes a line."""

    def end(self) -> None:
        """Leaves the open line."""


def one_bar(
    screen: Screen, stop: threading.Event, name: str, title: str, *, shared: bool = False
) -> Report:
    """A report that draws one bar, and raises `Stopped` once `stop` is set.

    `name` tells the bar from others, `title` is shown. `shared`: several pieces of work fill it one
    after another, so that it is never done and no time is left to be told.
    """
    begun = time.monotonic()

    def report(done: float, total: float, note: str, picture: object = None) -> None:
        if stop.is_set():
            raise Stopped("Stopped.")
        seconds, state, left = time.monotonic() - begun, "running", None
        if not shared:
            state = "done" if done >= total else "running"
            left = seconds / done * (total - done) if done else None
        bar = StageState(name, title, state, int(done), int(total), note, seconds, left, None)
        screen.show((bar,))

    return report


def write_watched(
    screen: Screen,
    stop: threading.Event,
    name: str,
    title: str,
    write: Callable[..., Path],  # gets the report by its name
) -> None:
    """Writes a file behind one bar, and prints where it is."""
    try:
        path = write(report=one_bar(screen, stop, name, title))
    finally:
        screen.end()
    print(path)
