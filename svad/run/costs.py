"""What a preset costs: seconds here, learned from the runs of this machine, and GPU quota."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svad.compute.engine import ASKED_FACTOR
from svad.config.preset import Preset
from svad.core.files import write_json
from svad.run.offers import DAILY_SECONDS, offer
from svad.run.stages import shown

LEARNED = "seconds.json"  # beside the job folders; holds numbers only
RUNS = 9  # of the latest runs of a preset, whose middle counts: one slow run says little


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
    runs = _table(root / LEARNED).get(preset.name, [])
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
    """Takes the seconds of a finished run from its card, which knows those of kept stages, too.

    Raises `OutputError` if the table cannot be written.
    """
    stages = [entry for entry in card.get("stages", ()) if entry.get("state") == "done"]
    name, seconds = str(card.get("preset")), sum(entry["seconds"] for entry in stages)
    if card.get("state") != "done" or not seconds or not all(e["seconds"] for e in stages):
        return
    table = _table(root / LEARNED)
    table[name] = [*table.get(name, []), round(seconds, 1)][-RUNS:]
    write_json(root / LEARNED, table)


def _table(path: Path) -> dict[str, list[float]]:
    """Seconds of the latest runs by preset; empty where the file is absent or damaged."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    rows = found.items() if isinstance(found, dict) else ()
    return {
        str(name): [float(one) for one in runs if isinstance(one, int | float) and one > 0]
        for name, runs in rows
        if isinstance(runs, list)
    }
