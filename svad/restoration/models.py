"""The networks of the restoration stage that are on this machine, loaded lazily."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from svad.body.coco import FACE, VISIBLE
from svad.compute.moved import placed
from svad.core.errors import MissingWeights
from svad.pose import detect as pose
from svad.restoration.detect import Detector
from svad.restoration.parsenet import ParseNet, load_parsenet
from svad.restoration.restorer import Restorer, load_restorer
from svad.restoration.retinaface import load_retinaface
from svad.restoration.rrdb import RRDBNet, load_rrdb
from svad.restoration.search import Landmarks
from svad.weights.lazy import LazyNetworks, PartFiles, Resolve

# entries of the manifest
RESTORER, UPSAMPLER, DETECTOR, PARSER = "bfrffusion", "realesrgan_x2", "retinaface", "parsenet"
PARTS = {
    "restorer": RESTORER,
    "upsampler": UPSAMPLER,
    "face_detector": DETECTOR,
    "face_parser": PARSER,
    "person_detector": pose.DETECTOR,  # the tracker's two, in place of an absent face detector
    "key_points": pose.ESTIMATOR,
}


@dataclass(frozen=True, kw_only=True)
class RestorationModels:
    """What there is of the networks; the stage does without any of them, and says so."""

    restorer: Restorer | None = None
    upsampler: RRDBNet | None = None  # of the background
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


def lazy_models(resolve: Resolve, device: torch.device | str) -> LazyNetworks[RestorationModels]:
    """The networks on a device, each in its own precision; they stay for all presets.

    Calling it raises what `load_models` raises.
    """
    return LazyNetworks(PARTS, lambda files, where, _: load_models(files, where), resolve, device)


def load_models(files: PartFiles, device: torch.device) -> RestorationModels:
    """Reads the files that are there; without the restorer the other face networks have no use.

    On a GPU the restorer runs in bfloat16 (float16 overflows in its attention), the background
    and parsing networks in float16, the detector in float32.

    Raises:
        WeightsMismatch, UnsafeFile, WrongChecksum: a file is there, but not the right one.
    """

    on_gpu = device.type == "cuda"
    half = torch.float16 if on_gpu else torch.float32
    upsampler = restorer = detector = parser = landmarks = None
    if (found := files.optional("upsampler")) is not None:
        upsampler = placed(load_rrdb(found, dtype=half), device, channels_last=True)
    if (found := files.optional("restorer")) is not None:
        dtype = torch.bfloat16 if on_gpu else torch.float32
        restorer = load_restorer(found, dtype=dtype).to(device)
        if (found := files.optional("face_parser")) is not None:
            parser = placed(load_parsenet(found, half), device, channels_last=True)
        if (found := files.optional("face_detector")) is not None:
            detector = Detector(placed(load_retinaface(found), device, channels_last=True))
        else:
            landmarks = tracker(files)
    return RestorationModels(
        restorer=restorer,
        upsampler=upsampler,
        detector=detector,
        parser=parser,
        landmarks=landmarks,
        missing=files.missing,
    )


def tracker(files: PartFiles) -> Landmarks | None:
    """Face landmarks from the whole-body key points; None if those files are absent too.

    Only the estimator runs: looking for people would cost seconds of a CPU per frame.
    """
    try:
        network = pose.shared_dwpose(files.path("person_detector"), files.path("key_points"))
    except MissingWeights:
        return None

    def landmarks(rgb: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        person = network.estimate(rgb, box)
        return person.xy[FACE] if person.score[FACE].mean() >= VISIBLE else None

    return landmarks
