"""What one visitor, or one program, of a shared server may ask for at a time and in an hour."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from gradio.context import LocalContext

from svad.core.errors import SvadError
from svad.ui import texts

HOUR = 3600.0  # s


class Callers:
    """Counts by address; addresses are kept as digests with a salt of this process only."""

    def __init__(self, at_once: int, an_hour: int) -> None:
        self._at_once, self._an_hour = at_once, an_hour  # 0 = as many as somebody likes
        self._busy: Counter[str] = Counter()
        self._begun: dict[str, deque[float]] = {}
        self._salt, self._lock = secrets.token_bytes(16), threading.Lock()

    @contextmanager
    def place(self, new: bool = False) -> Iterator[None]:
        """Holds one of the caller's places while the block runs.

        `new`: pictures are sent, which counts for the hour. Raises `SvadError` with a sentence
        where the caller has too many of them.
        """
        who = self._who()
        if not who or not self._at_once:
            yield
            return
        with self._lock:
            self._require(who, new)
            self._busy[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[who] -= 1
                if not self._busy[who]:
                    del self._busy[who]

    def _require(self, who: str, new: bool) -> None:
        if self._busy[who] >= self._at_once:
            raise SvadError(texts.CALLER_BUSY.format(n=self._at_once))
        if not new:
            return
        now = time.monotonic()
        for old in [name for name, times in self._begun.items() if times[-1] < now - HOUR]:
            del self._begun[old]
        times = self._begun.setdefault(who, deque(maxlen=self._an_hour))
        if len(times) == self._an_hour and times[0] > now - HOUR:
            minutes = (times[0] + HOUR - now) / 60
            raise SvadError(texts.CALLER_HOUR.format(n=self._an_hour, minutes=f"{minutes:.0f}"))
        times.append(now)

    def _who(self) -> str:
        """A digest of the address the request in hand came from; "" without a request.

        Behind the proxy of a Space it is the last entry of the header that the proxy writes to:
        the ones before may be made up by the caller.
        """
        request = LocalContext.request.get(None)
        if request is None:
            return ""
        headers = getattr(request, "headers", None) or {}
        named = str(headers.get("x-forwarded-for") or "").rpartition(",")[2].strip()
        client = getattr(request, "client", None)
        address = named or str(getattr(client, "host", "") or "")
        return hashlib.sha256(self._salt + address.encode()).hexdigest() if address else ""
