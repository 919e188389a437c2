"""Looks at generated frames: the person's matte, body points and face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from svad.pose.detect import DETECTOR, ESTIMATOR, DwPose
from svad.subject import keypoints as kp
from svad.subject.landmarker import Landmarker, shared_landmarker
from svad.subject.matte import person_matte
from svad.weights.store import Store

SEEN = 0.5  # mean visibility of nose and shoulders below which nobody is there


@dataclass(frozen=True)
class Sight:
    """What is seen in one frame."""

    matte: np.ndarray  # [H, W] uint8
    keypoints: np.ndarray  # [133, 3] x px, y px, score; COCO-WholeBody order


class FrameReader:
    """Reads frames of one person before a plain background; not safe for several threads."""

    def __init__(
        self,
        points: Callable[[np.ndarray], np.ndarray] | None = None,  # rgb -> [133, 3]
        models: Landmarker | None = None,
    ) -> None:
        """`points`: better key points than mediapipe's, for frames with somebody in them."""
        self._points, self._models = points, models or shared_landmarker()

    def __call__(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> Sight | None:
        """The person in the frame, or None if there is nobody."""
        hit = self._models.pose(rgb)
        if hit is None or hit.points[[0, 11, 12], 2].mean() < SEEN or hit.mask.max() < 0.5:
            return None
        points = kp.whole_body(hit.points, None, None, None)
        matte = person_matte(rgb, hit.mask, points)
        return Sight(matte, points if self._points is None else self._points(rgb))


def frame_reader(store: Store | None = None) -> FrameReader:
    """With DWPose's points where its two files are on this machine."""
    store = store or Store.from_environment()
    if not all(store.locate(name) for name in (DETECTOR, ESTIMATOR)):
        return FrameReader()
    network = DwPose.load(store)

    def points(rgb: np.ndarray) -> np.ndarray:
        found = network.person(rgb)
        score = np.clip(found.score, 0, 1)  # raw maxima of the network may pass 1
        return np.concatenate([found.xy, score[:, None]], 1).astype(np.float32)

    return FrameReader(points)
