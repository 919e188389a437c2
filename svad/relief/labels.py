"""Part segmentation: which limb group every pixel of the person shows."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes

from svad.body.skeleton import FOLDED, WRISTS
from svad.geometry.zbuffer import DepthMaps, draw
from svad.media.fields import grown, nearest_known
from svad.relief.hand_pixels import Hand, hand_seed, tidy_hand
from svad.relief.parts import Part

SLIVER = 0.004  # of the height, half the width of what is no limb
LIGHT = 0.008  # of the height, half the width of light between an arm and what it hangs beside
ELBOW = 0.008  # of the height, radius around an elbow that surely shows it


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


def nearest_part(
    drawn: list[PartMaps],
    handless: Container[int] = (),  # numbers of parts whose hands something hides
) -> np.ndarray:  # [H, W] int32, -1 = no body
    """The part that is in front at each pixel."""
    depth = np.stack(
        [
            np.where((p.weight > 0.5) & ~((p.hand > 0.5) & (i in handless)), p.maps.near, np.inf)
            for i, p in enumerate(drawn)
        ]
    )
    front = depth.argmin(0).astype(np.int32)
    return np.where(np.isfinite(depth.min(0)), front, -1)


def label_pixels(
    rgb: np.ndarray,  # [H, W, 3] uint8
    inside: np.ndarray,  # [H, W] bool, the matte
    drawn: list[PartMaps],
    body_height: float,  # px
    hands: dict[int, Hand] | None = None,  # by part number
    skin: np.ndarray | None = None,  # [H, W] bool, skin-coloured pixels
    elbows: dict[int, np.ndarray] | None = None,  # [2] px, by part number, where the body may err
    handless: Container[int] = (),  # numbers of parts whose hands something hides
) -> np.ndarray:  # [H, W] int32, -1 outside
    """Watershed from the body's parts, over edges of the photo and of the body together.

    Where a sleeve lies on a jumper of the same colour the body's outline decides. Pixels the body
    does not cover (hair, skirts, sleeves) go to the part they are continuous with.
    """
    hands = hands or {}
    front = nearest_part(drawn, handless)  # a hand in a pocket is not where the body has it
    sure = {i: hand_seed(hand, skin) & inside for i, hand in hands.items()}
    for i, seed in sure.items():
        front = np.where(seed, i, front)
    markers = np.zeros(front.shape, np.int32)
    markers[~grown(inside, 2)] = len(drawn) + 1
    taken = np.zeros(front.shape, bool)
    for i, seed in sure.items():  # a hand on a hip is the arm's
        markers[_shrunk(seed, 0.003 * body_height)] = i + 1
        taken |= grown(hands[i].area, max(2, round(0.004 * body_height)))
    for i, _ in enumerate(drawn):
        seed = _shrunk((front == i) & inside, max(1.0, 0.009 * body_height))
        if seed.sum() < 30:
            seed = _shrunk((front == i) & inside, 1.0)
        markers[seed & ~taken] = i + 1
    for i, elbow in (elbows or {}).items():
        markers[disc(front.shape, elbow, 2 * ELBOW * body_height) & inside] = 0
        markers[disc(front.shape, elbow, ELBOW * body_height) & inside] = i + 1
    cv2.watershed(_edges(rgb, front), markers)
    unknown = (markers <= 0) | (markers > len(drawn))
    labels = nearest_known(markers - 1, ~unknown)
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
    return without_holes(labels, hands)


def without_holes(
    labels: np.ndarray,  # [H, W] int32, -1 outside
    parts: Iterable[int],
) -> np.ndarray:  # [H, W] int32
    """What one of these parts encloses is its own: a dark palm is no piece of the leg behind it."""
    for i in parts:
        whole = np.asarray(binary_fill_holes(labels == i), bool)
        labels = np.where(whole & (labels >= 0), i, labels)
    return labels


def without_slivers(
    labels: np.ndarray,  # [H, W] int32, -1 outside
    parts: Iterable[int],
    hands: np.ndarray,  # [H, W] bool, where hands were found: cloth between fingers is thin, too
    crotch: int,  # row, above which cloth overlaps and no thread moves by itself
    body_height: float,  # px
) -> np.ndarray:  # [H, W] int32
    """What these parts have below the crotch that is too thin for a limb goes to the one beside it.

    It would move as a thread: a strap between two legs, what the cut along a hem leaves over.
    """
    radius = max(1, round(SLIVER * body_height))
    thin = np.zeros(labels.shape, bool)
    for i in parts:
        thin |= _thin(labels == i, radius)
    thin &= ~hands
    thin[: max(0, crotch)] = False
    solid = (labels >= 0) & ~thin
    return np.where(thin, nearest_known(labels, solid), labels).astype(np.int32)


def parted_by_light(
    labels: np.ndarray,  # [H, W] int32, -1 outside
    arms: list[int],  # numbers of parts
    hands: np.ndarray,  # [H, W] bool, where hands were found: there is light between fingers, too
    body_height: float,  # px
) -> np.ndarray:  # [H, W] int32
    """A slit of light divides an arm from what it hangs beside: strips on its wrong side change."""
    person = labels >= 0
    radius = max(1, round(LIGHT * body_height))
    slits = _thin(np.asarray(binary_fill_holes(person), bool) & ~person, radius)
    thin = np.zeros(labels.shape, bool)
    for i in np.unique(labels[person]):
        thin |= _thin(labels == i, radius)
    thin &= grown(slits, 2 * radius) & ~hands
    found = nearest_known(labels, person & ~thin)
    crossed = thin & (np.isin(found, arms) != np.isin(labels, arms))
    return np.where(crossed, found, labels).astype(np.int32)


def _thin(
    mask: np.ndarray,  # [H, W] bool
    radius: int,  # px
) -> np.ndarray:  # [H, W] bool
    """What of a mask no disc of that radius fits into."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return mask & (cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel) == 0)


def disc(
    shape: tuple[int, ...],  # H, W
    centre: np.ndarray,  # [2] px
    radius: float,  # px
) -> np.ndarray:  # [H, W] bool
    """The pixels around a point."""
    x, y = (int(v) for v in np.floor(centre))
    return cv2.circle(np.zeros(shape, np.uint8), (x, y), max(1, round(radius)), (1,), -1) > 0


def _edges(rgb: np.ndarray, front: np.ndarray) -> np.ndarray:  # [H, W, 3] uint8
    """The photo, smoothed and halved in contrast, with a step of brightness at the body's edges."""
    smooth = cv2.bilateralFilter(rgb, 5, 30, 3).astype(np.float32) * 0.55
    covered = front >= 0
    near = nearest_known(front, covered)
    levels = np.array([0, 55, 110, 20, 80, 40, 100, 65, 30], np.float32)
    step = cv2.GaussianBlur(levels[near % len(levels)], (0, 0), 2.0)
    return np.clip(smooth + step[..., None], 0, 255).astype(np.uint8)


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
    return np.where(keep | ~inside, labels, nearest_known(labels, keep))


def _shrunk(mask: np.ndarray, px: float) -> np.ndarray:
    return cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] > px
