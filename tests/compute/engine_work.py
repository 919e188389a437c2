"""A stand-in for ZeroGPU's package, and functions it runs: in another process, pickled."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from svad.core.errors import MissingWeights, NothingToDo, SettingError, SvadError
from tests.waiting import WAIT, until


class QuotaExceeded(Exception):
    """As the platform's own errors: the words are in `message`."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__("GPU error")


class FakeSpaces(ModuleType):
    """`GPU` runs generator functions in a process of their own, as the platform does."""

    def __init__(self, refuse: str = "") -> None:
        super().__init__("spaces")
        self.refuse = refuse
        self.decorated: list[Callable] = []
        self.asked: list[int] = []
        self.workers: list[int] = []

    def GPU(self, duration: Callable[..., int], size: str) -> Callable:
        """The decorator."""
        assert size == "large"

        def decorate(function: Callable[..., Iterator]) -> Callable[..., Iterator]:
            self.decorated.append(function)

            def call(*arguments: Any) -> Iterator:
                self.asked.append(duration(*arguments))
                if self.refuse:
                    raise QuotaExceeded(self.refuse)
                yield from self._elsewhere(function, pickle.dumps(arguments))

            return call

        return decorate

    def _elsewhere(self, function: Callable[..., Iterator], arguments: bytes) -> Iterator:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(
            target=_serve, args=(here, there, function, arguments), daemon=True
        )
        process.start()
        there.close()
        self.workers.append(process.pid)
        try:
            while True:
                here.send(True)
                kind, value = here.recv()
                if kind == "end":
                    return
                if kind == "error":
                    raise QuotaExceeded(value)  # only the class name arrives
                yield value
        finally:
            here.close()
            process.join(WAIT)
            assert not process.is_alive()


def _serve(theirs: Any, pipe: Any, function: Callable[..., Iterator], arguments: bytes) -> None:
    theirs.close()  # or the end of the other side would never be noticed
    items = function(*pickle.loads(arguments))
    try:
        while pipe.recv():
            try:
                pipe.send(("value", next(items)))
            except StopIteration:
                pipe.send(("end", None))
                return
            except Exception as error:
                pipe.send(("error", type(error).__name__))
                return
    except EOFError:  # nobody listens any more
        items.close()


def add(a: int, b: int, *, report: Callable[..., None]) -> tuple[int, int]:
    """The sum, and the process that computed it."""
    report(1, 2, "adding", None)
    return a + b, os.getpid()


def nothing(*, report: Callable[..., None]) -> None:
    raise NothingToDo("There is no face in the photo.")


def fails(*, report: Callable[..., None]) -> None:
    raise SvadError("The file does not fit.")


def misfits(*, report: Callable[..., None]) -> None:
    raise SettingError("There is no such setting.")


def lacks(*, report: Callable[..., None]) -> None:
    raise MissingWeights("face.pth", "a page", "free")


def full(*, report: Callable[..., None]) -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")


def breaks(*, report: Callable[..., None]) -> None:
    raise ZeroDivisionError


def silent_for(seconds: float, *, report: Callable[..., None]) -> None:
    """Reports once, then nothing for a while."""
    report(1, 5, "loading", None)
    time.sleep(seconds)


def silent_until(mark: str, *, report: Callable[..., None]) -> None:
    """Reports once, then nothing until there is a file of that name."""
    report(1, 5, "loading", None)
    until(lambda: os.path.exists(mark))


def endless(*, report: Callable[..., None]) -> None:
    """Goes on until its report raises."""
    for k in itertools.count():
        report(k, 10_000, "working", None)
        time.sleep(0.02)
