"""Pretrained files: where each comes from, under which terms, and where it lies on this machine.

`resolve` and `missing` never download; only `python -m svad weights --download` does.
"""

from __future__ import annotations

from pathlib import Path

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
