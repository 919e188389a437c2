"""Looks at generated frames: the person's matte, body points and face, a tenth of a second each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from svad.pose.detect import DETECTOR, ESTIMATOR, DwPose
from svad.subject import keypoints as kp
from svad.subject.landmarker import Landmarker, shared_landmarker
from svad.subject.matte import person_matte
from svad.weights.store import Store

SEEN = 0.5  # mean visibility of nose and shoulders below which nobody is there
FACE_SIDE = 512  # px, of the crop a face is looked for in


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

    def face(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        around: np.ndarray,  # [K, 2] px, points of the head
    ) -> np.ndarray | None:  # [68, 2] px
        """The 68 face points near a known head, or None where no face is seen there."""
        middle, reach = around.mean(0), float(np.ptp(around, axis=0).max())
        half = max(8, int(0.9 * reach))
        x0, y0 = (int(v) - half for v in middle)
        padded = cv2.copyMakeBorder(rgb, *(2 * half,) * 4, cv2.BORDER_REPLICATE)
        top, left = y0 + 2 * half, x0 + 2 * half
        crop = padded[max(top, 0) : top + 2 * half, max(left, 0) : left + 2 * half]
        if crop.shape[:2] != (2 * half, 2 * half):
            return None
        factor = FACE_SIDE / (2 * half)
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        mesh = self._models.face(cv2.resize(crop, (FACE_SIDE, FACE_SIDE), interpolation=way))
        if mesh is None:
            return None
        return mesh[list(kp.FACE_MESH_68), :2] / factor + (x0, y0)


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
