"""Pretrained files: where each comes from, under which terms, and where it lies on this machine.

`resolve` and `missing` never download; only `python -m svad weights --download` does.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from svad.core.errors import MissingWeights
from svad.weights.manifest import Entry
from svad.weights.store import Store


def resolve(name: str) -> Path:
    """The local file of a manifest entry; pickles come back as their safetensors copy.

    `entry:path` is a file inside an entry that is an archive.

    Raises `MissingWeights`, with file, source and terms, when it is not on this machine.
    """
    return Store.from_environment().resolve(name)


def missing(preset: str) -> list[Entry]:
    """The files the preset cannot run without that are not on this machine."""
    return Store.from_environment().missing(preset)


def read_by(preset: str) -> tuple[str, ...]:
    """The files on this machine that the preset reads, each with licence and terms."""
    store = Store.from_environment()
    here = [e for e in store.of_preset(preset) if store.locate(e.name) is not None]
    return tuple(entry.notice for entry in here)


def require(preset: str) -> None:
    """Raises `MissingWeights` for a preset that needs a file which is not on this machine."""
    store = Store.from_environment()
    gone = store.missing(preset)
    if not gone:
        return
    first, advice = gone[0], store.advice(gone[0])
    if len(gone) > 1:
        advice += (
            f" The preset {preset} lacks {len(gone) - 1} more; `python -m svad weights --preset "
            f"{preset}` lists them all with their terms."
        )
    raise MissingWeights(first.file, first.where, first.terms, advice)


def found_by(
    store: Store,
    preset: str,
    groups: Collection[str],  # of the manifest; their files count where the preset reads them
    always: Collection[str] = (),  # further groups, which are read in every preset if they are here
) -> list[tuple[str, int]]:
    """The pretrained files of some groups that are on this machine, with their sizes in bytes.

    Some steps are left out without them, so a result counts only as long as they stay the same.
    """
    entries = store.entries.values()
    mine = [
        e.name for e in entries if e.stage in always or (e.stage in groups and preset in e.presets)
    ]
    found = ((name, store.locate(name)) for name in mine)
    return [(name, place.path.stat().st_size) for name, place in found if place is not None]
