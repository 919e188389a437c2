"""The 133 key points of COCO-WholeBody by name: body, feet, face and hands.

"Left" is the person's own left. The face's own points are named in `svad.face.landmarks`.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise

from svad.body.skeleton import SIDES


class Keypoint(IntEnum):
    """A point of body or foot, usable as an index into the 133."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16
    LEFT_BIG_TOE = 17
    LEFT_SMALL_TOE = 18
    LEFT_HEEL = 19
    RIGHT_BIG_TOE = 20
    RIGHT_SMALL_TOE = 21
    RIGHT_HEEL = 22


class HandPoint(IntEnum):
    """A point of a hand, usable as an index into its 21; 1 is a finger's root, 4 its tip."""

    WRIST = 0
    THUMB1 = 1
    THUMB2 = 2
    THUMB3 = 3
    THUMB4 = 4
    INDEX1 = 5
    INDEX2 = 6
    INDEX3 = 7
    INDEX4 = 8
    MIDDLE1 = 9
    MIDDLE2 = 10
    MIDDLE3 = 11
    MIDDLE4 = 12
    RING1 = 13
    RING2 = 14
    RING3 = 15
    RING4 = 16
    PINKY1 = 17
    PINKY2 = 18
    PINKY3 = 19
    PINKY4 = 20


def points_of_side(side: str, *names: str) -> tuple[Keypoint, ...]:
    """The points of these names on one side, "left" or "right"."""
    return tuple(Keypoint[f"{side}_{name}".upper()] for name in names)


COUNT = 133
VISIBLE = 0.3  # score above which a body joint counts as seen (hands, face: from here on)
BODY = slice(0, 17)
LEFT_FOOT, RIGHT_FOOT = slice(17, 20), slice(20, 23)  # big toe, small toe, heel
BODY_AND_FEET = slice(0, 23)
FACE = slice(23, 91)  # in the order of `svad.face.landmarks.Ibug`
LEFT_HAND, RIGHT_HAND = slice(91, 112), slice(112, 133)
HANDS = {"left": LEFT_HAND, "right": RIGHT_HAND}
HEAD, LIMBS = slice(0, 5), slice(5, 17)

SHOULDERS = (Keypoint.LEFT_SHOULDER, Keypoint.RIGHT_SHOULDER)
HIPS = (Keypoint.LEFT_HIP, Keypoint.RIGHT_HIP)
KNEES = (Keypoint.LEFT_KNEE, Keypoint.RIGHT_KNEE)
ANKLES = (Keypoint.LEFT_ANKLE, Keypoint.RIGHT_ANKLE)
BIG_TOES = (Keypoint.LEFT_BIG_TOE, Keypoint.RIGHT_BIG_TOE)
SMALL_TOES = (Keypoint.LEFT_SMALL_TOE, Keypoint.RIGHT_SMALL_TOE)
HEELS = (Keypoint.LEFT_HEEL, Keypoint.RIGHT_HEEL)
# by side
ARMS = {side: points_of_side(side, "shoulder", "elbow", "wrist") for side in SIDES}
LEGS = {side: points_of_side(side, "hip", "knee", "ankle") for side in SIDES}
FEET = {side: points_of_side(side, "big_toe", "small_toe", "heel") for side in SIDES}
ARM_LINES = tuple(line for arm in ARMS.values() for line in pairwise(arm))
LEG_LINES = tuple(line for leg in LEGS.values() for line in pairwise(leg))

FINGER_NAMES = ("thumb", "index", "middle", "ring", "pinky")  # as they follow in a hand
FINGERS = tuple(  # the four points of each, from its root to its tip
    tuple(HandPoint[f"{name}{i}".upper()] for i in (1, 2, 3, 4)) for name in FINGER_NAMES
)


def _mirrored(point: Keypoint) -> Keypoint:
    side, _, rest = point.name.partition("_")
    other = {"LEFT": "RIGHT", "RIGHT": "LEFT"}.get(side)
    return Keypoint[f"{other}_{rest}"] if other else point


MIRROR = tuple(_mirrored(point) for point in Keypoint)  # the point on the other side
