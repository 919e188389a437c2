"""Which presets can be chosen here, and what stands in the way of the others."""

from __future__ import annotations

from dataclasses import dataclass

from svad import weights
from svad.compute.device import device, on_zero
from svad.config.preset import Preset
from svad.run import stages
from svad.weights.manifest import Entry

# GPU seconds that visitors have on ZeroGPU in a day, as the Hub's documentation of it says
DAILY_SECONDS = {"without an account": 120, "free account": 300, "PRO": 2400}
FREE_SECONDS = DAILY_SECONDS["free account"]  # a preset that asks for more is not offered


@dataclass(frozen=True)
class Offer:
    """One preset as a person can have it here."""

    preset: str
    missing: tuple[Entry, ...]  # files it cannot run without
    lacks: tuple[Entry, ...]  # files without which it leaves a step out
    needs_gpu: bool  # its networks want a GPU; a training alone does without
    here: str  # "cpu" | "gpu" | "zero": what this machine would run it on
    asks: int  # seconds of a visitor's GPU quota, 0 where there is none
    fits: bool  # whether that is within what visitors have

    @property
    def ready(self) -> bool:
        """Whether it can be run."""
        return not self.missing and self.fits


def offer(preset: Preset) -> Offer:
    """What a preset needs and finds on this machine."""
    store = weights.Store.from_environment()
    useful = (e for e in store.entries.values() if preset.name in e.useful_for)
    networks = bool(stages.on_gpu(preset))
    zero = networks and on_zero()
    here = "zero" if zero else device().type if networks else "cpu"
    asks = stages.asked(preset) if zero else 0
    return Offer(
        preset=preset.name,
        missing=tuple(store.missing(preset.name)),
        lacks=tuple(entry for entry in useful if store.locate(entry.name) is None),
        needs_gpu=stages.needs_gpu(preset),
        here={"cuda": "gpu"}.get(here, here),
        asks=asks,
        fits=not zero or 0 < asks <= FREE_SECONDS,
    )
