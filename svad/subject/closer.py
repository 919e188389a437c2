"""Looks closer at a person who was found: hands and face, where the picture is large enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from svad.body import coco
from svad.body.coco import HandPoint
from svad.body.model import BodyModel
from svad.geometry.camera import Camera
from svad.subject import keypoints as kp
from svad.subject.blazepose import PosePoint, of_side
from svad.subject.detect import MediapipeDetector, hand_length
from svad.subject.evidence import Evidence
from svad.subject.hands import fit_hands
from svad.subject.landmarker import PoseHit, shared_landmarker
from svad.track.seen import Glimpse
from svad.types import BodyFit, Pose

LARGE = 40  # px, length of a hand, and nearly of a face, from which on fingers and lips are seen
NO_MASK = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Closer:
    """Adds hands and face to what a quick look found."""

    detector: MediapipeDetector

    def __call__(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        glimpse: Glimpse,
    ) -> tuple[Glimpse, np.ndarray | None]:  # [478, 3] face mesh px
        """The points with hands, and the face; without them where the person is too small.

        The mask is not handed on: nobody needs it after this, and a clip has thousands.
        """
        points = np.zeros((len(PosePoint), 3), np.float32)
        for target, source in kp.POSE_SOURCE.items():
            points[source] = glimpse.keypoints[target]
        for side, hand in coco.HANDS.items():
            knuckles = (HandPoint.THUMB3, HandPoint.INDEX1, HandPoint.PINKY1)
            for point, name in zip(knuckles, of_side(side, "thumb", "index", "pinky"), strict=True):
                points[name] = glimpse.keypoints[hand.start + point]
        if hand_length(points) < LARGE:
            return replace(glimpse, soft=NO_MASK), None
        hit = PoseHit(points, np.zeros(len(points), np.float32), glimpse.soft)
        found = self.detector.closer(rgb, hit)
        merged = glimpse.keypoints.copy()
        merged[coco.FACE] = found.keypoints[coco.FACE]
        for hand in coco.HANDS.values():
            if found.keypoints[hand.start, 2] > 0:  # a hand that was seen, not its stand-ins
                merged[hand] = found.keypoints[hand]
        return replace(glimpse, keypoints=merged, soft=NO_MASK), found.face


def closer() -> Closer:
    """With the models that this process has loaded."""
    return Closer(MediapipeDetector(shared_landmarker()))


def finger_reader(
    body: BodyModel,
    fit: BodyFit,
    camera: Camera,
    unit: float,  # px, standing height
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """What reads wrists and fingers of one frame from its points and its pose.

    The result takes points [133, 3], rotations [55, 3] and a translation [3], and gives axis-angles
    [55, 3] of which wrists and fingers are filled.
    """
    nothing = np.zeros((0, 2))

    def read(keypoints: np.ndarray, rotations: np.ndarray, translation: np.ndarray) -> np.ndarray:
        pose = Pose(
            torch.from_numpy(rotations)[None].float(),
            torch.from_numpy(translation)[None].float(),
            torch.zeros(1, 0),
        )
        evidence = Evidence(
            width=camera.width,
            height=camera.height,
            unit=unit,
            keypoints=keypoints.astype(np.float64),
            trust=keypoints[:, 2],
            depth=np.full(coco.COUNT, np.nan),
            face=None,
            bent=(False, False),
            covered=(False, False),
            outside=np.zeros((1, 1), np.float32),
            contour=nothing,
            normals=nothing,
        )
        return fit_hands(body, replace(fit, pose=pose), evidence)

    return read
