"""Lazy loading of pretrained networks: read from their files when first needed, then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import torch

from svad.core.errors import MissingWeights
from svad.core.progress import Report, silent
from svad.weights.convert import read_checkpoint
from svad.weights.strict import State

T = TypeVar("T")

Resolve = Callable[[str], Path]
"""`resolve(name)`: the local file of a manifest entry, or of `entry:file` in an archive.

Raises `MissingWeights`, with file, source and terms, when it is not on this machine.
"""


class PartFiles:
    """The published files of a room's networks, by the room's own name for each part."""

    def __init__(
        self,
        parts: Mapping[str, str],  # part -> entry of the manifest, or entry:file in its archive
        resolve: Resolve,
        report: Report = silent,
    ) -> None:
        self.missing: dict[str, str] = {}  # entry -> name of the absent file, see `optional`
        self._parts, self._resolve, self._report = parts, resolve, report
        self._paths: dict[str, Path] = {}
        self._read = 0

    def path(self, part: str) -> Path:
        """The local file of a part; raises `MissingWeights`."""
        if part not in self._paths:
            self._paths[part] = self._resolve(self._parts[part])
        return self._paths[part]

    def state(self, part: str) -> State:
        """The tensors of a part's file. They are not kept, so that only one file lies in memory.

        Raises `MissingWeights`, and what reading a wrong file raises.
        """
        done, total = min(self._read, len(self._parts)), len(self._parts)
        self._report(done, total, f"loading the {part.replace('_', ' ')}")
        self._read += 1
        return read_checkpoint(self.path(part))

    def optional(self, part: str) -> State | None:
        """The tensors of a part that a run can do without; None, and noted, if it is absent."""
        try:
            return self.state(part)
        except MissingWeights as error:
            self.missing[self._parts[part]] = error.name
            return None


class LazyNetworks(Generic[T]):
    """The networks of a room on a device, built by whoever asks first; make one per process.

    When building fails, the next call tries again: a file may have been fetched meanwhile.
    """

    def __init__(
        self,
        parts: Mapping[str, str],  # see `PartFiles`
        build: Callable[[PartFiles, torch.device, torch.dtype], T],
        resolve: Resolve,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.device, self.dtype = torch.device(device), dtype
        self._parts, self._build, self._resolve = parts, build, resolve
        self._lock = threading.Lock()
        self._built: T | None = None

    def __call__(self, report: Report = silent) -> T:
        """The networks; `report` is told what is being loaded.

        Raises `MissingWeights` for an absent file, and what reading a wrong one raises.
        """
        with self._lock:
            if self._built is None:
                files = PartFiles(self._parts, self._resolve, report)
                self._built = self._build(files, self.device, self.dtype)
            return self._built
