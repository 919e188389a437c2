"""The photos of a batch on this machine: a process each, as many as memory and processors allow."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from typing import Any

from svad.config.preset import Preset
from svad.core.memory import memory_free
from svad.run.batch.rows import FAILED, Row
from svad.run.batch.work import Share, Tell, Work, make_avatar
from svad.run.stages import needs_gpu

NEED = 1.8e9  # bytes of a process that makes avatars on the CPU, of large photos too
LEFT_FREE = 0.1  # of the memory, for the rest of the machine
LOOK = 0.25  # s between two looks at `stop`
LONGEST_END = 60.0  # s that a stopped process may take before it is ended from outside
DIED = (
    "The process that worked on it ended {how}. {advice} What is finished is kept: the same "
    "command goes on from there."
)
KILLED = "Most often this is for want of memory: free some, or use fewer --processes."
CRASHED = "If it does so again, this photo brings a library to fall; leave it out."


@dataclass
class _Hand:
    """A process and what it works on."""

    process: BaseProcess
    pipe: Any  # our end, of `multiprocessing.Pipe`
    work: Work | None = None
    share: float = 0.0


class Local:
    """Processes of this machine; one that dies fails its photo only."""

    def __init__(self, processes: int, threads: int, gpus: Sequence[str] = ()) -> None:
        self.processes, self.threads, self.gpus = processes, threads, tuple(gpus)

    def run(self, works: Sequence[Work], stop: threading.Event, tell: Tell) -> Iterator[Row]:
        """See `BatchEngine`."""
        waiting, hands = deque(works), []
        try:
            while not stop.is_set() and (waiting or _busy(hands)):
                self._give(waiting, hands)
                yield from _heard(hands)
                tell(sum(hand.share for hand in hands))
            yield from _stopped(hands)
        finally:
            for hand in hands:
                _end(hand)

    def _give(self, waiting: deque[Work], hands: list[_Hand]) -> None:
        """Photos to idle processes; new processes as far as there are photos and room for them."""
        while waiting:
            idle = next((hand for hand in hands if hand.work is None), None)
            if idle is None and len(hands) < self.processes:
                idle = self._begin(len(hands))
                hands.append(idle)
            if idle is None:
                return
            idle.work, idle.share = waiting.popleft(), 0.0
            with suppress(OSError):  # it has died; that is heard next
                idle.pipe.send(idle.work)

    def _begin(self, place: int) -> _Hand:
        context = get_context("spawn")  # a fork would take locks of other threads along
        ours, theirs = context.Pipe()
        more = {"OMP_NUM_THREADS": str(self.threads), "NUMBA_NUM_THREADS": str(self.threads)}
        if self.gpus:
            more["CUDA_VISIBLE_DEVICES"] = self.gpus[place % len(self.gpus)]
        with _environment(more):
            process = context.Process(target=_labour, args=(theirs,), daemon=True)
            process.start()
        theirs.close()
        return _Hand(process, ours)


def room_for(preset: Preset, photos: int) -> tuple[int, int, list[str]]:
    """How many processes make avatars at once here, the threads of each, and each one's GPU."""
    cores = _cores()
    if needs_gpu(preset):
        gpus = _gpus()
        return max(1, min(photos, len(gpus))), max(1, cores // max(1, len(gpus))), gpus
    fitting = memory_free() * (1 - LEFT_FREE) / NEED
    processes = max(1, int(min(photos, cores, fitting)))
    return processes, max(1, cores // processes), []


def _cores() -> int:
    with suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpus() -> list[str]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return [named[k] if k < len(named) and named[k] else str(k) for k in range(count)]


def _busy(hands: list[_Hand]) -> bool:
    return any(hand.work is not None for hand in hands)


def _heard(hands: list[_Hand]) -> Iterator[Row]:
    """What the processes say within a moment; those that have died are taken out."""
    said = connection.wait([hand.pipe for hand in hands], LOOK)
    for hand in [hand for hand in hands if hand.pipe in said]:
        try:
            news = hand.pipe.recv()
        except (EOFError, OSError):
            hands.remove(hand)
            hand.process.join(LONGEST_END)
            if hand.work is not None:
                yield hand.work.row(FAILED, _how(hand.process.exitcode))
            hand.pipe.close()
            continue
        if isinstance(news, Row):
            hand.work, hand.share = None, 0.0
            yield news
        else:
            hand.share = news


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        advice = KILLED if -code == signal.SIGKILL else CRASHED
        return DIED.format(how=f"by the signal {name}", advice=advice)
    return DIED.format(how=f"with the code {code}", advice=CRASHED)


def _stopped(hands: list[_Hand]) -> Iterator[Row]:
    """Tells what still runs to stop, and waits for it."""
    for hand in hands:
        with suppress(OSError):
            hand.pipe.send("stop")
    end = time.monotonic() + LONGEST_END
    while _busy(hands) and time.monotonic() < end:
        yield from _heard(hands)


def _end(hand: _Hand) -> None:
    hand.pipe.close()  # it then ends by itself
    hand.process.join(2.0)
    if hand.process.is_alive():
        hand.process.kill()
        hand.process.join()
    hand.process.close()


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """Variables that a process begun in the block is born with."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _labour(pipe: Any) -> None:
    """The life of a process: photos in, lines out, until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other side, which tells us
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)  # the libraries' chatter would break the bars
    orders: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(pipe, orders, stop), daemon=True).start()
    share, last = Share(lambda done: _tell(pipe, done)), None
    while (work := orders.get()) is not None:
        if last is None or last[0] != (work.make, work.preset):
            last = (work.make, work.preset), work.make(work.preset)
        _tell(pipe, make_avatar(work, last[1], stop, share))


def _listen(pipe: Any, orders: queue.SimpleQueue, stop: threading.Event) -> None:
    try:
        while (order := pipe.recv()) != "stop":
            orders.put(order)
    except (EOFError, OSError):
        pass  # the other side has ended, or was killed
    stop.set()
    orders.put(None)


def _tell(pipe: Any, news: Row | float) -> None:
    with suppress(OSError):  # nobody listens any more; the folder has it all
        pipe.send(news)


def usual(preset: Preset, photos: int, processes: int | None = None) -> Local:
    """The engine for a preset on this machine, with a number of processes of one's own."""
    fitting, threads, gpus = room_for(preset, photos)
    if processes is None:
        return Local(fitting, threads, gpus)
    return Local(min(processes, photos), max(1, _cores() // processes), gpus)
