"""Bars on a terminal, and one piece of work behind one bar."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from svad.config.presets import PREVIEW
from svad.core.errors import Stopped
from svad.run.board import first_state
from svad.run.stages import titles
from svad.terminal.bars import Bars
from svad.terminal.screen import one_bar, write_watched
from svad.types import Report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_on_a_terminal_stay_on_one_line_each() -> None:
    stream, states = Terminal(), [first_state(*title, None) for title in titles(PREVIEW)]
    bars = Bars(stream)
    for done in range(5):
        states[0] = replace(states[0], state="running", done=done, total=4, note="x" * 300)
        bars.show(tuple(states))
    states[0] = replace(states[0], state="done")
    bars.show(tuple(states))
    bars.show(tuple(states))
    text = stream.getvalue()
    assert text.count("\n") == 1 and text.count("\r") == 6
    assert max(map(len, text.split("\r"))) < 100


def test_a_shared_bar_is_never_done() -> None:
    stream = io.StringIO()
    report = one_bar(Bars(stream), threading.Event(), "a", "1/2 Ada", shared=True)
    report(1.0, 1.0, "drawn")
    assert "drawn" in stream.getvalue() and "left" not in stream.getvalue()


def test_work_behind_a_bar_ends_it_and_prints_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    stream, stop = Terminal(), threading.Event()

    def write(report: Report) -> Path:
        report(1, 2, "half")
        report(2, 2, "all")
        return Path("made.mp4")

    write_watched(Bars(stream), stop, "video", "Video: wave", write)
    assert capsys.readouterr().out == "made.mp4\n" and stream.getvalue().endswith("s\n")
    stop.set()
    with pytest.raises(Stopped):
        write_watched(Bars(stream), stop, "video", "Video: wave", write)
