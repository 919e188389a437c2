"""Brings mediapipe's landmarks to the 133 points of COCO-WholeBody."""

from __future__ import annotations

import numpy as np

from svad.body import coco
from svad.body.coco import HandPoint, Keypoint
from svad.face.landmarks import MESH_OF_IBUG
from svad.subject.blazepose import PosePoint, of_side

# where the detector has the points of body and feet; small toes it has none
POSE_SOURCE = {p: PosePoint[p.name] for p in Keypoint if p.name in PosePoint.__members__}
# stand-ins inside a hand from the body landmarks
_KNUCKLES = {
    side: dict(
        zip(
            (HandPoint.THUMB3, HandPoint.INDEX1, HandPoint.PINKY1),
            of_side(side, "thumb", "index", "pinky"),
            strict=True,
        )
    )
    for side in coco.HANDS
}


def whole_body(
    pose: np.ndarray,  # [33, 3] x px, y px, visibility
    face: np.ndarray | None,  # [478, 3] x px, y px, z px
    left_hand: np.ndarray | None,  # [21, 3] x px, y px, score
    right_hand: np.ndarray | None,  # [21, 3]
) -> np.ndarray:  # [133, 3] float32
    """Arrange what mediapipe found as (x px, y px, score) in COCO-WholeBody order.

    Points nobody looked for have score 0. A hand that was not found keeps three stand-ins from
    the body landmarks at half their score.
    """
    points = np.zeros((coco.COUNT, 3), np.float32)
    for target, source in POSE_SOURCE.items():
        points[target] = pose[source]
    for small, big in zip(coco.SMALL_TOES, coco.BIG_TOES, strict=True):
        points[small, :2] = points[big, :2]
    if face is not None:
        points[coco.FACE, :2] = face[list(MESH_OF_IBUG), :2]
        points[coco.FACE, 2] = 1.0
    for (side, part), hand in zip(coco.HANDS.items(), (left_hand, right_hand), strict=True):
        if hand is not None:
            points[part] = hand
            continue
        points[part, :2] = points[coco.ARMS[side][-1], :2]
        for target, source in _KNUCKLES[side].items():
            points[part.start + target] = pose[source] * (1, 1, 0.5)
    return points


def depths(
    pose: np.ndarray,  # [33] metres, mediapipe's
) -> np.ndarray:  # [133] float32 metres, nan = unknown
    """Its depths in COCO-WholeBody order."""
    out = np.full(coco.COUNT, np.nan, np.float32)
    for target, source in POSE_SOURCE.items():
        out[target] = pose[source]
    return out


def moved(
    points: np.ndarray,  # [..., K, 2 or more]: x px, y px, rest untouched
    offset: tuple[float, float],  # px, subtracted first
    scale: float,
) -> np.ndarray:
    """The same points in a picture cut at `offset` and resized by `scale`."""
    result = np.array(points, np.float32)
    result[..., :2] = (result[..., :2] - np.asarray(offset, np.float32)) * scale
    return result
