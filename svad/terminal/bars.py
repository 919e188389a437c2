"""Bars on a terminal: a line for each stage."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TextIO

from svad.types import StageState

BAR = 24  # characters
QUIET = 5.0  # seconds between two lines about the same stage when the output is no terminal


class Bars:
    """One line per stage: redrawn in place on a terminal, now and then a new one elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._open = ""  # name of the stage whose line is still being redrawn
        self._shown: dict[str, str] = {}  # stage to the last state that got a line of its own
        self._spoke = 0.0

    def show(self, states: tuple[StageState, ...]) -> None:
        """Draws what has changed; a listener for `Pipeline.run`."""
        for place, state in enumerate(states, 1):
            if state.state == "waiting" or self._shown.get(state.name) == state.state:
                continue
            line = _line(state, f"{place}/{len(states)}" if len(states) > 1 else "")
            if state.state == "running":
                self._draw(state.name, line)
            else:
                self._close(line, state.name)
                self._shown[state.name] = state.state

    def say(self, text: str) -> None:
        """A line of text between the bars."""
        self._close(text)

    def end(self) -> None:
        """Leaves the line that is still open, so that what follows starts on a new one."""
        if self._live and self._open:
            self._write("\n")
        self._open = ""

    def _write(self, text: str) -> None:
        """A run goes on where nobody reads what is said of it: a terminal that was closed, say."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def _draw(self, name: str, line: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r{line[:width]}\x1b[K")
        elif name != self._open or time.monotonic() - self._spoke >= QUIET:
            self._write(f"{line}\n")
            self._spoke = time.monotonic()
        self._open = name

    def _close(self, line: str, name: str = "") -> None:
        if self._live and self._open:
            self._write("\r\x1b[K")  # the open line makes room, and is drawn again later
        self._write(f"{line}\n")
        if name == self._open:
            self._open = ""


def _line(state: StageState, place: str) -> str:
    share = min(state.done / max(state.total, 1), 1.0)
    filled = round(BAR * share)
    bar = "#" * filled + "-" * (BAR - filled)
    head = f"{place} {state.title:<24}".lstrip()
    if state.state == "running":
        left = "" if state.remaining is None else f", about {state.remaining:.0f} s left"
        return f"{head} [{bar}] {share:4.0%} {state.seconds:5.1f} s{left}  {state.note}".rstrip()
    if state.state == "done":
        return f"{head} [{bar}] {share:4.0%} {state.seconds:5.1f} s"
    if state.state == "skipped":
        return f"{head} skipped. {state.note}"
    return f"{head} {state.state}."  # of a failure, the reason follows below
