"""`python -m svad`: the command line."""

from __future__ import annotations

import sys


def run() -> int:
    """The command; Ctrl-C is a word also while its modules are still being imported."""
    try:
        from svad.cli import main

        return main()
    except KeyboardInterrupt:
        print("Stopped before anything was begun.", file=sys.stderr)
        return 130


sys.exit(run())
