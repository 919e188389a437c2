"""The waiting line of a page: whose turn it is, how many are served before, and for how long."""

from __future__ import annotations

import heapq
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from svad.core.errors import Stopped

LOOKS = 0.25  # s between two looks whether it is somebody's turn
STEP = 5.0  # s, in whole steps of which a wait is told
OVERDUE = 0.1  # of what was expected, that somebody is given who takes longer
LATEST = 9  # turns whose middle is expected of the next of which nothing is known


@dataclass(frozen=True)
class Wait:
    """What stands before somebody in the line."""

    ahead: int  # visitors to be served before
    seconds: float | None  # until it is their turn; None = nobody knows


@dataclass(eq=False)
class _Ticket:
    stop: threading.Event  # by which it leaves the line
    expected: float | None  # s that it will be served for
    begun: float | None = None  # when that began; None = it waits


class Line:
    """A waiting line: at most `places` are served at once, in the order they came."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._tickets: list[_Ticket] = []
        self._taken: deque[float] = deque(maxlen=LATEST)
        self._lock = threading.Lock()

    @contextmanager
    def turn(
        self,
        stop: threading.Event,
        tell: Callable[[Wait], None],
        seconds: float | None = None,
    ) -> Iterator[None]:
        """Waits for its turn, then holds a place while the block runs.

        `seconds`: how long that will take; None = as long as the latest did of whom nothing was
        known either. `tell` gets what is to be waited for whenever that changes. Raises `Stopped`
        when `stop` is set before it is served.
        """
        ticket, told = _Ticket(stop, seconds), None
        with self._lock:
            self._tickets.append(ticket)
        try:
            while (wait := self._wait(ticket)).ahead:
                if wait != told:
                    tell(wait)
                    told = wait
                if stop.wait(LOOKS):
                    raise Stopped("Stopped while waiting.")
            yield
        finally:
            with self._lock:
                self._tickets.remove(ticket)
                if ticket.begun is not None and ticket.expected is None:
                    self._taken.append(time.monotonic() - ticket.begun)

    def others_wait(self, stop: threading.Event) -> bool:
        """Whether somebody waits besides the one whom `stop` tells to leave."""
        with self._lock:
            return any(one.begun is None and one.stop is not stop for one in self._tickets)

    def _wait(self, ticket: _Ticket) -> Wait:
        """What is before a ticket; one that has a place from now on is marked as begun."""
        with self._lock:
            before = self._tickets[: self._tickets.index(ticket)]
            ahead = max(0, len(before) - self._places + 1)
            if not ahead:
                ticket.begun = time.monotonic()
            return Wait(ahead, self._seconds(before) if ahead else 0.0)

    def _seconds(self, before: list[_Ticket]) -> float | None:
        """Until one of the places is free for whoever comes after these."""
        usual = statistics.median(self._taken) if self._taken else None
        free: list[float] = []  # when each place is, of those that are taken
        for ticket in before:
            whole = usual if ticket.expected is None else ticket.expected
            if whole is None:
                return None
            start = heapq.heappop(free) if len(free) == self._places else 0.0
            heapq.heappush(free, start + _left(whole, ticket.begun))
        return max(STEP, STEP * round(free[0] / STEP))


def _left(whole: float, begun: float | None) -> float:
    """Seconds that somebody will still be served for."""
    if begun is None:
        return whole
    return max(whole - (time.monotonic() - begun), OVERDUE * whole)
