"""The networks of the restoration stage that are on this machine, loaded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from svad.body.coco import FACE, VISIBLE
from svad.core.errors import MissingWeights
from svad.pose import detect as pose
from svad.restoration.detect import Detector
from svad.restoration.parsenet import ParseNet, load_parsenet
from svad.restoration.restorer import Restorer, load_restorer
from svad.restoration.retinaface import load_retinaface
from svad.restoration.rrdb import load_rrdb
from svad.restoration.search import Landmarks
from svad.restoration.upsampler import Upsampler
from svad.weights.convert import read_checkpoint
from svad.weights.strict import State

Resolve = Callable[[str], Path]
"""From the name of a manifest entry to its local file; raises `MissingWeights`."""

# part -> entry of the manifest
RESTORER, UPSAMPLER, DETECTOR, PARSER = "bfrffusion", "realesrgan_x2", "retinaface", "parsenet"


@dataclass(frozen=True, kw_only=True)
class RestorationModels:
    """What there is of the networks; the stage does without any of them, and says so."""

    restorer: Restorer | None = None
    upsampler: Upsampler | None = None
    detector: Detector | None = None
    parser: ParseNet | None = None
    landmarks: Landmarks | None = None  # a tracker, in place of an absent detector
    missing: Mapping[str, str] = field(default_factory=dict)  # entry -> its file's name

    @property
    def on_gpu(self) -> bool:
        """Whether the faces are restored on one."""
        return self.restorer is not None and self.restorer.weight.is_cuda

    def file(self, entry: str) -> str:
        """The name of an absent file, for notes."""
        return self.missing.get(entry, entry)


class Networks:
    """The networks on a device, read by whoever asks first; they stay for all presets."""

    def __init__(self, resolve: Resolve, device: torch.device | str) -> None:
        self._resolve, self._device = resolve, torch.device(device)
        self._models: RestorationModels | None = None
        self._loading = threading.Lock()

    def __call__(self) -> RestorationModels:
        """What there is; see `load_models` for what it raises."""
        with self._loading:
            if self._models is None:
                self._models = load_models(self._resolve, self._device)
            return self._models


def load_models(resolve: Resolve, device: torch.device) -> RestorationModels:
    """Reads the files that are there; without the restorer the other face networks have no use.

    On a GPU the restorer runs in bfloat16 (float16 overflows in its attention), the background
    and parsing networks in float16, the detector in float32.

    Raises:
        WeightsMismatch, UnsafeFile, WrongChecksum: a file is there, but not the right one.
    """
    missing: dict[str, str] = {}

    def state(entry: str) -> State | None:
        try:
            return read_checkpoint(resolve(entry))
        except MissingWeights as error:
            missing[entry] = error.name
            return None

    def placed(network: torch.nn.Module) -> torch.nn.Module:
        return network.to(device, memory_format=torch.channels_last)

    on_gpu = device.type == "cuda"
    half = torch.float16 if on_gpu else torch.float32
    upsampler = restorer = detector = parser = landmarks = None
    if (found := state(UPSAMPLER)) is not None:
        upsampler = Upsampler(placed(load_rrdb(found, dtype=half)))
    if (found := state(RESTORER)) is not None:
        dtype = torch.bfloat16 if on_gpu else torch.float32
        restorer = load_restorer(found, dtype=dtype).to(device)
        if (found := state(PARSER)) is not None:
            parser = placed(load_parsenet(found, half))
        if (found := state(DETECTOR)) is not None:
            detector = Detector(placed(load_retinaface(found)))
        else:
            landmarks = tracker(resolve)
    return RestorationModels(
        restorer=restorer,
        upsampler=upsampler,
        detector=detector,
        parser=parser,
        landmarks=landmarks,
        missing=missing,
    )


def tracker(resolve: Resolve) -> Landmarks | None:
    """Face landmarks from the whole-body key points; None if those files are absent too.

    Only the estimator runs: looking for people would cost seconds of a CPU per frame.
    """
    try:
        network = pose.DwPose(resolve(pose.DETECTOR), resolve(pose.ESTIMATOR))
    except MissingWeights:
        return None

    def landmarks(rgb: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        person = network.estimate(rgb, box)
        return person.xy[FACE] if person.score[FACE].mean() >= VISIBLE else None

    return landmarks
