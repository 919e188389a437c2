"""The waiting line: order, places, what those who wait are told."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from svad.core.errors import Stopped
from svad.ui import line as module
from svad.ui import texts
from svad.ui.line import Line, Wait
from tests.waiting import WAIT, until


def test_line_serves_one_at_a_time_in_order():
    line, served, most, now = Line(1), [], [], []
    stop, there, all_there = threading.Event(), [], threading.Event()

    def visit(k: int) -> None:
        with line.turn(stop, lambda wait: there.append(k)):
            there.append(k)
            now.append(k)
            most.append(len(now))
            served.append(k)
            assert all_there.wait(WAIT)
            now.remove(k)

    threads = []
    for k in range(4):
        threads.append(threading.Thread(target=visit, args=(k,)))
        threads[-1].start()
        until(lambda k=k: k in there)
    all_there.set()
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3] and max(most) == 1


def test_line_tells_how_many_are_ahead_and_lets_go_when_stopped():
    line, never, stop, told = Line(1), threading.Event(), threading.Event(), []
    with line.turn(never, told.append):
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(Stopped), line.turn(stop, told.append):
            raise AssertionError("it was not its turn")
    with line.turn(never, told.append):  # the place is free again
        assert told == [Wait(1, None)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time as the line sees it, to be set."""
    now = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def wait_of(line: Line) -> Wait:
    """What somebody who comes now is told first."""
    told, stop = [], threading.Event()
    stop.set()
    with pytest.raises(Stopped), line.turn(stop, told.append):
        raise AssertionError("it was not its turn")
    return told[0]


def queued(line: Line, seconds: float | None, end: threading.Event) -> threading.Thread:
    """Somebody who has come to stand in the line."""
    there = threading.Event()

    def visit() -> None:
        with pytest.raises(Stopped), line.turn(end, lambda _: there.set(), seconds):
            raise AssertionError("it was not its turn")

    thread = threading.Thread(target=visit)
    thread.start()
    assert there.wait(WAIT)
    return thread


def test_the_wait_is_what_is_left_of_those_before(clock: list[float]) -> None:
    line, end = Line(1), threading.Event()
    with line.turn(threading.Event(), print, 100):
        assert wait_of(line) == Wait(1, 100)
        clock[0] = 61.0
        assert wait_of(line) == Wait(1, 40)  # in steps of five seconds
        thread = queued(line, 30, end)
        assert wait_of(line) == Wait(2, 70)
        clock[0] = 500.0
        assert wait_of(line) == Wait(2, 40)  # the first takes longer than was thought
        end.set()
        thread.join()


def test_with_two_places_the_one_that_is_free_first_counts(clock: list[float]) -> None:
    line, end = Line(2), threading.Event()
    with ExitStack() as places:
        for seconds in (100, 20):
            places.enter_context(line.turn(threading.Event(), print, seconds))
        assert wait_of(line) == Wait(1, 20)
        thread = queued(line, 30, end)
        assert wait_of(line) == Wait(2, 50)
        end.set()
        thread.join()


def test_what_nobody_knows_is_learned_from_the_latest(clock: list[float]) -> None:
    line = Line(1)
    with line.turn(threading.Event(), print):
        assert wait_of(line) == Wait(1, None)
        clock[0] = 20.0
    with line.turn(threading.Event(), print):
        assert wait_of(line) == Wait(1, 20)


def test_the_words_name_place_and_time() -> None:
    assert texts.ahead(0, 0.0) == ""
    assert texts.ahead(1) == "Waiting for one visitor before you"
    assert texts.ahead(2, 45.0) == "Waiting for 2 visitors before you: about 45 s"
    assert texts.ahead(3, 240.0) == "Waiting for 3 visitors before you: about 4 minutes"
