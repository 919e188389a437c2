"""Compiled loops: how numba compiles them, and threads that share their ranges."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numba

# Plain fastmath would also assume that there are no NaNs, and non-finite values must be seen.
_FLAGS = {"reassoc", "contract", "arcp", "nsz"}
_OPTIONS = {"nogil": True, "fastmath": _FLAGS, "error_model": "numpy", "no_cfunc_wrapper": True}


def jit(function: Callable) -> Callable:
    """Compile on first use; keep the result on disk wherever a cache folder can be written."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # neither the package nor the user's cache folder is writable
        return numba.njit(**_OPTIONS)(function)


def part(function: Callable) -> Callable:
    """A piece of a kernel in the same file, never called from Python and always inlined.

    Left as a call, it would be compiled twice, alone and with its kernel, and rounded differently.
    A process that compiles links the first, one that reads the kernel from the cache the second.
    """
    options: dict = {**_OPTIONS, "no_cpython_wrapper": True, "forceinline": True}
    return numba.njit(**options)(function)


@functools.cache
def _helpers() -> ThreadPoolExecutor:
    """The threads that help the calling one; shared by all loops of the process."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="loop")


def spread(kernel: Callable, edges: Sequence[int], threads: int, *arguments: object) -> None:
    """Run `kernel(first, last, *arguments)` on every range between two edges, on up to `threads`.

    The calling thread takes part.
    """
    parts = iter([p for p in itertools.pairwise(edges) if p[1] > p[0]])

    def work() -> None:
        for first, last in parts:
            kernel(first, last, *arguments)

    waiting = [_helpers().submit(work) for _ in range(min(threads, len(edges) - 1) - 1)]
    work()
    for future in waiting:
        if not future.cancel():  # a helper that never started has nothing left to do
            future.result()
