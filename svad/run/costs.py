"""What a preset costs: seconds here, learned from the runs of this machine, and GPU quota."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svad.compute.engine import ASKED_FACTOR
from svad.config.preset import Preset
from svad.run.learned import ENDED_EARLY, TRUSTED, Table, call_name
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


def cost(preset: Preset, root: Path | None) -> Cost:
    """The cost of a preset on this machine; `root` is the folder of its jobs.

    After few runs the table has a voice beside theirs: the machine may have been busy.
    """
    runs, told = Table(root).runs(preset.name), _told(preset)
    voices = [*runs, *([told] if told is not None and len(runs) < TRUSTED else [])]
    return Cost(
        preset=preset.name,
        seconds=statistics.median(voices) if voices else None,
        runs=len(runs),
        asks=offer(preset).asks,
        factor=ASKED_FACTOR,
        daily=DAILY_SECONDS,
    )


def expected(preset: Preset, root: Path | None) -> dict[str, float]:
    """Seconds of each stage here, as far as the table knows them.

    They are brought to what `cost` says of all together.
    """
    told, here, table = _told(preset), cost(preset, root).seconds, _table(preset)
    pace = here / told if told and here else 1.0
    return {name: pace * seconds for name, seconds in table.items() if seconds is not None}


def _told(preset: Preset) -> float | None:
    """What the table says of all stages together; None where it does not know one of them."""
    known = [seconds for seconds in _table(preset).values() if seconds is not None]
    return sum(known) if len(known) == len(_table(preset)) else None


def _table(preset: Preset) -> dict[str, float | None]:
    """Seconds of a preset's stages on two ordinary cores; None where nobody knows."""
    return {row.name: row.typical(preset) for row in shown(preset) if row.of(preset) is not None}


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
