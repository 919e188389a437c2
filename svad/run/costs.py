"""What a preset costs: seconds here, learned from the runs of this machine, and GPU quota."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svad.compute.engine import ASKED_FACTOR
from svad.config.preset import Preset
from svad.run.learned import ENDED_EARLY, Table, call_name
from svad.run.offers import DAILY_SECONDS, offer
from svad.run.stages import shown
from svad.run.steps import GPU_SECONDS


@dataclass(frozen=True)
class Cost:
    """What a run of a preset takes here."""

    preset: str
    seconds: float | None  # in all; None = nobody knows
    runs: int  # of this machine it was learned from; 0 = the table's
    asks: int  # seconds of a visitor's GPU quota, the platform's factor included; 0 = none
    factor: float  # how many times the seconds the platform counts
    daily: Mapping[str, int]  # seconds of quota a day by kind of visitor


def cost(preset: Preset, root: Path) -> Cost:
    """The cost of a preset on this machine; `root` is the folder of its jobs."""
    runs = Table(root).runs(preset.name)
    rows = shown(preset)
    typical = [row.typical(preset) for row in rows if row.of(preset) is not None]
    known = [seconds for seconds in typical if seconds is not None]
    told = sum(known) if len(known) == len(typical) else None
    return Cost(
        preset=preset.name,
        seconds=statistics.median(runs) if runs else told,
        runs=len(runs),
        asks=offer(preset).asks,
        factor=ASKED_FACTOR,
        daily=DAILY_SECONDS,
    )


def learn(card: Mapping[str, Any], root: Path) -> None:
    """Takes the seconds of a run from its card, which knows those of kept stages, too.

    Of a run that was paused, those of a call that took longer than it had asked the GPU for. Raises
    `OutputError` if the table cannot be written.
    """
    table, name, entries = Table(root), str(card.get("preset")), card.get("stages", ())
    stages = [entry for entry in entries if entry.get("state") == "done"]
    if card.get("state") == "paused":
        for entry in entries:
            if entry.get("state") == "paused" and entry.get(GPU_SECONDS):
                table.replace(call_name(name, entry["name"]), ENDED_EARLY * entry[GPU_SECONDS])
    if card.get("state") != "done" or not stages or not all(e["seconds"] for e in stages):
        return
    table.add(name, sum(entry["seconds"] for entry in stages))
    for entry in stages:
        if entry.get(GPU_SECONDS):
            table.add(call_name(name, entry["name"]), entry[GPU_SECONDS])
