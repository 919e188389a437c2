"""The networks of the identity stage, loaded from their files when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from svad.identity.head import Head, load_head
from svad.identity.sizes import HeadSizes
from svad.identity.track import TrackModels, TrackSizes, load_track_models
from svad.weights.convert import read_checkpoint

HEAD_ENTRY = "gagavatar"  # of the manifest


@dataclass(frozen=True)
class Models:
    """What the stage needs."""

    track: TrackModels
    head: Head


class LazyModels:
    """Loads the models at the first call and keeps them; make one per process."""

    def __init__(
        self,
        resolve: Callable[[str], Path],  # manifest entry, or entry:file in its archive, to a file
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,  # of the refiner's convolutions; half is for CUDA
        track_sizes: TrackSizes = TrackSizes(),  # noqa: B008 - frozen
        head_sizes: HeadSizes = HeadSizes(),  # noqa: B008 - frozen
    ) -> None:
        self._resolve, self._device, self._dtype = resolve, device, dtype
        self._track_sizes, self._head_sizes = track_sizes, head_sizes
        self._lock = threading.Lock()
        self._models: Models | None = None

    def __call__(self) -> Models:
        """The models. Raises `MissingWeights` (then the next call tries again) and what reading
        a wrong file raises."""
        with self._lock:
            if self._models is None:
                # asked first: a missing file is told before any other is read
                file = self._resolve(HEAD_ENTRY)
                track = load_track_models(self._resolve, self._device, sizes=self._track_sizes)
                state = read_checkpoint(file)
                head = load_head(state, self._head_sizes, self._dtype, self._device)
                self._models = Models(track, head)
            return self._models
