"""The networks of the identity stage, loaded lazily: tracker and Gaussian head."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from svad.identity import track
from svad.identity.head import Head, load_head
from svad.identity.sizes import HeadSizes
from svad.identity.track import TrackModels, TrackSizes, load_track_models
from svad.weights.lazy import LazyNetworks, PartFiles, Resolve

PARTS = {"head": "gagavatar", **track.PARTS}  # part -> entry of the manifest


@dataclass(frozen=True)
class Models:
    """What the stage needs."""

    track: TrackModels
    head: Head


def lazy_models(
    resolve: Resolve,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,  # of the refiner's convolutions; half is for CUDA
    track_sizes: TrackSizes = TrackSizes(),  # noqa: B008 - frozen
    head_sizes: HeadSizes = HeadSizes(),  # noqa: B008 - frozen
) -> LazyNetworks[Models]:
    """The models, loaded at the first call and kept; make one per process."""

    def build(files: PartFiles, device: torch.device, dtype: torch.dtype) -> Models:
        files.path("head")  # asked first: a missing file is told before any other is read
        tracker = load_track_models(files, device, sizes=track_sizes)
        return Models(tracker, load_head(files.state("head"), head_sizes, dtype, device))

    return LazyNetworks(PARTS, build, resolve, device, dtype)
