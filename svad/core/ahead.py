"""Work on other threads before its result is asked for: the next of a loop, what is warmed up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")


def begin(function: Callable[[], object]) -> None:
    """Runs a function on another thread, now: it prepares what would be waited for later.

    What it raises is dropped, as whoever then needs the thing raises it again.
    """

    def tried() -> None:
        with suppress(Exception):
            function()

    Thread(target=tried, name="begin").start()


def ahead(
    function: Callable[[Item], Value],
    items: Iterable[Item],
    threads: int = 2,
) -> Generator[Value, None, None]:
    """`map(function, items)` in order, with `threads` calls running at once.

    For work that frees the interpreter lock, such as drawing: what one frame does on a single
    thread fills the gaps of the other. Closing the iterator, or an error, drops what has not begun.
    """
    waiting: deque[Future[Value]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
