"""Working ahead: order, number of calls at once, early ends."""

from __future__ import annotations

import threading

import pytest

from svad.core.ahead import ahead, begin
from tests.waiting import WAIT


def test_order_is_kept_and_calls_overlap() -> None:
    running, most, lock = 0, 0, threading.Lock()
    pair = threading.Barrier(2, timeout=WAIT)  # a call alone would wait there in vain

    def work(n: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pair.wait()
        with lock:
            running -= 1
        return n * n

    assert list(ahead(work, range(12), threads=2)) == [n * n for n in range(12)]
    assert most == 2
    assert list(ahead(work, [])) == []


def test_closing_drops_the_rest() -> None:
    begun: list[int] = []
    results = ahead(lambda n: begun.append(n) or n, range(1000), threads=2)
    assert next(results) == 0
    results.close()
    assert len(begun) <= 4


def test_errors_come_through() -> None:
    def fail(n: int) -> int:
        if n == 3:
            raise KeyError(n)
        return n

    results = ahead(fail, range(10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)


def test_what_is_begun_runs_beside_and_fails_in_silence() -> None:
    met, threads = threading.Event(), []

    def prepare() -> None:
        threads.append(threading.current_thread())
        met.set()
        raise RuntimeError

    begin(prepare)
    assert met.wait(WAIT)
    assert threads[0] is not threading.current_thread()
