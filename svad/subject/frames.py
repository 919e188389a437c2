"""Person segmentation and key points of generated frames: matte and 133 body points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from svad.subject import keypoints as kp
from svad.subject.blazepose import CORE
from svad.subject.dwpose import points_in, shared_dwpose
from svad.subject.landmarker import Landmarker, shared_landmarker
from svad.subject.matte import person_matte
from svad.weights.store import Store

Points = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""`points(rgb [H, W, 3] uint8, box [4] x0, y0, x1, y1) -> [133, 3]`: the person in the box."""

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
        points: Points | None = None,
        models: Landmarker | None = None,
    ) -> None:
        """`points`: better key points than mediapipe's, of the person it has found."""
        self._points, self._models = points, models or shared_landmarker()

    def __call__(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> Sight | None:
        """The person in the frame, or None if there is nobody."""
        hit = self._models.pose(rgb)
        if hit is None or hit.points[list(CORE), 2].mean() < SEEN or hit.mask.max() <= 0.5:
            return None
        points = kp.whole_body(hit.points, None, None, None)
        try:
            matte = person_matte(rgb, hit.mask, points)
        except cv2.error:  # too few pixels to tell the person's colours from the background's
            return None
        if self._points is not None:
            ys, xs = np.nonzero(hit.mask > 0.5)
            box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float64)
            points = self._points(rgb, box)
        return Sight(matte, points)


def frame_reader(store: Store | None = None) -> FrameReader:
    """With DWPose's points where its two files are on this machine.

    Only its estimator runs: where the person is, the mask tells already, and on a CPU the detector
    would cost a second or more per frame.
    """
    network = shared_dwpose(store)
    if network is None:
        return FrameReader()

    return FrameReader(partial(points_in, network))
