"""The two orders of pose key points, and figures: the points of one person as they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np

from svad.body import coco
from svad.body.coco import BODY, COUNT, FACE, LEFT_HAND, VISIBLE, HandPoint, Keypoint

FINGERS = tuple(
    line for finger in coco.FINGERS for line in pairwise((HandPoint.WRIST, *finger))
)  # lines of a drawn hand, numbered inside the hand
FINGER_ROOTS = tuple(finger[0] for finger in coco.FINGERS)

MISSING = -1.0  # both coordinates of a point that was not seen, in the published arrays


class OpenPose(IntEnum):
    """A body point in OpenPose's order, usable as an index."""

    NOSE = 0
    NECK = 1
    RIGHT_SHOULDER = 2
    RIGHT_ELBOW = 3
    RIGHT_WRIST = 4
    LEFT_SHOULDER = 5
    LEFT_ELBOW = 6
    LEFT_WRIST = 7
    RIGHT_HIP = 8
    RIGHT_KNEE = 9
    RIGHT_ANKLE = 10
    LEFT_HIP = 11
    LEFT_KNEE = 12
    LEFT_ANKLE = 13
    RIGHT_EYE = 14
    LEFT_EYE = 15
    RIGHT_EAR = 16
    LEFT_EAR = 17


def _of_both(*names: str) -> tuple[tuple[OpenPose, ...], ...]:
    return tuple(tuple(OpenPose[f"{side}_{n}"] for n in names) for side in ("RIGHT", "LEFT"))


# right, then left, as in the order
ARMS, LEGS = _of_both("SHOULDER", "ELBOW", "WRIST"), _of_both("HIP", "KNEE", "ANKLE")
SHOULDERS = (OpenPose.RIGHT_SHOULDER, OpenPose.LEFT_SHOULDER)
HIPS = (OpenPose.RIGHT_HIP, OpenPose.LEFT_HIP)
EYES = (OpenPose.RIGHT_EYE, OpenPose.LEFT_EYE)
EARS = (OpenPose.RIGHT_EAR, OpenPose.LEFT_EAR)
JOINTS = len(OpenPose)  # 18
NECK = BODY.stop  # where the neck is put in before the first 18 points are permuted
OPENPOSE = tuple(NECK if p == OpenPose.NECK else Keypoint[p.name] for p in OpenPose)


@dataclass(frozen=True)
class WholeBody:
    """The key points of one person in one picture, COCO-WholeBody order."""

    xy: np.ndarray  # [133, 2] pixels
    score: np.ndarray  # [133] 0..1, higher is surer


@dataclass(frozen=True)
class Figure:
    """One person in OpenPose order, in shares of the picture's width (x) and height (y).

    Points that were not seen keep a guess of their place, which only the masks tell apart.
    """

    body: np.ndarray  # [18, 2]
    hands: np.ndarray  # [2, 21, 2] left, right
    face: np.ndarray  # [68, 2]
    body_seen: np.ndarray  # [18] bool
    hands_seen: np.ndarray  # [2, 21] bool
    face_seen: np.ndarray  # [68] bool
    aspect: float  # width / height of the picture


@dataclass(frozen=True)
class Packed:
    """P people of one picture as the published pose pipelines keep them; missing points are -1."""

    body: np.ndarray  # [P * 18, 2]
    subset: np.ndarray  # [P, 18] row in `body`, -1 = not seen
    hands: np.ndarray  # [P * 2, 21, 2] the left hand of each person, then the right of each
    faces: np.ndarray  # [P, 68, 2]


def with_neck(
    xy: np.ndarray,  # [..., 133, 2]
    score: np.ndarray,  # [..., 133]
) -> tuple[np.ndarray, np.ndarray]:  # [..., 134, 2], [..., 134]
    """COCO-WholeBody to the OpenPose style: 18 body points, 6 feet, 68 face, 21 + 21 hands.

    The neck is the middle of the shoulders; its score is 1 if both are seen, else 0.
    """
    neck = xy[..., coco.SHOULDERS, :].mean(-2, keepdims=True)
    both = (score[..., coco.SHOULDERS] > VISIBLE).all(-1, keepdims=True).astype(score.dtype)
    xy = np.concatenate([xy[..., :NECK, :], neck, xy[..., NECK:, :]], -2)
    score = np.concatenate([score[..., :NECK], both, score[..., NECK:]], -1)
    order = [*OPENPOSE, *range(JOINTS, COUNT + 1)]
    return xy[..., order, :], score[..., order]


def to_figure(
    points: WholeBody,  # pixels
    size: tuple[int, int],  # height, width of the picture
) -> Figure:
    """What is drawn of a person: normalised points with masks at score 0.3."""
    height, width = size
    xy, score = with_neck(points.xy / np.array([width, height], np.float64), points.score)
    # the neck has moved face and hands by one
    face, hands = slice(FACE.start + 1, FACE.stop + 1), slice(LEFT_HAND.start + 1, COUNT + 1)
    return Figure(
        body=xy[:JOINTS],
        hands=xy[hands].reshape(2, 21, 2),
        face=xy[face],
        body_seen=score[:JOINTS] > VISIBLE,
        hands_seen=score[hands].reshape(2, 21) >= VISIBLE,
        face_seen=score[face] >= VISIBLE,
        aspect=width / height,
    )


def pack(people: Sequence[Figure]) -> Packed:
    """Figures as published arrays."""

    def filled(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return np.where(seen[..., None], points, MISSING)

    seen = np.stack([p.body_seen for p in people])
    hands = [filled(p.hands[i], p.hands_seen[i]) for i in (0, 1) for p in people]
    return Packed(
        body=np.concatenate([p.body for p in people]),
        subset=np.where(seen, np.arange(seen.size).reshape(seen.shape), MISSING),
        hands=np.stack(hands),
        faces=np.stack([filled(p.face, p.face_seen) for p in people]),
    )


def unpack(packed: Packed, aspect: float) -> list[Figure]:
    """Figures from published arrays of a picture with this width / height."""
    count = len(packed.subset)
    rows = packed.subset.astype(int)
    figures = []
    for p in range(count):
        own = np.arange(p * JOINTS, (p + 1) * JOINTS)
        body = packed.body[np.where(rows[p] < 0, own, rows[p])]
        hands, face = packed.hands[[p, count + p]], packed.faces[p]
        figures.append(
            Figure(
                body=body,
                hands=hands,
                face=face,
                body_seen=rows[p] >= 0,
                hands_seen=(hands != MISSING).any(-1),
                face_seen=(face != MISSING).any(-1),
                aspect=aspect,
            )
        )
    return figures
