"""What a person is told while a run goes on."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from svad.core.errors import Stopped
from svad.run import board as progress
from svad.run.board import INTERVAL, Board
from tests.waiting import until

TITLES = (("one", "First"), ("two", "Second"), ("three", "Not timed"))
TYPICAL = {"one": 4.0, "two": 8.0}


class Clock:
    """A clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: self.now))


def test_remaining_time_follows_the_pace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock, board = Clock(monkeypatch), Board(TITLES, TYPICAL, tmp_path)
    assert [s.remaining for s in board.states()] == [4.0, 8.0, None]
    board.start("one")
    report, left = board.report("one"), []
    for done in range(1, 5):  # twice as slow as the table says
        clock.now += 2
        report(done, 4, "")
        left.append(board.states()[0].remaining)
    assert left == sorted(left, reverse=True) and left[-1] == 0
    assert left[2] == pytest.approx(2, abs=0.8)
    board.end("one", "done")
    one, two, three = board.states()
    assert one.seconds == 8 and one.remaining == 0 and one.done == one.total
    assert 8 < two.remaining <= 16  # the slow machine is taken into account
    assert three.remaining is None


def test_a_listener_hears_all_changes_but_no_flood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[str] = []
    clock = Clock(monkeypatch)
    board = Board(TITLES, TYPICAL, tmp_path, lambda now: heard.append(now[0].state))
    board.start("one")
    report = board.report("one")
    for _ in range(60):
        clock.now += 0.01
        report(1, 2, "")
    board.end("one", "done")
    assert heard == [*["running"] * 3, "done"]  # at once, after a quarter and half a second


def test_the_clock_moves_while_a_stage_is_silent(tmp_path: Path) -> None:
    seconds: list[float] = []
    board = Board(TITLES, TYPICAL, tmp_path, lambda now: seconds.append(now[0].seconds))
    with board.running():
        board.start("one")
        until(lambda: len(seconds) >= 5)
    assert seconds == sorted(seconds) and seconds[-1] >= 2 * INTERVAL
    heard = len(seconds)
    time.sleep(0.4)
    assert len(seconds) == heard  # nobody is told anything after the run


def test_stop_is_raised_at_the_next_report(tmp_path: Path) -> None:
    stop = threading.Event()
    board = Board(TITLES, TYPICAL, tmp_path, stop=stop)
    board.start("one")
    board.report("one")(1, 2, "")
    stop.set()
    with pytest.raises(Stopped):
        board.report("one")(2, 2, "")


def test_thumbnails_are_small_and_rare_but_the_last_one_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from svad.media.images import read_rgb

    clock, board = Clock(monkeypatch), Board(TITLES, TYPICAL, tmp_path)
    board.start("one")
    report = board.report("one")
    shades = []
    for done, shade in enumerate((10, 60, 110, 160)):
        report(done, 3, "", picture=np.full((1000, 500, 3), shade, np.uint8))
        clock.now += 0.3
        shades.append(round(read_rgb(tmp_path / "one.jpg").mean() / 10) * 10)
    assert shades == [10, 10, 10, 160]
    assert read_rgb(tmp_path / "one.jpg").shape == (320, 160, 3)
    assert board.states()[0].thumbnail == tmp_path / "one.jpg"


def test_whoever_looks_while_a_stage_ends_sees_it_whole(tmp_path: Path) -> None:
    board = Board([("relief", "Shape")], {"relief": 5.0}, tmp_path)
    wrong: list[Exception] = []

    def look() -> None:
        try:
            board.states()
        except KeyError as error:
            wrong.append(error)

    looking: list[threading.Thread] = []

    class Looked(dict):
        """Somebody looks in the very moment in which the beginning is forgotten."""

        def pop(self, *key):
            found = super().pop(*key)
            looking.append(threading.Thread(target=look))
            looking[-1].start()
            looking[-1].join(0.1)  # time to look; it may have to wait for the end
            return found

    board._started = Looked()
    board.start("relief")
    board.end("relief", "done")
    for other in looking:
        other.join()
    assert looking and not wrong and board.states()[0].state == "done"
