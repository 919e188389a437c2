"""What a command writes to: whatever was closed, full, or knows few letters."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> None:
    """Somewhere to write, whatever was closed; letters a terminal does not know are written out."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Writes out what was printed; raises OSError where that cannot be, and then only once."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise
