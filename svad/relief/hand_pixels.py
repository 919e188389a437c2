"""Which pixels are a hand's: by its landmarks, by the colour of skin and of what is beside it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.body import coco
from svad.media.fields import blur, grown, nearest_known

HELD_FROM = 0.6  # of the forearm: from there on hair may be what the arm took
HELD_REACH = 0.16  # of the body's height around the wrist, that hair may reach
LARGEST = 0.006  # of the body's height squared: the area of a hand whose fingers are spread
CLEARLY = 15.0  # in Lab: so much nearer to what is beside the arm than to its sleeve


@dataclass(frozen=True)
class Hand:
    """A hand in the photo."""

    area: np.ndarray  # [H, W] bool, hull of its landmarks, empty if there are none
    wrist: np.ndarray  # [2] px
    elbow: np.ndarray  # [2] px


def with_skin(
    hand: Hand,
    skin: np.ndarray,  # [H, W] bool, skin-coloured
    inside: np.ndarray,  # [H, W] bool, the matte
    body_height: float,  # px
) -> Hand:
    """A hand without landmarks: the skin just beyond the wrist, if what is around it is cloth.

    More skin than any hand has is cloth of skin's colour under the hand: there the body tells.
    """
    axis = hand.wrist - hand.elbow
    axis = axis / max(float(np.linalg.norm(axis)), 1e-6)
    centre = hand.wrist + 0.045 * body_height * axis
    rows, columns = np.indices(inside.shape, dtype=np.float32)
    away = np.hypot(columns - centre[0], rows - centre[1])
    disc, ring = inside & (away < 0.06 * body_height), inside & (away < 0.11 * body_height)
    ring &= ~disc
    if disc.sum() < 20 or skin[disc].mean() < 0.12 or (ring.any() and skin[ring].mean() > 0.4):
        return hand
    blob = cv2.morphologyEx((skin & disc).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5)))
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(blob, connectivity=8)
    if n < 2:
        return hand
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_AREA] > LARGEST * body_height**2:
        return hand
    area = pieces == largest
    return Hand(grown(area, 1), hand.wrist, hand.elbow)


def hand_hulls(
    keypoints: np.ndarray,  # [133, 3] x, y, score; COCO-WholeBody order
    shape: tuple[int, ...],  # H, W
    grow: float,  # px
    least: float = 0.5,  # score
) -> dict[str, Hand]:  # by side
    """Both hands; the area is empty where no landmarks were found."""
    out = {}
    for side, part in coco.HANDS.items():
        _, elbow, wrist = coco.ARMS[side]
        points = keypoints[part]
        mask = np.zeros(shape, np.uint8)
        if (points[:, 2] > least).sum() < 15:
            out[side] = Hand(mask > 0, keypoints[wrist, :2], keypoints[elbow, :2])
            continue
        hull = np.concatenate([points[:, :2], keypoints[wrist : wrist + 1, :2]])
        hull = cv2.convexHull(np.round(hull).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, (1,))
        area = grown(mask > 0, max(1, round(grow)))
        out[side] = Hand(area, keypoints[wrist, :2], keypoints[elbow, :2])
    return out


def hand_seed(
    hand: Hand,
    skin: np.ndarray | None,  # [H, W] bool, skin-coloured
) -> np.ndarray:  # [H, W] bool
    """The hand's area, without what is not skin if the hand is bare."""
    if skin is None or not hand.area.any():
        return hand.area
    if skin[hand.area].mean() < 0.4 and not forearm_is_bare(hand, skin):
        return hand.area
    return hand.area & skin


def forearm_is_bare(
    hand: Hand,
    skin: np.ndarray,  # [H, W] bool, skin-coloured
) -> bool:
    """Whether the upper half of the forearm has skin's colour."""
    line = hand.elbow + np.linspace(0.12, 0.5, 40)[:, None] * (hand.wrist - hand.elbow)
    x, y = np.round(line).astype(int).T
    h, w = skin.shape
    framed = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    return bool(framed.sum() > 20 and skin[y[framed], x[framed]].mean() > 0.6)


def tidy_hand(
    labels: np.ndarray,  # [H, W] int32
    part: int,
    rgb: np.ndarray,  # [H, W, 3] uint8
    skin: np.ndarray,  # [H, W] bool, skin-coloured
    hand: Hand,
    body_height: float,  # px
) -> np.ndarray:  # [H, W] int32
    """A bare hand or forearm takes no cloth of a skirt or jumper along when it moves.

    Where the hand (and, with short sleeves, the forearm) has skin's colour, pixels of the arm that
    look like the cloth beside it go to that cloth. Gloves, cuffs and bracelets are left alone.
    """
    arm_bare = forearm_is_bare(hand, skin)
    if not arm_bare and (not hand.area.any() or skin[hand.area].mean() < 0.4):
        return labels
    rows, columns = np.indices(labels.shape, dtype=np.float32)
    axis = hand.wrist - hand.elbow
    length = max(float(np.linalg.norm(axis)), 1e-6)
    axis = axis / length
    x, y = columns - hand.elbow[0], rows - hand.elbow[1]
    along, across = x * axis[0] + y * axis[1], np.abs(x * axis[1] - y * axis[0])
    away = np.hypot(columns - hand.wrist[0], rows - hand.wrist[1])
    reach = (along > length + 0.01 * body_height) & (away < 0.11 * body_height)
    forearm = (labels == part) & (across < 0.012 * body_height) & (along > 0.1 * length)
    forearm &= along < 0.5 * length
    if arm_bare:
        reach |= (along > 0.1 * length) & (along <= length) & (across < 0.08 * body_height)
        reach |= (along > length) & (away < 0.11 * body_height)
    zone = (labels >= 0) & reach
    bare = cv2.medianBlur((skin & zone).astype(np.uint8), 3)
    _, pieces = cv2.connectedComponents(bare, connectivity=4)
    seeds = np.unique(pieces[(hand.area | forearm) & (bare > 0)])
    mine = np.isin(pieces, seeds[seeds > 0]) & (bare > 0)
    near = cv2.dilate(hand.area.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    mine &= near | (labels == part)
    others = (labels >= 0) & (labels != part)
    if not others.any():
        return labels
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB).astype(np.float32)
    sigma = 0.025 * body_height
    weight = np.maximum(blur(others.astype(np.float32), sigma), 1e-4)
    cloth = blur(lab * others[..., None].astype(np.float32), sigma) / weight[..., None]
    alike = (np.linalg.norm(lab - cloth, axis=-1) < 40) & (weight > 0.01)
    foreign = zone & (labels == part) & ~mine & alike
    if not arm_bare and mine.any():  # a cuff may reach beyond the wrist
        foreign &= along > np.quantile(along[mine], 0.1) + 0.005 * body_height
        if hand.wrist[1] < hand.elbow[1]:  # raised: it may be held to the hair
            held = (along > HELD_FROM * length) & (away < HELD_REACH * body_height)
            foreign |= held & alike & _hair_beside(labels == part, mine, forearm, lab, cloth)
    out = np.where(foreign, nearest_known(labels, others), labels)
    return np.where(mine, part, out).astype(np.int32)


def _hair_beside(
    own: np.ndarray,  # [H, W] bool, the arm
    bare: np.ndarray,  # [H, W] bool, the hand
    forearm: np.ndarray,  # [H, W] bool, along the bone
    lab: np.ndarray,  # [H, W, 3]
    others: np.ndarray,  # [H, W, 3] colour of what is beside the arm
) -> np.ndarray:  # [H, W] bool
    """What the arm took of the hair that its hand is held to: clearly nearer to that than to it."""
    sleeve = forearm & ~bare
    if sleeve.sum() < 20:
        return own & ~own
    to_sleeve = np.linalg.norm(lab - np.median(lab[sleeve], 0), axis=-1)
    return own & ~bare & (np.linalg.norm(lab - others, axis=-1) + CLEARLY < to_sleeve)
