"""Compiled loops: how numba compiles them, and threads that share their ranges."""

from __future__ import annotations

import functools
import hashlib
import itertools
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba

from svad.core.places import for_compiled

log = logging.getLogger(__name__)

# Plain fastmath would also assume that there are no NaNs, and non-finite values must be seen.
_FLAGS = {"reassoc", "contract", "arcp", "nsz"}
_OPTIONS = {"nogil": True, "fastmath": _FLAGS, "error_model": "numpy", "no_cfunc_wrapper": True}


def cached(**options: Any) -> Callable[[Callable], Callable]:
    """Compile with these options on first use; keep the result on disk wherever that can be.

    Beside the source; in our cache folder, where the program lies in a folder that its user cannot
    write to (installed by somebody else, run in a container as another user); else nowhere.
    """

    def compiled(function: Callable) -> Callable:
        beside = os.access(Path(function.__code__.co_filename).parent, os.W_OK)
        if not beside and not numba.config.CACHE_DIR:  # type: ignore[attr-defined]
            numba.config.CACHE_DIR = _folder()  # type: ignore[attr-defined]
        if beside or numba.config.CACHE_DIR:  # type: ignore[attr-defined]
            with suppress(RuntimeError):  # numba finds no folder that it can write to
                return _forgiving(numba.njit(cache=True, **options)(function))
        return numba.njit(**options)(function)

    return compiled


def jit(function: Callable) -> Callable:
    """Compile for speed: sums may be taken in another order than written."""
    return cached(**_OPTIONS)(function)


def jit_beside(function: Callable) -> Callable:
    """As `jit`, for a kernel whose parts and constants lie in the files beside it.

    numba keeps compiled code as long as the kernel's own file is the same; this one is compiled
    anew when any file of its folder changes.
    """
    kernel = jit(function)
    kept = getattr(kernel._cache, "_cache_file", None)  # type: ignore[attr-defined]
    if kept is not None:  # else nothing is kept
        folder = Path(function.__code__.co_filename).parent
        kept._source_stamp = (kept._source_stamp, _hash_of(folder))
    return kernel


@functools.cache
def _hash_of(folder: Path) -> str:
    """Changes with any source file of a folder."""
    files = sorted(folder.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@functools.cache
def _folder() -> str:
    return str(next(for_compiled(os.environ), ""))


def _forgiving(dispatcher: Any) -> Any:
    """The function, which works as well when its cache fails: a full disk, a cut file."""
    cache = dispatcher._cache
    for name in ("load_overload", "save_overload"):
        setattr(cache, name, _or_none(getattr(cache, name)))
    return dispatcher


def _or_none(function: Callable) -> Callable:
    @functools.wraps(function)
    def tried(*arguments: object) -> object:
        try:
            return function(*arguments)
        except Exception as error:  # whatever a cut file holds: it is compiled anew
            log.warning("Compiled code is not kept (%s: %s)", type(error).__name__, error)
            return None

    return tried


def part(function: Callable) -> Callable:
    """A piece of a kernel, never called from Python and always inlined.

    A kernel with pieces in other files is compiled by `jit_beside`.

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
