"""The 33 body landmarks of mediapipe's detector (BlazePose) by name."""

from __future__ import annotations

from enum import IntEnum


class PosePoint(IntEnum):
    """A landmark, usable as an index; those of COCO-WholeBody carry the same names there."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_PINKY = 17
    RIGHT_PINKY = 18
    LEFT_INDEX = 19
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_BIG_TOE = 31
    RIGHT_BIG_TOE = 32


def of_side(side: str, *names: str) -> tuple[PosePoint, ...]:
    """The landmarks of these names on one side, "left" or "right"."""
    return tuple(PosePoint[f"{side}_{name}".upper()] for name in names)


CORE = (PosePoint.NOSE, PosePoint.LEFT_SHOULDER, PosePoint.RIGHT_SHOULDER)  # always sought
EARS = (PosePoint.LEFT_EAR, PosePoint.RIGHT_EAR)
SHOULDERS = (PosePoint.LEFT_SHOULDER, PosePoint.RIGHT_SHOULDER)
HIPS = (PosePoint.LEFT_HIP, PosePoint.RIGHT_HIP)
