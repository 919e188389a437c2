"""The 55 joints of SMPL-X by name, with their parents, mirror pairs and groups."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise


class Joint(IntEnum):
    """A joint, usable as an index into arrays and tensors of joints."""

    PELVIS = 0
    LEFT_HIP = 1
    RIGHT_HIP = 2
    SPINE1 = 3
    LEFT_KNEE = 4
    RIGHT_KNEE = 5
    SPINE2 = 6
    LEFT_ANKLE = 7
    RIGHT_ANKLE = 8
    SPINE3 = 9
    LEFT_FOOT = 10
    RIGHT_FOOT = 11
    NECK = 12
    LEFT_COLLAR = 13
    RIGHT_COLLAR = 14
    HEAD = 15
    LEFT_SHOULDER = 16
    RIGHT_SHOULDER = 17
    LEFT_ELBOW = 18
    RIGHT_ELBOW = 19
    LEFT_WRIST = 20
    RIGHT_WRIST = 21
    JAW = 22
    LEFT_EYE = 23
    RIGHT_EYE = 24
    LEFT_INDEX1 = 25
    LEFT_INDEX2 = 26
    LEFT_INDEX3 = 27
    LEFT_MIDDLE1 = 28
    LEFT_MIDDLE2 = 29
    LEFT_MIDDLE3 = 30
    LEFT_PINKY1 = 31
    LEFT_PINKY2 = 32
    LEFT_PINKY3 = 33
    LEFT_RING1 = 34
    LEFT_RING2 = 35
    LEFT_RING3 = 36
    LEFT_THUMB1 = 37
    LEFT_THUMB2 = 38
    LEFT_THUMB3 = 39
    RIGHT_INDEX1 = 40
    RIGHT_INDEX2 = 41
    RIGHT_INDEX3 = 42
    RIGHT_MIDDLE1 = 43
    RIGHT_MIDDLE2 = 44
    RIGHT_MIDDLE3 = 45
    RIGHT_PINKY1 = 46
    RIGHT_PINKY2 = 47
    RIGHT_PINKY3 = 48
    RIGHT_RING1 = 49
    RIGHT_RING2 = 50
    RIGHT_RING3 = 51
    RIGHT_THUMB1 = 52
    RIGHT_THUMB2 = 53
    RIGHT_THUMB3 = 54


def of_side(side: str, *names: str) -> tuple[Joint, ...]:
    """The joints of these names on one side, "left" or "right"."""
    return tuple(Joint[f"{side}_{name}".upper()] for name in names)


def finger_joints(side: str, *fingers: str) -> tuple[Joint, ...]:
    """The three joints of each of these fingers, from the root outward."""
    return of_side(side, *(f"{finger}{i}" for finger in fingers for i in (1, 2, 3)))


JOINTS = tuple(joint.name.lower() for joint in Joint)
LARGE = 22  # the first joints: without jaw, eyes and fingers
SIDES = ("left", "right")
FINGER_NAMES = ("index", "middle", "pinky", "ring", "thumb")  # as they follow in a hand

SPINE = (Joint.SPINE1, Joint.SPINE2, Joint.SPINE3)
COLLARS = (Joint.LEFT_COLLAR, Joint.RIGHT_COLLAR)
SHOULDERS = (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER)
ELBOWS = (Joint.LEFT_ELBOW, Joint.RIGHT_ELBOW)
WRISTS = (Joint.LEFT_WRIST, Joint.RIGHT_WRIST)
HIPS = (Joint.LEFT_HIP, Joint.RIGHT_HIP)
KNEES = (Joint.LEFT_KNEE, Joint.RIGHT_KNEE)
ANKLES = (Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE)
FEET = (Joint.LEFT_FOOT, Joint.RIGHT_FOOT)  # roots of the toes
EYES = (Joint.LEFT_EYE, Joint.RIGHT_EYE)
HEAD_JOINTS = (Joint.HEAD, Joint.JAW, *EYES)  # what the skin of the head follows

# by side
LEGS = {side: of_side(side, "hip", "knee", "ankle", "foot") for side in SIDES}
ARMS = {side: of_side(side, "collar", "shoulder", "elbow", "wrist") for side in SIDES}
FINGERS = {side: finger_joints(side, *FINGER_NAMES[:4]) for side in SIDES}  # without the thumb
THUMBS = {side: finger_joints(side, "thumb") for side in SIDES}
HANDS = {side: (*of_side(side, "wrist"), *FINGERS[side], *THUMBS[side]) for side in SIDES}


def _parents() -> tuple[int, ...]:
    chains = [(Joint.PELVIS, *SPINE, Joint.NECK, Joint.HEAD)]
    chains += [(Joint.HEAD, joint) for joint in HEAD_JOINTS[1:]]
    for side in SIDES:
        chains += [(Joint.PELVIS, *LEGS[side]), (Joint.SPINE3, *ARMS[side])]
        wrist = HANDS[side][0]
        chains += [(wrist, *finger_joints(side, finger)) for finger in FINGER_NAMES]
    above = {child: int(joint) for chain in chains for joint, child in pairwise(chain)}
    return tuple(above.get(joint, -1) for joint in Joint)


def _mirrored(joint: Joint) -> Joint:
    side, _, rest = joint.name.partition("_")
    other = {"LEFT": "RIGHT", "RIGHT": "LEFT"}.get(side, side)
    return Joint[f"{other}_{rest}" if rest else other]


PARENTS = _parents()  # of each joint, root -1
MIRROR = tuple(_mirrored(joint) for joint in Joint)  # of each joint, the one on the other side
# of each joint, the large one it moves with: fingers with the wrist, jaw and eyes with the head
FOLDED = tuple(
    next((hand[0] for hand in HANDS.values() if j in hand), Joint.HEAD if j in HEAD_JOINTS else j)
    for j in Joint
)
