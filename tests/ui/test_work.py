"""Threads the page can be told about: line, beats, stop."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from svad.core.errors import Stopped
from svad.ui.work import Line, Task


def test_line_serves_one_at_a_time_in_order():
    line, served, most, now = Line(1), [], [], []
    stop = threading.Event()

    def visit(k: int) -> None:
        with line.turn(stop, lambda ahead: None):
            now.append(k)
            most.append(len(now))
            served.append(k)
            time.sleep(0.02)
            now.remove(k)

    threads = []
    for k in range(4):
        threads.append(threading.Thread(target=visit, args=(k,)))
        threads[-1].start()
        time.sleep(0.01)
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
        assert told == [1]


def test_beats_come_between_one_and_four_a_second():
    def chatter(task: Task) -> str:
        for k in range(150):
            task.tell(k)
            time.sleep(0.01)
        return "done"

    task = Task(chatter)
    times = [task.started]
    for _ in task.beats():
        times.append(time.monotonic())
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert 3 <= len(gaps) <= 7
    assert min(gaps) > 0.2 and max(gaps) < 1
    assert task.result() == "done"


def test_silent_work_still_beats():
    task = Task(lambda task: time.sleep(1.5))
    assert 1 <= len(list(task.beats())) <= 4


def test_stopped_work_is_not_waited_for():
    task = Task(lambda task: time.sleep(8))
    for _ in task.beats():
        task.halt()
        begin = time.monotonic()
    assert time.monotonic() - begin < 2 and task.running


def test_errors_reach_whoever_asks():
    def fail(task: Task) -> None:
        raise ValueError("why")

    task = Task(fail)
    assert list(task.beats()) in ([], [None])
    with pytest.raises(ValueError, match="why"):
        task.result()
