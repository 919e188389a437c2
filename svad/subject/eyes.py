"""Looks at many pictures of one person: quickly at a clip's frames, thoroughly at photos."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.subject import keypoints as kp
from svad.subject.blazepose import CORE
from svad.subject.crops import person_box
from svad.subject.detect import MediapipeDetector
from svad.subject.dwpose import points_in, shared_dwpose
from svad.subject.landmarker import Landmarker, shared_landmarker
from svad.subject.matte import person_matte
from svad.track.seen import Box, Glimpse
from svad.weights.store import Store

SEEN = 0.5  # mean visibility of nose and shoulders below which nobody is there
_CROP = 384  # px, longer side of the cut that the body model gets; it works at 256
_FACE = 0.35  # of a shoulder's width, that the eyes of body and face may differ by


class Eyes:
    """mediapipe's models; with DWPose's points where its two files are on this machine."""

    def __init__(self, models: Landmarker | None = None, store: Store | None = None) -> None:
        self._models = models or shared_landmarker()
        self._detector = MediapipeDetector(self._models)
        self._dwpose = shared_dwpose(store)

    def person(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> tuple[Glimpse, int] | None:
        """The largest person in a picture, and how many others there are; about half a second."""
        found = self._detector.detect(rgb)
        if found is None:
            return None
        box = person_box(found.keypoints[coco.BODY_AND_FEET], found.mask, 0.0)
        return Glimpse(found.keypoints, found.depth, found.mask, box), len(found.others)

    def body(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        box: Box | None,  # where to look; None = everywhere
    ) -> Glimpse | None:
        """The person in a part of a picture; some hundredths of a second."""
        height, width = rgb.shape[:2]
        x0, y0, x1, y1 = box or (0, 0, width, height)
        factor = min(1.0, _CROP / max(x1 - x0, y1 - y0))
        part = np.ascontiguousarray(rgb[y0:y1, x0:x1])
        cut = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        hit = self._models.pose(cut)
        if hit is None or hit.points[list(CORE), 2].mean() < SEEN or hit.mask.max() <= 0.5:
            return None
        hit.points[:, :2] = hit.points[:, :2] / factor + (x0, y0)
        soft = np.zeros((height, width), np.float32)
        soft[y0:y1, x0:x1] = cv2.resize(hit.mask, (x1 - x0, y1 - y0))
        points = kp.whole_body(hit.points, None, None, None)
        seen = person_box(points[coco.BODY_AND_FEET], soft, 0.0)
        return Glimpse(points, kp.depths(hit.depth), soft, seen)

    def sharp(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        glimpse: Glimpse,
    ) -> tuple[np.ndarray, np.ndarray]:  # [133, 3], [H, W] uint8
        """The best points there are of a person who was found, and their matte."""
        x0, y0, x1, y1 = person_box(glimpse.keypoints[coco.BODY_AND_FEET], glimpse.soft, 0.1)
        soft = glimpse.soft.copy()
        people = self._models.people(np.ascontiguousarray(rgb[y0:y1, x0:x1]))
        soft[y0:y1, x0:x1] = 0.5 * (soft[y0:y1, x0:x1] + people)
        try:
            matte = person_matte(rgb, soft, glimpse.keypoints)
        except cv2.error:  # too few pixels to tell the person's colours from the background's
            matte = np.where(soft > 0.5, np.uint8(255), np.uint8(0))
        if self._dwpose is None:
            return glimpse.keypoints, matte
        return points_in(self._dwpose, rgb, np.array(glimpse.box, np.float64)), matte

    def has_face(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        keypoints: np.ndarray,  # [133, 3] x px, y px, score
    ) -> bool:
        """Whether a face looks out of the picture where the body's nose is."""
        left, right = (keypoints[p, :2] for p in coco.SHOULDERS)
        half = int(max(0.6 * np.linalg.norm(left - right), 24))
        x, y = keypoints[coco.Keypoint.NOSE, :2].astype(int)
        height, width = rgb.shape[:2]
        x0, y0, x1, y1 = max(0, x - half), max(0, y - half), min(width, x + half), y + half
        part = rgb[y0 : min(height, y1), x0:x1]
        if min(part.shape[:2]) < 16:
            return False
        face = self._models.face(cv2.resize(part, (256, 256)))
        if face is None:
            return False
        middle = face[:, :2].mean(0) / 256 * (part.shape[1], part.shape[0]) + (x0, y0)
        return bool(np.linalg.norm(middle - (x, y)) < 2 * _FACE * half)
