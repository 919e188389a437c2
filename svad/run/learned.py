"""Seconds that runs of this machine took, kept beside the job folders, for those that follow."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from svad.compute.engine import MOST_SECONDS
from svad.core.files import write_json

LEARNED = "seconds.json"  # beside the job folders; holds numbers only
RUNS = 9  # the latest, whose middle counts: one slow run says little
# What is asked of ZeroGPU: a call that takes longer than it asked for is ended by the platform.
HEADROOM = 1.3  # times the middle of what calls took: their pace varies
START = 5  # s of a new worker, which gets the networks first
LEAST_ASKED = 10  # s
TRUSTED = 3  # runs, before what was told without them counts no more
ENDED_EARLY = 1.5  # times what a call had when it was ended: so much it may take


class Table:
    """Seconds of the latest runs by name; without a folder nothing is known, and nothing kept."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root

    def runs(self, name: str) -> list[float]:
        """Seconds of the latest runs, the oldest first; none where the file is damaged."""
        return self._read().get(name, [])

    def add(self, name: str, seconds: float) -> None:
        """One more run; raises `OutputError` if it cannot be written."""
        self._write(name, [*self.runs(name), round(seconds, 1)][-RUNS:])

    def replace(self, name: str, seconds: float) -> None:
        """A run that shows the others to be wrong; raises `OutputError` as `add` does."""
        self._write(name, [round(seconds, 1)])

    def _write(self, name: str, runs: list[float]) -> None:
        if self.root is not None:
            write_json(self.root / LEARNED, self._read() | {name: runs})

    def _read(self) -> dict[str, list[float]]:
        if self.root is None:
            return {}
        try:
            found = json.loads((self.root / LEARNED).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        rows = found.items() if isinstance(found, dict) else ()
        return {
            str(name): [float(one) for one in runs if isinstance(one, int | float) and one > 0]
            for name, runs in rows
            if isinstance(runs, list)
        }


MACHINE = Table()  # of this process; the page gives it the folder of its jobs


def call_name(preset: str, stage: str) -> str:
    """The name under which the GPU calls of a stage are kept."""
    return f"{preset}/{stage}"


def to_ask(
    runs: Sequence[float],  # seconds that calls worked on the GPU, the latest
    usual: int,  # what the preset says
    fills: bool,  # whether the stage goes on for as long as it may
) -> int:
    """Whole seconds to ask ZeroGPU for in one call.

    A stage that fills its time is never given more for having done so.
    """
    seconds = usual
    if runs:
        learned = math.ceil(HEADROOM * statistics.median(runs) + START)
        more = not fills and learned > usual
        seconds = learned if more or len(runs) >= TRUSTED else usual
        seconds = min(seconds, usual) if fills else seconds
    return min(max(seconds, LEAST_ASKED), MOST_SECONDS)
