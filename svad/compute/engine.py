"""The one way to the GPU: which device there is, and how a visitor's GPU seconds are asked for.

On a ZeroGPU Space every decorated function has a worker process of its own, so there is exactly
one: whatever wants the GPU goes through `run`. Elsewhere `run` just calls.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from svad.core.errors import MissingFile, NothingToDo, Stopped, SvadError
from svad.types import Report

if TYPE_CHECKING:
    import torch

Work = Callable[..., Any]
"""A function of a module, called as `work(*arguments, report=report)`; it must be picklable."""

# Seconds asked for each stage and preset, models on their way to the GPU included. Estimates: the
# counted operations at 60 tera-operations a second, a careful guess for half an RTX PRO 6000.
SECONDS: Mapping[tuple[str, str], int] = {
    ("diffusion", "quick"): 55,
    ("identity", "quick"): 20,
    ("restoration", "quick"): 30,
}
DEFAULT_SECONDS = 60  # what ZeroGPU takes where nothing is said
ASKED_FACTOR = 1.5  # ZeroGPU asks the quota for so many times the seconds on its present GPUs
FULL = (
    "The GPU has too little free memory for this. Close what else uses it, or choose a smaller "
    "preset. What was finished is kept."
)
BEAT = 0.5  # s; a worker gives a sign of life this often, which is also how Stop reaches it


class GpuUnavailable(SvadError):
    """The GPU could not be had; what was finished is kept."""


def on_zero() -> bool:
    """Whether this is a ZeroGPU Space."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    import torch

    return torch.device("cuda" if on_zero() or torch.cuda.is_available() else "cpu")


def half() -> torch.dtype:
    """The type the networks run in: bfloat16 on a GPU, float32 on the CPU."""
    import torch

    return torch.bfloat16 if device().type == "cuda" else torch.float32


def asked(preset: str) -> int:
    """Seconds of a visitor's quota that a run of this preset asks for in all."""
    own = [seconds for (_, name), seconds in SECONDS.items() if name == preset]
    return round(sum(own) * ASKED_FACTOR)


def seconds(stage: str, preset: str) -> int:
    """Seconds a stage asks for."""
    return SECONDS.get((stage, preset), DEFAULT_SECONDS)


def run(work: Work, *arguments: Any, seconds: int = DEFAULT_SECONDS, report: Report) -> Any:
    """What `work` returns, computed where the GPU is.

    `report` gets its progress and may raise `Stopped`, which ends the work at its next report.
    On ZeroGPU arguments and result are pickled. Raises `GpuUnavailable` with the platform's own
    words when there is no GPU to be had, or when its memory is full, and what the work raises.
    """
    if not on_zero():
        try:
            return work(*arguments, report=report)
        except Exception as error:
            if out_of_memory(error):
                raise GpuUnavailable(FULL) from error
            raise
    news = dispatcher()(work, arguments, seconds)
    last: tuple = (0, 1, "waiting for the GPU")
    try:
        for kind, *values in _received(news):
            if kind == "result":
                return values[0]
            if kind == "failed":
                raise {"nothing": NothingToDo}.get(values[0], SvadError)(values[1])
            if kind == "report":
                last = tuple(values[:3])  # without the picture, which was shown
                report(*values)
            if kind == "alive":
                report(*last)  # work may be silent while it loads; a stop must get through
    finally:
        news.close()
    raise GpuUnavailable("The GPU ended the work early. Press Create avatar to go on.")


def _received(news: Iterator[tuple]) -> Iterator[tuple]:
    """The worker's messages; the platform's own errors become sentences."""
    while True:
        try:
            message = next(news)
        except StopIteration:
            return
        except Exception as error:  # of a class that only the page's library knows
            words = getattr(error, "message", None) or str(error) or type(error).__name__
            raise GpuUnavailable(
                f"The GPU could not be used: {words} What was finished is kept; try again later."
            ) from error
        yield message


def out_of_memory(error: BaseException) -> bool:
    """Whether the GPU's memory was full."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


@cache
def dispatcher() -> Callable[..., Iterator[tuple]]:
    """The one decorated function. On ZeroGPU it must exist before the page is launched."""
    import spaces  # before anything touches CUDA

    return spaces.GPU(duration=_duration)(worker)


def _duration(work: Work, arguments: tuple, seconds: int, *_: Any, **__: Any) -> int:
    return seconds


def worker(work: Work, arguments: tuple, seconds: int) -> Iterator[tuple]:
    """Runs the work in a thread and yields its reports, then its result or how it failed.

    A generator, so that closing it stops the work: the next report raises `Stopped`.
    """
    del seconds  # what was asked for; read by the platform
    messages: queue.Queue[tuple] = queue.Queue()
    stop = threading.Event()

    def report(done: int, total: int, note: str, picture: Any = None) -> None:
        if stop.is_set():
            raise Stopped("Stopped.")
        messages.put(("report", done, total, note, picture))

    def call() -> None:
        try:
            messages.put(("result", work(*arguments, report=report)))
        except Stopped:
            messages.put(("stopped",))
        except (NothingToDo, MissingFile) as error:
            messages.put(("failed", "nothing", str(error)))
        except SvadError as error:
            messages.put(("failed", "error", str(error)))
        except BaseException as error:  # crosses processes, where only its class would be left
            full = out_of_memory(error)
            messages.put(("failed", "error", FULL) if full else ("broken", error))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        while True:
            try:
                message = messages.get(timeout=BEAT)
            except queue.Empty:
                yield ("alive",)
                continue
            if message[0] == "broken":
                raise message[1]
            yield message
            if message[0] != "report":
                return
    finally:
        stop.set()
        thread.join(timeout=10)
