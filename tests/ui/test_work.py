"""Threads the page can be told about: beats, stop."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from svad.core.errors import Stopped
from svad.ui.work import Task, Tickets
from tests.waiting import WAIT


def test_much_news_comes_in_at_most_four_beats_a_second():
    heard = threading.Event()

    def chatter(task: Task) -> str:
        for k in itertools.count():
            task.tell(k)
            if heard.wait(0.01):
                return "done"

    task = Task(chatter)
    times = [task.started]
    for _ in task.beats():
        times.append(time.monotonic())
        if len(times) == 6:
            heard.set()
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(gaps) >= 5 and min(gaps) > 0.2
    assert task.result() == "done"


def test_silent_work_still_beats():
    heard = threading.Event()
    task = Task(lambda task: heard.wait(WAIT))
    for _ in task.beats():
        heard.set()
    assert task.result()


def test_stopped_work_is_not_waited_for():
    go = threading.Event()
    task = Task(lambda task: go.wait(WAIT))
    for _ in task.beats():
        task.halt()
    assert task.running
    go.set()


def test_errors_reach_whoever_asks():
    def fail(task: Task) -> None:
        raise ValueError("why")

    task = Task(fail)
    assert set(task.beats()) <= {None}
    with pytest.raises(ValueError, match="why"):
        task.result()


def test_work_can_be_stopped_from_its_first_moment():
    tickets, stopped = Tickets(), []

    def work(task: Task) -> None:
        other = threading.Thread(target=lambda: stopped.append(tickets.halt("mine")))
        other.start()
        task.stop.wait(WAIT)
        other.join()

    with pytest.raises(Stopped):
        list(tickets.work(work, "mine"))
    assert stopped == [True]
