"""Engines: the one way to have work done where the GPU is, in process or in ZeroGPU's worker.

An engine is a class with a method `run`; `engine()` says which one this machine has. On ZeroGPU
every decorated function has a worker process of its own, so there is exactly one of them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol

from svad.compute.device import device, on_zero, out_of_memory
from svad.compute.messages import Alive, Failed, Finished, Message, Progress
from svad.core.errors import Stopped, SvadError
from svad.types import Report

Work = Callable[..., Any]
"""A function of a module, called as `work(*arguments, report=report)`; it must be picklable."""

MOST_SECONDS = 110  # of one call: longer ones are refused, or wait long; a training has checkpoints
DEFAULT_SECONDS = 60  # what ZeroGPU takes where nothing is said
ASKED_FACTOR = 1.5  # ZeroGPU asks the quota for so many times the seconds on its present GPUs
FULL = (
    "The GPU has too little free memory for this. Close what else uses it, or choose a smaller "
    "preset. What was finished is kept."
)
BEAT = 0.5  # s; a worker gives a sign of life this often, which is also how Stop reaches it


_SPENT: ContextVar[list[float] | None] = ContextVar("spent", default=None)


class GpuUnavailable(SvadError):
    """The GPU could not be had; what was finished is kept."""


class Engine(Protocol):
    """Somewhere work can be done."""

    def run(self, work: Work, arguments: tuple[Any, ...], seconds: int, report: Report) -> Any:
        """What `work` returns or raises; `seconds` is what it is expected to take at most."""
        ...


class InProcess:
    """Calls the work here and now."""

    def run(self, work: Work, arguments: tuple[Any, ...], seconds: int, report: Report) -> Any:
        """A plain call; a full GPU becomes a sentence."""
        del seconds  # nobody has to be asked
        begun = time.monotonic()
        try:
            value = work(*arguments, report=report)
        except Exception as error:
            if out_of_memory(error):
                raise GpuUnavailable(FULL) from error
            raise
        if device().type == "cuda":
            _took(time.monotonic() - begun)
        return value


class ZeroGpu:
    """Has the work done by ZeroGPU's worker process; arguments and result are pickled."""

    def run(self, work: Work, arguments: tuple[Any, ...], seconds: int, report: Report) -> Any:
        """Follows the worker's messages to its result; errors keep class, sentence and fields."""
        seconds = min(seconds, MOST_SECONDS)
        news = dispatcher()(work, arguments, seconds)
        last, begun = Progress(0, 1, "waiting for the GPU"), None
        try:
            for message in _received(news):
                begun = begun or time.monotonic()
                match message:
                    case Finished(value, taken):
                        _took(taken)
                        return value
                    case Failed():
                        raise message.error()
                    case Progress(done, total, note, picture):
                        last = Progress(done, total, note)  # without the picture, which was shown
                        report(done, total, note, picture)
                    case Alive():  # work may be silent while it loads; a stop must get through
                        report(last.done, last.total, last.note)
        except GpuUnavailable:
            if begun is not None and time.monotonic() - begun >= seconds:
                _took(time.monotonic() - begun)  # it was ended for that, so it takes more
            raise
        finally:
            news.close()
        raise GpuUnavailable("The GPU ended the work early. What was finished is kept.")


def engine() -> Engine:
    """The engine of this machine."""
    return ZeroGpu() if on_zero() else InProcess()


def run(work: Work, *arguments: Any, seconds: int = DEFAULT_SECONDS, report: Report) -> Any:
    """What `work` returns, computed where the GPU is.

    `report` gets its progress and may raise `Stopped`, which ends the work at its next report.
    Raises `GpuUnavailable` with the platform's own words when there is no GPU to be had, or when
    its memory is full, and every `SvadError` that the work raises.
    """
    return engine().run(work, arguments, seconds, report)


@contextmanager
def timed() -> Iterator[list[float]]:
    """The seconds that each call of `run` in the block worked on a GPU, not those it waited for it.

    Of a call that the platform ended for taking too long, those it had by then.
    """
    spent: list[float] = []
    before = _SPENT.set(spent)
    try:
        yield spent
    finally:
        _SPENT.reset(before)


def _took(seconds: float) -> None:
    spent = _SPENT.get()
    if spent is not None:
        spent.append(seconds)


def _received(news: Iterator[Message]) -> Iterator[Message]:
    """The worker's messages; the platform's own errors become sentences."""
    while True:
        try:
            message = next(news)
        except StopIteration:
            return
        except Exception as error:  # of a class that only the page's library knows
            words = str(getattr(error, "message", "") or error) or type(error).__name__
            title = str(getattr(error, "title", ""))
            about = f"{title}: " if title.startswith("ZeroGPU") else ""
            raise GpuUnavailable(
                f"The GPU could not be used. {about}{words.rstrip('. ')}. What was finished is "
                "kept; Resume goes on from there."
            ) from error
        yield message


@cache
def dispatcher() -> Callable[..., Generator[Message, None, None]]:
    """The one decorated function. On ZeroGPU it must exist before the page is launched."""
    import spaces  # before anything touches CUDA

    # half a GPU: the whole one costs visitors twice the quota
    return spaces.GPU(duration=_duration, size="large")(worker)


def _duration(work: Work, arguments: tuple, seconds: int, *_: Any, **__: Any) -> int:
    return seconds


def worker(work: Work, arguments: tuple, seconds: int) -> Generator[Message, None, None]:
    """Runs the work in a thread and yields its progress, then its result or how it failed.

    A generator, so that closing it stops the work: the next report raises `Stopped`.
    """
    del seconds  # what was asked for; read by the platform
    begun = time.monotonic()
    messages: queue.Queue[Message | BaseException] = queue.Queue()
    stop = threading.Event()

    def report(done: int, total: int, note: str, picture: Any = None) -> None:
        if stop.is_set():
            raise Stopped("Stopped.")
        messages.put(Progress(done, total, note, picture))

    def call() -> None:
        try:
            value = work(*arguments, report=report)
            messages.put(Finished(value, time.monotonic() - begun))
        except SvadError as error:
            messages.put(Failed.of(error))
        except BaseException as error:
            full = out_of_memory(error)
            messages.put(Failed.of(GpuUnavailable(FULL)) if full else error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        while True:
            try:
                message = messages.get(timeout=BEAT)
            except queue.Empty:
                yield Alive()
                continue
            if isinstance(message, BaseException):
                raise message  # a defect: the platform passes on its class alone
            yield message
            if isinstance(message, Finished | Failed):
                return
    finally:
        stop.set()
        thread.join(timeout=10)
