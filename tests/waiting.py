"""Waiting in tests for what other threads, processes and browsers do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WAIT = 120.0  # s; tells what hangs, and nothing of how fast a machine is


def until(found: Callable[[], Any], seconds: float = WAIT, pause: float = 0.02) -> Any:
    """Waits until `found` gives something true, and gives that; looks again after each `pause`."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(pause)
    return value
