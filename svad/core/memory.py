"""What memory this machine, or the container around the program, has to spare."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")  # of a container: version 2 of control groups


def memory_free() -> float:
    """Bytes that can be used without others having to give up theirs; infinite if not known."""
    free = math.inf
    with suppress(OSError, ValueError, IndexError, StopIteration):
        line = next(one for one in MEMINFO.read_text().splitlines() if "MemAvailable" in one)
        free = float(line.split()[1]) * 1024
    with suppress(OSError, ValueError):
        limit = float((GROUP / "memory.max").read_text())  # "max" is no number: no limit
        free = min(free, max(0.0, limit - float((GROUP / "memory.current").read_text())))
    return free
