"""The two orders of pose key points, and figures: the points of one person as they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COUNT = 133  # COCO-WholeBody; "left" is the person's own left
BODY = slice(0, 17)
LEFT_FOOT, RIGHT_FOOT = slice(17, 20), slice(20, 23)  # big toe, small toe, heel
FACE = slice(23, 91)
LEFT_HAND, RIGHT_HAND = slice(91, 112), slice(112, 133)
FINGERS = tuple(
    (0 if k == 0 else 4 * f + k, 4 * f + k + 1) for f in range(5) for k in range(4)
)  # lines of a drawn hand, numbered inside the hand

VISIBLE = 0.3  # score above which a body joint counts as seen (hands, face: from here on)
MISSING = -1.0  # both coordinates of a point that was not seen, in the published arrays

NECK = 17  # where the neck is put in before the first 18 points are permuted
# OpenPose order of the body: nose, neck, right arm, left arm, right leg, left leg, eyes, ears
OPENPOSE = (0, NECK, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
JOINTS = len(OPENPOSE)  # 18
FINGER_ROOTS = (1, 5, 9, 13, 17)  # inside a hand; 0 is the wrist


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
    neck = xy[..., 5:7, :].mean(-2, keepdims=True)
    both = (score[..., 5:7] > VISIBLE).all(-1, keepdims=True).astype(score.dtype)
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
    hands = xy[92:].reshape(2, 21, 2)
    return Figure(
        body=xy[:JOINTS],
        hands=hands,
        face=xy[24:92],
        body_seen=score[:JOINTS] > VISIBLE,
        hands_seen=score[92:].reshape(2, 21) >= VISIBLE,
        face_seen=score[24:92] >= VISIBLE,
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
