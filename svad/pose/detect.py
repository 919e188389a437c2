"""DWPose on onnxruntime: finds people in pictures and their 133 key points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from svad.body.coco import COUNT, VISIBLE
from svad.core.errors import MissingWeights, SvadError
from svad.media.images import to_bgr
from svad.pose import simcc, yolox
from svad.pose.keypoints import WholeBody
from svad.weights.lazy import LazyNetworks
from svad.weights.store import Store

if TYPE_CHECKING:
    import onnxruntime

RESOLUTION = 1080  # px, shorter side of the picture people are looked for in (SVAD's setting)
LONGEST = 4096  # px, longer side of that picture, for very long and thin ones
STEP = 64  # px, both sides become multiples of it
ENOUGH = 20  # points that must be seen for the next frame's box to be taken from them
MARGIN = 0.1  # share of the points' box added on each side: key points end before the body does


DETECTOR, ESTIMATOR = "yolox_l", "dwpose"  # names in the manifest of pretrained files
PARTS = {"detector": DETECTOR, "estimator": ESTIMATOR}


class DwPose:
    """Person detector and whole-body estimator, loaded once and used for many pictures."""

    def __init__(
        self,
        detector: Path,  # yolox_l.onnx
        estimator: Path,  # dw-ll_ucoco_384.onnx
        *,
        resolution: int = RESOLUTION,
        threads: int = 0,  # CPU threads per network, 0 = as many as there are cores
    ) -> None:
        """Raises `MissingWeights` for an absent file, `SvadError` for one that does not fit."""
        for name, path in ((DETECTOR, detector), (ESTIMATOR, estimator)):
            if not path.is_file():
                entry = Store.from_environment().entry(name)
                raise MissingWeights(entry.file, entry.where, entry.terms, f"Looked for {path}.")
        self._detector = _Network(detector, 1, threads)
        self._estimator = _Network(estimator, 2, threads)
        self._resolution = resolution

    @classmethod
    def load(cls, store: Store | None = None, **settings: int) -> DwPose:
        """With the files that are on this machine; raises `MissingWeights` if they are not."""
        store = store or Store.from_environment()
        return cls(store.resolve(DETECTOR), store.resolve(ESTIMATOR), **settings)

    def people(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> list[WholeBody]:
        """Everybody in the picture, the surest first; empty if nobody is found."""
        picture, scale = self._sized(rgb)
        return [self._estimate(picture, box[:4], scale) for box in self._boxes(picture)]

    def person(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> WholeBody:
        """The surest person. Where nobody is found, the whole picture is taken for one."""
        picture, scale = self._sized(rgb)
        return self._estimate(picture, self._best(picture), scale)

    def follow(
        self,
        frames: Iterable[np.ndarray],  # [H, W, 3] uint8 each
    ) -> Iterator[WholeBody]:
        """The person in each frame of a clip, one at a time.

        The box of a frame comes from the points of the one before, which spares most of the work;
        the detector looks again when too few of those were seen.
        """
        last: WholeBody | None = None
        for rgb in frames:
            picture, scale = self._sized(rgb)
            box = None if last is None else _box_around(last, picture.shape, scale)
            last = self._estimate(picture, self._best(picture) if box is None else box, scale)
            yield last

    def boxes(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> np.ndarray:  # [N, 5] x1, y1, x2, y2 in pixels, score; best first
        """Where people are."""
        picture, scale = self._sized(rgb)
        return self._boxes(picture) / [*scale, *scale, 1.0]

    def estimate(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        box: np.ndarray,  # [4] x1, y1, x2, y2 in pixels
    ) -> WholeBody:
        """The points of the person in a box."""
        picture, scale = self._sized(rgb)
        return self._estimate(picture, np.asarray(box[:4]) * [*scale, *scale], scale)

    def _sized(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The picture at the working size, and its size over the given one (x, y)."""
        height, width = working_size(rgb.shape[0], rgb.shape[1], self._resolution)
        grows = height * width > rgb.shape[0] * rgb.shape[1]
        method = cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA
        picture = cv2.resize(rgb, (width, height), interpolation=method)
        return picture, np.array([width / rgb.shape[1], height / rgb.shape[0]])

    def _boxes(self, picture: np.ndarray) -> np.ndarray:  # [N, 5] in the working picture
        height, width = self._detector.size((640, 640))
        canvas, ratio = yolox.letterbox(to_bgr(picture), (height, width))  # trained on B, G, R
        (raw,) = self._detector.run(canvas.astype(np.float32))
        try:
            boxes, scores = yolox.boxes_and_scores(raw[0], (height, width), ratio)
        except ValueError as error:
            raise SvadError(f"{self._detector.path.name} is not the detector: {error}.") from error
        found = yolox.person_boxes(boxes, scores)
        return found[found[:, 4] > yolox.PERSON_SCORE]

    def _best(self, picture: np.ndarray) -> np.ndarray:  # [4]
        found = self._boxes(picture)
        if len(found):
            return found[0, :4]
        return np.array([0.0, 0.0, picture.shape[1], picture.shape[0]])

    def _estimate(self, picture: np.ndarray, box: np.ndarray, scale: np.ndarray) -> WholeBody:
        width, height = simcc.INPUT_SIZE
        rows, columns = self._estimator.size((height, width))
        crop = simcc.crop(picture, box, (columns, rows))
        x, y = self._estimator.run(simcc.normalise(crop))
        _check_simcc(self._estimator.path, x, y, (columns, rows))
        points, score = simcc.decode(x[0], y[0])
        frame = simcc.crop_frame(box, (columns, rows))
        return WholeBody(simcc.to_picture(points, *frame, (columns, rows)) / scale, score)


def working_size(height: int, width: int, resolution: int) -> tuple[int, int]:
    """Height and width with the shorter side near `resolution`, both multiples of 64."""
    factor = min(resolution / min(height, width), LONGEST / max(height, width))
    sides = (STEP * max(1, round(side * factor / STEP)) for side in (height, width))
    return next(sides), next(sides)


def _box_around(
    person: WholeBody,
    shape: tuple[int, ...],  # of the working picture
    scale: np.ndarray,  # [2] working size over the size the points are in
) -> np.ndarray | None:  # [4] in the working picture, None = too little was seen
    seen = person.xy[person.score > VISIBLE] * scale
    if len(seen) < ENOUGH:
        return None
    low, high = seen.min(0), seen.max(0)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    limits = np.array([shape[1], shape[0]])
    low, high = np.clip(low, 0, limits), np.clip(high, 0, limits)
    return np.concatenate([low, high]) if (high - low > 1).all() else None


def _check_simcc(path: Path, x: np.ndarray, y: np.ndarray, size: tuple[int, int]) -> None:
    expected = [(1, COUNT, simcc.BINS * side) for side in size]
    if [x.shape, y.shape] != expected:
        raise SvadError(
            f"{path.name} gives outputs of the shapes {x.shape} and {y.shape}; a whole-body "
            f"network gives {expected[0]} and {expected[1]}. Is it the right file?"
        )


def shared_dwpose(detector: Path, estimator: Path) -> DwPose:
    """The one DWPose of this process for these two files; raises what making one raises."""
    return _lazy(detector, estimator)()


@lru_cache(maxsize=1)
def _lazy(detector: Path, estimator: Path) -> LazyNetworks[DwPose]:
    places = {DETECTOR: detector, ESTIMATOR: estimator}
    return LazyNetworks(
        PARTS,
        lambda files, *_: DwPose(files.path("detector"), files.path("estimator")),
        places.__getitem__,
    )


class _Network:
    """One ONNX file that takes one picture and gives a known number of outputs."""

    def __init__(self, path: Path, outputs: int, threads: int) -> None:
        self.path = path
        self._session = _open(path, threads)
        inputs = self._session.get_inputs()
        found = (len(inputs), len(self._session.get_outputs()))
        if found != (1, outputs) or len(inputs[0].shape) != 4:
            raise SvadError(
                f"{path.name} has {found[0]} inputs and {found[1]} outputs; expected one picture "
                f"[1, 3, H, W] and {outputs}. Is it the right file?"
            )
        self._input = inputs[0]

    def size(self, usual: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the input; the usual ones where the file leaves them open."""
        height, width = self._input.shape[2:]
        fixed = isinstance(height, int) and isinstance(width, int)
        return (height, width) if fixed else usual

    def run(
        self,
        picture: np.ndarray,  # [H, W, 3] float32
    ) -> list[np.ndarray]:
        batch = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        return cast("list[np.ndarray]", self._session.run(None, {self._input.name: batch}))


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """A session on the CUDA device if this build of onnxruntime has one, else on the CPU."""
    import onnxruntime as ort
    from onnxruntime.capi import (
        onnxruntime_pybind11_state as state,  # pyright: ignore[reportAttributeAccessIssue] compiled
    )

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only
    usable = ort.get_available_providers()
    wanted = [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in usable]
    unreadable = (
        *(state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf),
        *(state.NoModel, state.NotImplemented),
    )
    try:
        return ort.InferenceSession(path, options, providers=wanted)
    except unreadable as error:
        raise SvadError(
            f"{path.name} is damaged or not an ONNX network; download it again. ({error})"
        ) from error
