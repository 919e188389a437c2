"""`python -m svad`: the command line."""

from __future__ import annotations

import signal
import sys


def run() -> int:
    """The command; Ctrl-C, or being ended, is a word also while its modules are being imported."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from svad.cli import main

        return main()
    except KeyboardInterrupt:
        print("Stopped before anything was begun.", file=sys.stderr)
        return 130


sys.exit(run())
