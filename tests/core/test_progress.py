"""Progress of parts stays inside the whole, grows, and loses neither note nor picture."""

from __future__ import annotations

import numpy as np
import pytest

from svad.core.progress import StepCounter, part, silent


class Told:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def __call__(self, done: int, total: int, note: str, picture=None) -> None:
        self.calls.append((done, total, note, picture))

    def done(self) -> list[int]:
        return [call[0] for call in self.calls]


@pytest.mark.parametrize("of", [1, 7, 300, 12345])
def test_a_part_fills_its_share_in_whole_steps(of: int) -> None:
    told = Told()
    share = part(told, 100, 850, 1000)
    for done in range(of + 1):
        share(done, of, "note")
    assert told.done() == [100 + 750 * done // of for done in range(of + 1)]
    assert all(type(done) is int and total == 1000 for done, total, *_ in told.calls)


def test_notes_and_pictures_go_through() -> None:
    told, picture = Told(), np.zeros((2, 2, 3), np.uint8)
    part(told, 0, 10, 20, "faces 1 to 3")(1, 2, "step 1", picture)
    part(told, 0, 10, 20)(0.55, 1, "fitting")
    assert told.calls == [(5, 20, "faces 1 to 3, step 1", picture), (5, 20, "fitting", None)]


def test_parts_of_parts_and_parts_without_work() -> None:
    told = Told()
    inner = part(part(told, 200, 1000, 1000), 1, 2, 4)
    inner(1, 2, "half of the second quarter")
    part(told, 30, 30, 100)(1, 2, "keeps its place")
    part(told, 0, 10, 100)(0, 0, "nothing to do")
    assert told.done() == [400, 30, 0]  # the inner part has one step of its own: no half ones


def test_steps_are_counted_and_never_pass_the_total() -> None:
    told = Told()
    steps = StepCounter(told)
    steps.tell("begin")
    steps.total = 4
    steps.next("one")
    steps.tell("a bit into the second", ahead=0.9)
    steps.tell("into the third", ahead=1.2)
    steps.done = 4
    steps.next("one too many")
    assert [call[:2] for call in told.calls] == [(0, 1), (1, 4), (1, 4), (2, 4), (4, 4)]


def test_what_stops_the_work_gets_through() -> None:
    class Halt(Exception):
        pass

    def report(*_: object) -> None:
        raise Halt

    with pytest.raises(Halt):
        part(report, 0, 1, 1)(0, 1, "note")
    with pytest.raises(Halt):
        StepCounter(report).next("note")
    silent(0, 1, "note", picture=None)
