"""Part segmentation: which limb group every pixel of the person shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.body import coco
from svad.body.skeleton import FOLDED, WRISTS
from svad.geometry.zbuffer import DepthMaps, draw
from svad.media.fields import blur
from svad.relief.parts import Part


@dataclass(frozen=True)
class PartMaps:
    """One limb group of the body as the camera of the photo sees it."""

    part: Part
    maps: DepthMaps
    weight: np.ndarray  # [H, W] share of the near surface's skin weight that is the part's, 0..1
    faces: np.ndarray  # [F', 3] the faces that were drawn
    hand: np.ndarray  # [H, W] share of the weight that is a hand's

    def crop(self, box: tuple[slice, slice]) -> PartMaps:
        """The maps inside a box of rows and columns."""
        return PartMaps(
            self.part, self.maps.crop(box), self.weight[box], self.faces, self.hand[box]
        )


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
    """A hand without landmarks: the skin just beyond the wrist, if what is around it is cloth."""
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
    area = pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return Hand(_grown(area, 1), hand.wrist, hand.elbow)


def draw_parts(
    points: np.ndarray,  # [V, 3] x px, y px, depth
    faces: np.ndarray,  # [F, 3]
    weights: np.ndarray,  # [V, 55]
    parts: tuple[Part, ...],
    height: int,
    width: int,
) -> list[PartMaps]:
    """Draws each part by itself, so that what another part hides is known too."""
    out = []
    for part in parts:
        share = weights[:, list(part.joints)].sum(1)
        mine = faces[(share[faces] > 0.05).any(1)]
        maps = draw(points, mine, height, width)
        hand = weights[:, [j for j in part.joints if FOLDED[j] in WRISTS and part.bones]].sum(1)
        values = maps.values(mine, np.stack([share, hand], 1))
        out.append(PartMaps(part, maps, values[..., 0], mine, values[..., 1]))
    return out


def nearest_part(drawn: list[PartMaps]) -> np.ndarray:  # [H, W] int32, -1 = no body
    """The part that is in front at each pixel."""
    depth = np.stack([np.where(p.weight > 0.5, p.maps.near, np.inf) for p in drawn])
    front = depth.argmin(0).astype(np.int32)
    return np.where(np.isfinite(depth.min(0)), front, -1)


def label_pixels(
    rgb: np.ndarray,  # [H, W, 3] uint8
    inside: np.ndarray,  # [H, W] bool, the matte
    drawn: list[PartMaps],
    body_height: float,  # px
    hands: dict[int, Hand] | None = None,  # by part number
    skin: np.ndarray | None = None,  # [H, W] bool, skin-coloured pixels
) -> np.ndarray:  # [H, W] int32, -1 outside
    """Watershed from the body's parts, over edges of the photo and of the body together.

    Where a sleeve lies on a jumper of the same colour the body's outline decides. Pixels the body
    does not cover (hair, skirts, sleeves) go to the part they are continuous with.
    """
    front = nearest_part(drawn)
    hands = hands or {}
    sure = {i: _hand_seed(hand, skin) & inside for i, hand in hands.items()}
    for i, seed in sure.items():
        front = np.where(seed, i, front)
    markers = np.zeros(front.shape, np.int32)
    markers[~_grown(inside, 2)] = len(drawn) + 1
    taken = np.zeros(front.shape, bool)
    for i, seed in sure.items():  # a hand on a hip is the arm's
        markers[_shrunk(seed, 0.003 * body_height)] = i + 1
        taken |= _grown(hands[i].area, max(2, round(0.004 * body_height)))
    for i, _ in enumerate(drawn):
        seed = _shrunk((front == i) & inside, max(1.0, 0.009 * body_height))
        if seed.sum() < 30:
            seed = _shrunk((front == i) & inside, 1.0)
        markers[seed & ~taken] = i + 1
    cv2.watershed(_edges(rgb, front), markers)
    unknown = (markers <= 0) | (markers > len(drawn))
    labels = _nearest(markers - 1, ~unknown)
    fingers = np.zeros(inside.shape, bool)
    for i, p in enumerate(drawn):
        if set(WRISTS) & set(p.part.joints):
            fingers |= (labels == i) & (p.hand > 0.5)
    for seed in sure.values():
        fingers |= seed
    soft = np.stack(
        [cv2.GaussianBlur((labels == i).astype(np.float32), (0, 0), 0.008 * body_height)
         for i in range(len(drawn))]
    )  # fmt: skip
    labels = np.where(fingers, labels, soft.argmax(0)).astype(np.int32)
    labels = np.where(inside, _adopt_islands(labels, inside, drawn, front), -1)
    if skin is not None:
        before = labels
        for i, hand in hands.items():
            labels = tidy_hand(labels, i, rgb, skin, hand, body_height)
        given = np.where(labels != before, labels, front)  # hair beyond a hand is no island
        labels = np.where(inside, _adopt_islands(labels, inside, drawn, given), -1)
    return labels


def _hand_seed(hand: Hand, skin: np.ndarray | None) -> np.ndarray:
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
        foreign |= (
            _hair_beside(labels == part, mine, forearm, lab, cloth)
            & alike
            & ((along > 0.6 * length) & (away < 0.16 * body_height))
        )
    out = np.where(foreign, _nearest(labels, others), labels)
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
    return own & ~bare & (np.linalg.norm(lab - others, axis=-1) + 15 < to_sleeve)


def _edges(rgb: np.ndarray, front: np.ndarray) -> np.ndarray:  # [H, W, 3] uint8
    """The photo, smoothed and halved in contrast, with a step of brightness at the body's edges."""
    smooth = cv2.bilateralFilter(rgb, 5, 30, 3).astype(np.float32) * 0.55
    covered = front >= 0
    near = _nearest(front, covered)
    levels = np.array([0, 55, 110, 20, 80, 40, 100, 65, 30], np.float32)
    step = cv2.GaussianBlur(levels[near % len(levels)], (0, 0), 2.0)
    return np.clip(smooth + step[..., None], 0, 255).astype(np.uint8)


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
        area = _grown(mask > 0, max(1, round(grow)))
        out[side] = Hand(area, keypoints[wrist, :2], keypoints[elbow, :2])
    return out


def _adopt_islands(
    labels: np.ndarray, inside: np.ndarray, drawn: list[PartMaps], front: np.ndarray
) -> np.ndarray:
    """Pieces of a part that are not connected with its body go to what surrounds them."""
    keep = np.zeros(inside.shape, bool)
    for i, _ in enumerate(drawn):
        mask = ((labels == i) & inside).astype(np.uint8)
        n, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for k in range(1, n):
            piece = pieces == k
            touches = (front[piece] == i).mean() if piece.any() else 0
            largest = stats[k, cv2.CC_STAT_AREA] == stats[1:, cv2.CC_STAT_AREA].max()
            if largest or (touches > 0.3 and stats[k, cv2.CC_STAT_AREA] > 60):
                keep |= piece
    return np.where(keep | ~inside, labels, _nearest(labels, keep))


def _nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Unknown pixels take the value of the nearest known one."""
    if known.all() or not known.any():
        return values
    _, index = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(index.max() + 1, values.dtype)
    table[index[known]] = values[known]
    return table[index]


def _shrunk(mask: np.ndarray, px: float) -> np.ndarray:
    return cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] > px


def _grown(mask: np.ndarray, px: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
