"""Computes the next results of a loop on other threads while the last one is being used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")


def ahead(
    function: Callable[[Item], Value],
    items: Iterable[Item],
    threads: int = 2,
) -> Iterator[Value]:
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
