"""Finds the person in a photo: 133 key points, face mesh and a soft mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from svad.body.coco import COUNT, HandPoint
from svad.face.landmarks import IRISES
from svad.media.fields import pull_push
from svad.subject import keypoints as kp
from svad.subject.blazepose import CORE, EARS, HIPS, SHOULDERS, PosePoint, of_side
from svad.subject.landmarker import Landmarker, PoseHit, shared_landmarker

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive

_SEARCH_SIDE = 1024  # px, longer side of the picture a person is looked for in
_CROP_SIDE = 768  # px, longer side of the person crop
_MIN_VISIBILITY = 0.45  # mean of nose and shoulders below which there is no person
_SURE_VISIBILITY = 0.8


@dataclass(frozen=True)
class Detection:
    """The largest person in a picture."""

    keypoints: np.ndarray  # [133, 3] x px, y px, score; COCO-WholeBody order
    depth: np.ndarray  # [133] metres relative to the hips, smaller = nearer; nan = unknown
    face: np.ndarray | None  # [478, 3] x px, y px, z px
    mask: np.ndarray  # [H, W] float32, soft person mask
    others: tuple[np.ndarray, ...]  # [H, W] bool each: further people


class Detector(Protocol):
    """Anything that finds a person and their key points."""

    def detect(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> Detection | None:
        """The largest person in the picture, or None."""
        ...


class MediapipeDetector:
    """The detector without downloads: mediapipe's body, face and hand models."""

    def __init__(self, models: Landmarker | None = None) -> None:
        self._models = models or shared_landmarker()

    def detect(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> Detection | None:
        """The largest person in the picture, or None."""
        hit = self._find(rgb)
        if hit is None:
            return None
        hits = [self._refine(rgb, hit)]
        hits += self._find_others(rgb, hits[0])
        first = hits.pop(self._largest(rgb, hits))
        mask = self._soft_mask(rgb, first, hits)
        face = self._face(rgb, first)
        person = person_box(first.points, first.mask, 0.10)
        left, right = self._hands(rgb, first, self._hands_in(rgb, person, _CROP_SIDE))
        return Detection(
            keypoints=kp.whole_body(first.points, face, left, right),
            depth=kp.depths(first.depth),
            face=face,
            mask=mask,
            others=tuple((h.mask > 0.5) & (mask < 0.5) for h in hits),
        )

    def _largest(self, rgb: np.ndarray, hits: list[PoseHit]) -> int:
        """Which person to take: the largest; one whose face is hidden counts for less."""
        if len(hits) == 1:
            return 0
        sizes = [float((h.mask > 0.5).sum()) for h in hits]
        sizes = [
            size * (1.0 if self._face(rgb, h) is not None else 0.6)
            for size, h in zip(sizes, hits, strict=True)
        ]
        return int(np.argmax(sizes))

    def _find(self, rgb: np.ndarray) -> PoseHit | None:
        """The best body of several framings, in pixels of the picture."""
        best, best_score = None, 0.0
        for box, factor in _framings(rgb):
            hit = self._pose_in(rgb, box, factor)
            if hit is None or _visibility(hit.points) < _MIN_VISIBILITY:
                continue
            if not self._is_person(rgb, hit, 0.6):
                continue
            score = _visibility(hit.points) * float(np.ptp(hit.points[:, 1]))
            if score > best_score:
                best, best_score = hit, score
            if _visibility(hit.points) > _SURE_VISIBILITY:
                break
        return best

    def _pose_in(self, rgb: np.ndarray, box: Box, factor: float) -> PoseHit | None:
        """Run the body model on a cut-out (the box may reach over the border)."""
        crop = cv2.resize(_cut(rgb, box), None, fx=factor, fy=factor, interpolation=_way(factor))
        hit = self._models.pose(crop)
        if hit is None:
            return None
        points = hit.points.copy()
        points[:, :2] = points[:, :2] / factor + (box[0], box[1])
        size = (box[2] - box[0], box[3] - box[1])
        mask = cv2.resize(hit.mask, size, interpolation=cv2.INTER_LINEAR)
        return PoseHit(points=points, depth=hit.depth, mask=_paste(mask, box, rgb.shape[:2]))

    def _refine(self, rgb: np.ndarray, hit: PoseHit) -> PoseHit:
        """Look again at the person alone; keeps the first look where the second one is worse."""
        box = person_box(hit.points, hit.mask, 0.10)
        factor = _CROP_SIDE / max(box[2] - box[0], box[3] - box[1])
        again = self._pose_in(rgb, box, factor)
        if again is None or _visibility(again.points) < 0.8 * _visibility(hit.points):
            return hit
        return again

    def _is_person(self, rgb: np.ndarray, hit: PoseHit, least: float) -> bool:
        """Whether the people model agrees; the body model also finds cats and motorcycles."""
        box = person_box(hit.points, hit.mask, 0.10)
        body = hit.mask[box[1] : box[3], box[0] : box[2]] > 0.5
        people = self._models.people(_cut(rgb, box))
        if not body.any() or people[body].mean() < least:
            return False
        overlap = (body & (people > 0.5)).sum() / max(1, (body | (people > 0.5)).sum())
        return bool(overlap > (0.3 if _upright(hit.points) else 0.6))

    def _find_others(self, rgb: np.ndarray, first: PoseHit) -> list[PoseHit]:
        """Further people: paint over those known and look again, twice at most."""
        found: list[PoseHit] = []
        covered = first.mask > 0.3
        for _ in range(2):
            factor = min(1.0, 640 / max(rgb.shape[:2]))
            small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            cover = cv2.resize(covered.astype(np.uint8), small.shape[1::-1])
            cover = cv2.dilate(cover, np.ones((15, 15), np.uint8))
            rest = pull_push(small.astype(np.float32), (1 - cover).astype(np.float32))
            hit = self._models.pose(np.clip(rest, 0, 255).astype(np.uint8))
            if hit is None or _visibility(hit.points) < _SURE_VISIBILITY:
                break
            points = hit.points.copy()
            points[:, :2] /= factor
            mask = cv2.resize(hit.mask, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            other = self._refine(rgb, PoseHit(points=points, depth=hit.depth, mask=mask))
            area = float((other.mask > 0.5).sum()) / max(1.0, float((first.mask > 0.5).sum()))
            if area < 0.12 or _share_inside(other.points, covered) > 0.35:
                break
            if not self._is_person(rgb, other, 0.8):
                break
            found.append(other)
            covered = covered | (other.mask > 0.3)
        return found

    def _soft_mask(self, rgb: np.ndarray, hit: PoseHit, others: list[PoseHit]) -> np.ndarray:
        """The body model's mask averaged with the people mask, taken whole and in tiles."""
        box = person_box(hit.points, hit.mask, 0.10)
        crop = _cut(rgb, box)
        whole = self._models.people(crop)
        tiles, count = np.zeros_like(whole), np.zeros_like(whole)
        height, width = whole.shape
        side = int(max(width, 0.5 * height))
        steps = 1 + int(np.ceil(1.5 * max(0.0, height / side - 1)))
        for top in np.linspace(0, max(0, height - side), steps):
            rows = slice(int(top), int(top) + side)
            tiles[rows] += self._models.people(crop[rows])
            count[rows] += 1
        people = _paste(0.5 * whole + 0.5 * tiles / count, box, rgb.shape[:2])
        for other in others:
            people *= 1 - np.clip(other.mask - hit.mask, 0, 1)
        return 0.5 * (hit.mask + people)

    def _face(
        self, rgb: np.ndarray, hit: PoseHit, sizes: tuple[float, ...] = (1.0, 1.6, 0.7)
    ) -> np.ndarray | None:
        """Face mesh from square crops around the head; None when no face agrees with the body."""
        p = hit.points
        ears, shoulders = (float(np.linalg.norm(p[a, :2] - p[b, :2])) for a, b in (EARS, SHOULDERS))
        half = 1.6 * ears + 0.25 * shoulders
        for grow in sizes:
            box = _square(p[PosePoint.NOSE, :2], half * grow)
            factor = 512 / (box[2] - box[0])
            crop = cv2.resize(_cut(rgb, box), (512, 512), interpolation=_way(factor))
            mesh = self._models.face(crop)
            if mesh is None:
                continue
            mesh = mesh / np.float32(factor)
            mesh[:, :2] += (box[0], box[1])
            eyes = p[[PosePoint.RIGHT_EYE, PosePoint.LEFT_EYE], :2]
            if np.linalg.norm(mesh[list(IRISES), :2] - eyes, axis=1).max() < 0.5 * half:
                return mesh
        return None

    def closer(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        hit: PoseHit,
    ) -> Detection:
        """Hands and face of a person who was found, each from one crop only; quick."""
        face = self._face(rgb, hit, (1.0,))
        left, right = self._hands(rgb, hit, [])
        points = kp.whole_body(hit.points, face, left, right)
        return Detection(points, np.full(COUNT, np.nan, np.float32), face, hit.mask, ())

    def _hands(
        self, rgb: np.ndarray, hit: PoseHit, everywhere: list[np.ndarray]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Left and right hand [21, 3], each from its own crop or one of those given."""
        sides = []
        for side in ("left", "right"):
            points = [hit.points[i] for i in of_side(side, "wrist", "index", "pinky")]
            wrist, index, pinky = (p[:2] for p in points)
            size = hand_length(hit.points)
            if points[0][2] < 0.3:
                sides.append(None)
                continue
            box = _square(0.4 * wrist + 0.3 * (index + pinky), 1.1 * size)
            found = everywhere + self._hands_in(rgb, box, 320)
            sides.append(_best_hand(found, wrist, index, pinky, size))
        return sides[0], sides[1]

    def _hands_in(self, rgb: np.ndarray, box: Box, side: int) -> list[np.ndarray]:
        factor = side / max(box[2] - box[0], box[3] - box[1])
        crop = cv2.resize(_cut(rgb, box), None, fx=factor, fy=factor, interpolation=_way(factor))
        hands = self._models.hands(crop)
        return [kp.moved(h, (-box[0] * factor, -box[1] * factor), 1 / factor) for h in hands]


def hand_length(
    points: np.ndarray,  # [33, 3] body landmarks
) -> float:
    """Wrist to finger tip, px: the most that forearms, shoulders and torso allow for."""
    p = points[:, :2]
    arms = (of_side(side, "elbow", "wrist") for side in ("left", "right"))
    forearms = [np.linalg.norm(p[elbow] - p[wrist]) for elbow, wrist in arms]
    shoulders = np.linalg.norm(p[SHOULDERS[0]] - p[SHOULDERS[1]])
    torso = np.linalg.norm(p[SHOULDERS[0]] + p[SHOULDERS[1]] - p[HIPS[0]] - p[HIPS[1]]) / 2
    return float(max(0.72 * max(forearms), 0.5 * shoulders, 0.35 * torso, 4.0))


def person_box(
    points: np.ndarray,  # [K, 3] x px, y px, score
    mask: np.ndarray,  # [H, W] soft person mask
    margin: float,  # share of the longer side
) -> Box:
    """The box around the visible points and the mask, inside the picture."""
    seen = points[points[:, 2] > 0.3, :2] if (points[:, 2] > 0.3).any() else points[:, :2]
    low, high = seen.min(0), seen.max(0)
    ys, xs = np.where(mask > 0.5)
    if len(xs):
        low = np.minimum(low, (xs.min(), ys.min()))
        high = np.maximum(high, (xs.max() + 1, ys.max() + 1))
    pad = margin * float((high - low).max())
    height, width = mask.shape
    x0, y0 = np.clip(np.floor(low - pad), 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(np.ceil(high + pad), (x0 + 2, y0 + 2), (width, height)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _best_hand(
    hands: list[np.ndarray],
    wrist: np.ndarray,
    index: np.ndarray,
    pinky: np.ndarray,
    size: float,
) -> np.ndarray | None:
    """The hand [21, 3] that agrees best with the body's wrist and knuckles, if one does."""
    best, best_error = None, 0.38
    for hand in hands:
        palm = 0.5 * (hand[HandPoint.INDEX1, :2] + hand[HandPoint.PINKY1, :2])
        root = hand[HandPoint.WRIST, :2]
        errors = (np.linalg.norm(root - wrist), np.linalg.norm(palm - 0.5 * (index + pinky)))
        error = float(sum(errors)) / (2 * size)
        reach = float(np.linalg.norm(palm - root)) / size
        if 0.1 < reach < 0.9 and error < best_error:
            best, best_error = hand[:, :3], error
    return best


def _framings(rgb: np.ndarray) -> Iterator[tuple[Box, float]]:
    """(box, factor) in the order in which a person is looked for."""
    box = _without_bars(rgb)
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(1.0, _SEARCH_SIDE / max(width, height))
    yield box, factor
    yield box, 0.64 * factor
    yield box, 0.40 * factor
    pad = int(0.25 * max(width, height))
    yield (box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad), 0.6 * factor
    side = int(0.6 * max(width, height))
    for fx, fy in ((0.5, 0.5), (0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0)):
        x0 = box[0] + int(fx * max(0, width - side))
        y0 = box[1] + int(fy * max(0, height - side))
        part = (x0, y0, min(x0 + side, box[2]), min(y0 + side, box[3]))
        yield part, min(2.0, 640 / side)


def _without_bars(rgb: np.ndarray) -> Box:
    """The picture without even black or white bars at its borders."""
    height, width = rgb.shape[:2]
    red, green, blue = cv2.split(rgb)
    high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    extreme = ((high < 12) | (low > 244)) & (high - low < 8)
    rows, columns = ~(extreme.mean(1) > 0.995), ~(extreme.mean(0) > 0.995)
    if rows.sum() < 0.3 * height or columns.sum() < 0.2 * width:
        return 0, 0, width, height
    ys, xs = np.where(rows)[0], np.where(columns)[0]
    y0, y1, x0, x1 = int(ys[0]), int(ys[-1]) + 1, int(xs[0]), int(xs[-1]) + 1
    filled = ~extreme[y0:y1, x0:x1]
    # a bar ends in a full edge; the empty part of a white studio does not
    if (y0 > 0 and filled[0].mean() < 0.6) or (y1 < height and filled[-1].mean() < 0.6):
        y0, y1 = 0, height
    if (x0 > 0 and filled[:, 0].mean() < 0.6) or (x1 < width and filled[:, -1].mean() < 0.6):
        x0, x1 = 0, width
    return x0, y0, x1, y1


def _visibility(points: np.ndarray) -> float:
    return float(points[list(CORE), 2].mean())


def _upright(points: np.ndarray) -> bool:
    """Whether shoulders lie under the nose and hips under the shoulders."""
    shoulders, hips = (points[list(pair), 1].mean() for pair in (SHOULDERS, HIPS))
    return bool(points[PosePoint.NOSE, 1] < shoulders < hips)


def _share_inside(points: np.ndarray, mask: np.ndarray) -> float:
    """Share of the visible points that lie on the mask."""
    seen = points[points[:, 2] > 0.5, :2].astype(int)
    if not len(seen):
        return 1.0
    x = np.clip(seen[:, 0], 0, mask.shape[1] - 1)
    y = np.clip(seen[:, 1], 0, mask.shape[0] - 1)
    return float(mask[y, x].mean())


def _square(center: np.ndarray, half: float) -> Box:
    x, y, half = int(center[0]), int(center[1]), max(8, int(half))
    return x - half, y - half, x + half, y + half


def _way(factor: float) -> int:
    return cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC


def _cut(rgb: np.ndarray, box: Box) -> np.ndarray:
    """A cut-out; what lies outside the picture repeats its border."""
    height, width = rgb.shape[:2]
    x0, y0 = max(0, min(box[0], width - 1)), max(0, min(box[1], height - 1))
    x1, y1 = min(width, max(box[2], x0 + 1)), min(height, max(box[3], y0 + 1))
    pads = (y0 - box[1], box[3] - y1, x0 - box[0], box[2] - x1)
    part = rgb[y0:y1, x0:x1]
    if not any(pads):
        return part
    top, bottom, left, right = (max(0, p) for p in pads)
    return cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_REPLICATE)


def _paste(mask: np.ndarray, box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """A cut-out's mask laid into an empty mask [H, W] of the whole picture."""
    whole = np.zeros(shape, np.float32)
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(shape[1], box[2]), min(shape[0], box[3])
    whole[y0:y1, x0:x1] = mask[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
    return whole
