"""Several people in one picture: who is who, how large each is, and whose pixels are whose."""

from __future__ import annotations

import cv2
import numpy as np

from svad.subject.blazepose import EARS, HIPS, SHOULDERS, PosePoint, of_side
from svad.subject.crops import cut, paste, square, way
from svad.subject.landmarker import Landmarker, PoseHit
from svad.subject.spots import Spot

_CROP = 768  # px, side of the cut in which one person's landmarks are looked for
_ROOM = 0.55  # half side of that cut, shares of the spot's own
_SEEN = 0.5  # visibility from which on a landmark counts
_SAME = 0.35  # of a torso, mean distance of the landmarks below which two people are one
_MAP = 480  # px, longer side of the map on which pixels are shared out
_FALL = 0.22  # of a torso: at this distance from a body a pixel's claim has fallen to 1 / e
_UNMASKED = 0.4  # what a claim is worth where the mask says no: it leaves out limbs before others
_FRONT = 1.6  # how much more the nearer one of two people counts where both bodies lie
# half thickness of limbs with clothes, shares of the torso (drawn on adult bodies, cloth added)
_LIMBS = (
    ("shoulder", "elbow", 0.13),
    ("elbow", "wrist", 0.10),
    ("wrist", "index", 0.09),
    ("hip", "knee", 0.20),
    ("knee", "ankle", 0.14),
    ("heel", "big_toe", 0.10),
)
_HEAD = 0.30  # radius about the middle of the ears, shares of the torso
_CHEST = 0.10  # how far clothes reach past shoulders and hips, shares of the torso
_TRUNK = (PosePoint.NOSE, *SHOULDERS, *HIPS)
_DOWN = (*of_side("left", "knee", "ankle", "heel"), *of_side("right", "knee", "ankle", "heel"))


def pose_of(
    models: Landmarker,
    rgb: np.ndarray,  # [H, W, 3] uint8
    spot: Spot,
) -> PoseHit | None:
    """The landmarks and the mask of the person at a spot, in pixels of the picture."""
    box = square(spot.hips, _ROOM * spot.side)
    factor = _CROP / (box[2] - box[0])
    crop = cv2.resize(cut(rgb, box), (_CROP, _CROP), interpolation=way(factor))
    offset = (-box[0] * factor, -box[1] * factor)
    there = Spot(spot.hips * factor + offset, spot.top * factor + offset, spot.score)
    hit = models.pose_at(crop, there)
    if hit is None:
        return None
    points = hit.points.copy()
    points[:, :2] = points[:, :2] / factor + box[:2]
    mask = cv2.resize(hit.mask, (box[2] - box[0], box[3] - box[1]))
    return PoseHit(points=points, depth=hit.depth, mask=paste(mask, box, rgb.shape[:2]))


def tall(
    points: np.ndarray,  # [33, 3] body landmarks
    shape: tuple[int, ...],  # height, width of the picture
) -> float:
    """How much of a body from head to feet the picture shows, px; arms do not count."""
    chain = points[[*_TRUNK, *_DOWN]]
    height, width = shape[:2]
    inside = (chain[:, :2] >= 0).all(1) & (chain[:, 0] < width) & (chain[:, 1] < height)
    seen = chain[inside & (chain[:, 2] > _SEEN), :2]
    return float(np.ptp(seen, axis=0).max()) if len(seen) > 1 else 0.0


def torso(
    points: np.ndarray,  # [33, 3] body landmarks
) -> float:
    """Length from shoulders to hips, px; at least half the shoulders' width."""
    p = points[:, :2]
    spine = np.linalg.norm(p[list(SHOULDERS)].mean(0) - p[list(HIPS)].mean(0))
    width = np.linalg.norm(p[SHOULDERS[0]] - p[SHOULDERS[1]])
    return float(max(spine, 0.5 * width, 4.0))


def same(
    one: np.ndarray,  # [33, 3] body landmarks
    other: np.ndarray,  # [33, 3]
) -> bool:
    """Whether two sets of landmarks are one person's."""
    apart = np.linalg.norm(one[list(_TRUNK), :2] - other[list(_TRUNK), :2], axis=1)
    return bool(apart.mean() < _SAME * min(torso(one), torso(other)))


def at(
    spot: Spot,
    points: np.ndarray,  # [33, 3] body landmarks
) -> float:
    """How far a spot is from being this person, shares of its reach."""
    hips = points[list(HIPS), :2].mean(0)
    shoulders = points[list(SHOULDERS), :2].mean(0)
    axis = 0.5 * (spot.top - spot.hips)  # shoulders lie about half way up the circle
    apart = np.linalg.norm(spot.hips - hips), np.linalg.norm(spot.hips + axis - shoulders)
    return float(max(apart)) / max(spot.reach, 1.0)


def own_share(
    first: PoseHit,
    others: list[PoseHit],
) -> np.ndarray:  # [H, W] float32, 0..1
    """How far each pixel is the first person's rather than somebody else's; 0.5 = open.

    A body is drawn from its landmarks, its claim falls off with the distance, and is weighed with
    what the body model's mask of that person says. Where two bodies overlap the nearer one counts
    for more; colours decide the rest when the matte is cut.
    """
    height, width = first.mask.shape
    factor = min(1.0, _MAP / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    mine = _claim(first, size, factor)
    theirs = np.zeros_like(mine)
    for other in others:
        claim = _claim(other, size, factor)
        nearer = _FRONT if in_front(other.points, first.points) else 1 / _FRONT
        theirs = np.maximum(theirs, claim * nearer)
    share = mine / np.maximum(mine + theirs, 1e-6)
    share[mine + theirs < 1e-3] = 1.0  # nobody's: what the masks say stays
    return cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)


def in_front(
    one: np.ndarray,  # [33, 3] body landmarks
    other: np.ndarray,  # [33, 3]
) -> bool:
    """Whether one person stands nearer to the camera: feet lower in the picture, larger torso."""
    lower = one[list(_DOWN), 1].max() - other[list(_DOWN), 1].max()
    scale = min(torso(one), torso(other))
    return bool(lower / scale + 2 * np.log(torso(one) / torso(other)) > 0)


def _claim(hit: PoseHit, size: tuple[int, int], factor: float) -> np.ndarray:
    """A person's claim on each pixel of the small map, 0..1, float32."""
    unit = torso(hit.points) * factor
    body = _body(hit.points[:, :2] * factor, unit, size)
    away = cv2.distanceTransform(1 - body, cv2.DIST_L2, 3) / np.float32(_FALL * unit)
    mask = cv2.resize(hit.mask, size, interpolation=cv2.INTER_AREA)
    return np.exp(-away) * (_UNMASKED + (1 - _UNMASKED) * mask)


def _body(p: np.ndarray, unit: float, size: tuple[int, int]) -> np.ndarray:
    """A body drawn from its landmarks, uint8 [h, w]."""
    canvas = np.zeros(size[::-1], np.uint8)

    def thick(share: float) -> int:
        return max(1, round(2 * share * unit))

    corners = cv2.convexHull(p[[*SHOULDERS, *HIPS]].astype(np.int32))
    cv2.fillConvexPoly(canvas, corners, (1,))
    cv2.polylines(canvas, [corners], True, (1,), thick(_CHEST))
    for start, end, share in _LIMBS:
        for side in ("left", "right"):
            a, b = (tuple(int(v) for v in p[i]) for i in of_side(side, start, end))
            cv2.line(canvas, a, b, (1,), thick(share))
    x, y = (int(v) for v in p[list(EARS)].mean(0))
    cv2.circle(canvas, (x, y), max(1, round(_HEAD * unit)), (1,), -1)
    return canvas
