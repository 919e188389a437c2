"""The exit codes of the command line."""

from __future__ import annotations

OK = 0
BROKEN = 1  # a defect of the program
BAD_INPUT = 2  # as argparse has it
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal
