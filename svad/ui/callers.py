"""What one visitor, or one program, of a shared server may ask for and send, now and in an hour."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gradio.context import LocalContext

from svad.core.errors import SvadError
from svad.ui import texts

HOUR = 3600.0  # s


class CallerError(SvadError):
    """A caller asks for more, or sends more, than one may have here."""


class Callers:
    """Counts by address; addresses are kept as digests with a salt of this process only."""

    def __init__(self, at_once: int, an_hour: int, gigabytes: float = 0) -> None:
        self._at_once, self._an_hour = at_once, an_hour  # 0 = as many as somebody likes
        self._gigabytes = gigabytes  # of uploads within an hour
        self._busy: Counter[str] = Counter()
        self._begun: dict[str, deque[float]] = {}
        self._sending: Counter[str] = Counter()
        self._sent: dict[str, deque[tuple[float, int]]] = {}  # when an upload ended, and its bytes
        self._salt, self._lock = secrets.token_bytes(16), threading.Lock()

    @contextmanager
    def place(self, new: bool = False) -> Iterator[None]:
        """Holds one of the caller's places while the block runs.

        `new`: pictures are sent, which counts for the hour. Raises `CallerError` with a sentence
        where the caller has too many of them.
        """
        who = self._who(LocalContext.request.get(None))
        if not who:
            yield
            return
        with self._lock:
            self._require(who, new)
            self._busy[who] += 1
        try:
            yield
        finally:
            self._leave(self._busy, who)

    @contextmanager
    def upload(self, request: Any) -> Iterator[Callable[[int], None]]:
        """Holds a place for an upload while the block runs; the block tells the bytes that come.

        Raises `CallerError` with a sentence where the caller has as many of them under way, or has
        sent as much within the hour. What an upload brings counts when it has ended, so that an
        hour may hold one more than it should.
        """
        who = self._who(request)
        if not who:
            yield lambda count: None
            return
        with self._lock:
            self._require_upload(who)
            self._sending[who] += 1
        sent = 0

        def came(count: int) -> None:
            nonlocal sent
            sent += count

        try:
            yield came
        finally:
            self._leave(self._sending, who)
            with self._lock:
                self._sent.setdefault(who, deque()).append((time.monotonic(), sent))

    def _leave(self, places: Counter[str], who: str) -> None:
        with self._lock:
            places[who] -= 1
            if not places[who]:
                del places[who]

    def _require_upload(self, who: str) -> None:
        if self._sending[who] >= self._at_once:
            raise CallerError(texts.UPLOADS_BUSY.format(n=self._at_once))
        now = time.monotonic()
        for name in list(self._sent):
            while self._sent[name] and self._sent[name][0][0] < now - HOUR:
                self._sent[name].popleft()
            if not self._sent[name]:
                del self._sent[name]
        sent = self._sent.get(who, ())
        if sent and sum(count for _, count in sent) >= 1e9 * self._gigabytes:
            minutes = (sent[0][0] + HOUR - now) / 60
            words = texts.UPLOADS_HOUR.format(n=self._gigabytes, minutes=f"{minutes:.0f}")
            raise CallerError(words)

    def _require(self, who: str, new: bool) -> None:
        if self._busy[who] >= self._at_once:
            raise CallerError(texts.CALLER_BUSY.format(n=self._at_once))
        if not new:
            return
        now = time.monotonic()
        for old in [name for name, times in self._begun.items() if times[-1] < now - HOUR]:
            del self._begun[old]
        times = self._begun.setdefault(who, deque(maxlen=self._an_hour))
        if len(times) == self._an_hour and times[0] > now - HOUR:
            minutes = (times[0] + HOUR - now) / 60
            raise CallerError(texts.CALLER_HOUR.format(n=self._an_hour, minutes=f"{minutes:.0f}"))
        times.append(now)

    def _who(self, request: Any) -> str:
        """A digest of the address a request came from; "" without one, or without a limit.

        Behind proxies it is the last public address in the header that they write to: what stands
        before may be made up by the caller, what follows are addresses of the proxies.
        """
        if request is None or not self._at_once:
            return ""
        headers: Mapping[str, str] = getattr(request, "headers", None) or {}
        passed = str(headers.get("x-forwarded-for") or "").split(",")
        public = [one.strip() for one in passed if _is_public(one.strip())]
        client = getattr(request, "client", None)
        address = public[-1] if public else str(getattr(client, "host", "") or "")
        return hashlib.sha256(self._salt + address.encode()).hexdigest() if address else ""


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
