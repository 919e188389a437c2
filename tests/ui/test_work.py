"""Threads the page can be told about: beats, stop."""

from __future__ import annotations

import itertools
import time

import pytest

from svad.ui.work import Task


def test_much_news_comes_in_at_most_four_beats_a_second():
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
    assert gaps and min(gaps) > 0.2  # however long the machine takes over it
    assert task.result() == "done"


def test_silent_work_still_beats():
    task = Task(lambda task: time.sleep(1.5))
    assert list(task.beats())


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
