"""Brings mediapipe's landmarks to the 133 points of COCO-WholeBody."""

from __future__ import annotations

import numpy as np

from svad.pose.keypoints import BODY as BODY
from svad.pose.keypoints import COUNT as COUNT
from svad.pose.keypoints import FACE as FACE
from svad.pose.keypoints import FINGERS as FINGERS
from svad.pose.keypoints import LEFT_FOOT as LEFT_FOOT
from svad.pose.keypoints import LEFT_HAND as LEFT_HAND
from svad.pose.keypoints import RIGHT_FOOT as RIGHT_FOOT
from svad.pose.keypoints import RIGHT_HAND as RIGHT_HAND

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR = range(5)
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST = range(5, 11)
LEFT_HIP, RIGHT_HIP, LEFT_KNEE, RIGHT_KNEE, LEFT_ANKLE, RIGHT_ANKLE = range(11, 17)
LEFT_TOE, LEFT_HEEL, RIGHT_TOE, RIGHT_HEEL = 17, 19, 20, 22

BONES = (
    *((5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12)),
    *((11, 13), (13, 15), (12, 14), (14, 16), (15, 17), (15, 19), (16, 20), (16, 22)),
)  # lines of the drawn skeleton

# the 33 body landmarks of mediapipe that have a place among the first 23
POSE_SOURCE = {
    **{0: 0, 1: 2, 2: 5, 3: 7, 4: 8, 5: 11, 6: 12, 7: 13, 8: 14, 9: 15, 10: 16},
    **{11: 23, 12: 24, 13: 25, 14: 26, 15: 27, 16: 28, 17: 31, 19: 29, 20: 32, 22: 30},
}
# stand-ins inside a hand from the body landmarks: thumb joint, index and pinky knuckles
_KNUCKLES = {"left": {3: 21, 5: 19, 17: 17}, "right": {3: 22, 5: 20, 17: 18}}

# the 68 classical face points (jaw from the person's right ear to the left) in the face mesh
FACE_MESH_68 = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)


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
    points = np.zeros((COUNT, 3), np.float32)
    for target, source in POSE_SOURCE.items():
        points[target] = pose[source]
    for small, big in ((18, 17), (21, 20)):  # mediapipe has no small toe
        points[small, :2] = points[big, :2]
    if face is not None:
        points[FACE, :2] = face[list(FACE_MESH_68), :2]
        points[FACE, 2] = 1.0
    for side, part, hand, wrist in (
        ("left", LEFT_HAND, left_hand, LEFT_WRIST),
        ("right", RIGHT_HAND, right_hand, RIGHT_WRIST),
    ):
        if hand is not None:
            points[part] = hand
            continue
        points[part, :2] = points[wrist, :2]
        for target, source in _KNUCKLES[side].items():
            points[part.start + target] = pose[source] * (1, 1, 0.5)
    return points


def moved(
    points: np.ndarray,  # [..., K, 2 or more]: x px, y px, rest untouched
    offset: tuple[float, float],  # px, subtracted first
    scale: float,
) -> np.ndarray:
    """The same points in a picture cut at `offset` and resized by `scale`."""
    result = np.array(points, np.float32)
    result[..., :2] = (result[..., :2] - np.asarray(offset, np.float32)) * scale
    return result
