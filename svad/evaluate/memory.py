"""The most memory that a process has held."""

from __future__ import annotations

import contextlib
from pathlib import Path

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PEAK, KIB = "VmHWM:", 1024


def forget_peak() -> None:
    """Counts from now on, where the system can (Linux); elsewhere the peak is the process's."""
    with contextlib.suppress(OSError):
        FORGET.write_text("5")  # man 5 proc


def peak_gb() -> float | None:
    """The most memory held, in GB (1e9 bytes); None where the system does not tell (Windows)."""
    with contextlib.suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith(PEAK):
                return int(line.split()[1]) * KIB / 1e9
    try:
        import resource
        import sys
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
