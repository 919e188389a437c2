"""Finds the person in a photo: 133 key points, face mesh and a soft mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from svad.body.coco import COUNT, HandPoint
from svad.subject import crowd, faces
from svad.subject import keypoints as kp
from svad.subject.blazepose import CORE, HIPS, SHOULDERS, PosePoint, of_side
from svad.subject.crops import Box, cut, framings, paste, person_box, square, way
from svad.subject.landmarker import Landmarker, PoseHit, shared_landmarker
from svad.subject.spots import Search, Spot

_CROP_SIDE = 768  # px, longer side of the person crop
_MIN_VISIBILITY = 0.45  # mean of nose and shoulders below which there is no person
_SURE_VISIBILITY = 0.8
_FEW = 8  # further people who are looked at one by one; the rest is counted
_COUNTS = 0.3  # of the taken person's height, from which on somebody is mentioned
_MINE = 0.4  # of a spot's reach, that it may be off the person it stands for
_HIDDEN_FACE = 0.75  # what a person whose face is hidden counts for


@dataclass(frozen=True)
class Detection:
    """The largest person in a picture: of whom most is seen from head to feet."""

    keypoints: np.ndarray  # [133, 3] x px, y px, score; COCO-WholeBody order
    depth: np.ndarray  # [133] metres relative to the hips, smaller = nearer; nan = unknown
    face: np.ndarray | None  # [478, 3] x px, y px, z px
    mask: np.ndarray  # [H, W] float32, soft person mask
    others: tuple[np.ndarray, ...]  # [H, W] bool each: further people
    count: int = 1  # people in the picture who are not much smaller, this one with them
    lean: float = 0.0  # degrees clockwise that the body is off upright in the picture
    sure: float = 1.0  # the person detector's score, 0 if it did not see this one at all


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
        search = Search(rgb, self._models.spots)
        hit = self._find(rgb, search)
        if hit is None:
            return None
        first, others, count, spot = self._choose(rgb, self._refine(rgb, hit), search)
        mask = self._soft_mask(rgb, first, others)
        face = self._face(rgb, first)
        person = person_box(first.points, first.mask, 0.10)
        left, right = self._hands(rgb, first, self._hands_in(rgb, person, _CROP_SIDE))
        return Detection(
            keypoints=kp.whole_body(first.points, face, left, right),
            depth=kp.depths(first.depth),
            face=face,
            mask=mask,
            others=tuple((h.mask > 0.5) & (mask < 0.5) for h in others),
            count=1 + count,
            lean=0.0 if spot is None else spot.lean,
            sure=0.0 if spot is None else spot.score,
        )

    def _choose(
        self, rgb: np.ndarray, first: PoseHit, search: Search
    ) -> tuple[PoseHit, list[PoseHit], int, Spot | None]:
        """Whom to take, who stands near, how many others there are, and the one's spot."""
        tall = crowd.tall(first.points, rgb.shape)
        around = search.taller(tall)
        if len(around) > 1:  # where two are there may be more, and smaller ones
            around = search.taller(0.5 * tall)
        mine = min(around, key=lambda spot: crowd.at(spot, first.points), default=None)
        hips = first.points[list(HIPS), :2].mean(0)
        spot = mine if mine is not None and mine.holds(hips) else None
        if mine is not None and crowd.at(mine, first.points) > _MINE:
            mine = None
        around = [one for one in around if one is not mine and 2 * one.reach > _COUNTS * tall]
        near = sorted(around, key=lambda spot: -spot.reach)[:_FEW]
        others = self._others(rgb, first, near)
        count = len(others) + len(around) - len(near)
        if not others:
            return first, [], count, spot
        again = None if mine is None else crowd.pose_of(self._models, rgb, mine)
        if again is not None and crowd.same(again.points, first.points):
            first = again  # a cut around this very person: the neighbour is not looked at
        people = [first, *(hit for hit, _ in others)]
        chosen = self._tallest(rgb, people)
        spot = [spot, *(one for _, one in others)][chosen]
        return people.pop(chosen), people, count, spot

    def _tallest(self, rgb: np.ndarray, people: list[PoseHit]) -> int:
        """Who shows most body, not who covers most area; a hidden face counts for less."""
        heights = [crowd.tall(one.points, rgb.shape) for one in people]
        for i in np.flatnonzero(np.array(heights) > _HIDDEN_FACE * max(heights)):
            if faces.find_face(self._models, rgb, people[i]) is None:
                heights[i] *= _HIDDEN_FACE
        return int(np.argmax(heights))

    def _others(
        self, rgb: np.ndarray, first: PoseHit, around: list[Spot]
    ) -> list[tuple[PoseHit, Spot]]:
        """The people at these spots who are real, and others than the first."""
        found: list[tuple[PoseHit, Spot]] = []
        for spot in around:
            hit = crowd.pose_of(self._models, rgb, spot)
            if hit is None or _visibility(hit.points) < _MIN_VISIBILITY:
                continue
            known = [first, *(one for one, _ in found)]
            if any(crowd.same(hit.points, one.points) for one in known):
                continue
            if self._is_person(rgb, hit, 0.7):
                found.append((hit, spot))
        return found

    def _find(self, rgb: np.ndarray, search: Search) -> PoseHit | None:
        """The best body of several framings, else of all tiles; in pixels of the picture."""
        best, best_score = None, 0.0
        for box, factor in framings(rgb):
            hit = self._pose_in(rgb, box, factor)
            if hit is None or not self._believed(rgb, hit):
                continue
            score = _visibility(hit.points) * float(np.ptp(hit.points[:, 1]))
            if score > best_score:
                best, best_score = hit, score
            if _visibility(hit.points) > _SURE_VISIBILITY:
                return hit if best is None else best
        return self._search(rgb, search) if best is None else best

    def _search(self, rgb: np.ndarray, search: Search) -> PoseHit | None:
        """The largest person in the tiles of a picture in which nobody was seen at once."""
        for _, found in search:
            largest = sorted(found, key=lambda spot: -spot.reach)[:_FEW]
            hits = [crowd.pose_of(self._models, rgb, spot) for spot in largest]
            people = [hit for hit in hits if hit is not None and self._believed(rgb, hit)]
            if people:
                return max(people, key=lambda hit: crowd.tall(hit.points, rgb.shape))
            if any(spot.lies for spot in found):
                return None  # whom the people model knows only when the picture is turned
        return None

    def _believed(self, rgb: np.ndarray, hit: PoseHit) -> bool:
        return _visibility(hit.points) >= _MIN_VISIBILITY and self._is_person(rgb, hit, 0.6)

    def _pose_in(self, rgb: np.ndarray, box: Box, factor: float) -> PoseHit | None:
        """Run the body model on a cut-out (the box may reach over the border)."""
        crop = cv2.resize(cut(rgb, box), None, fx=factor, fy=factor, interpolation=way(factor))
        hit = self._models.pose(crop)
        if hit is None:
            return None
        points = hit.points.copy()
        points[:, :2] = points[:, :2] / factor + (box[0], box[1])
        mask = cv2.resize(hit.mask, (box[2] - box[0], box[3] - box[1]))
        return PoseHit(points=points, depth=hit.depth, mask=paste(mask, box, rgb.shape[:2]))

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
        people = self._models.people(cut(rgb, box))
        if not body.any() or people[body].mean() < least:
            return False
        overlap = (body & (people > 0.5)).sum() / max(1, (body | (people > 0.5)).sum())
        return bool(overlap > (0.3 if _upright(hit.points) else 0.6))

    def _soft_mask(self, rgb: np.ndarray, hit: PoseHit, others: list[PoseHit]) -> np.ndarray:
        """The body model's mask averaged with the people mask, taken whole and in tiles."""
        box = person_box(hit.points, hit.mask, 0.10)
        crop = cut(rgb, box)
        whole = self._models.people(crop)
        tiles, count = np.zeros_like(whole), np.zeros_like(whole)
        height, width = whole.shape
        side = int(max(width, 0.5 * height))
        steps = 1 + int(np.ceil(1.5 * max(0.0, height / side - 1)))
        for top in np.linspace(0, max(0, height - side), steps):
            rows = slice(int(top), int(top) + side)
            tiles[rows] += self._models.people(crop[rows])
            count[rows] += 1
        people = paste(0.5 * whole + 0.5 * tiles / count, box, rgb.shape[:2])
        soft = 0.5 * (hit.mask + people)
        if not others:
            return soft
        share = crowd.own_share(hit, others)
        return soft * np.clip((share - 0.25) / 0.25, 0, 1)

    def _face(self, rgb: np.ndarray, hit: PoseHit) -> np.ndarray | None:
        """The face mesh, if need be at a second look; None on the back of a head."""
        behind = faces.shows_its_back(hit)
        mesh = faces.find_face(self._models, rgb, hit)
        if behind and mesh is not None and not faces.confirmed(self._models, rgb, hit):
            return None
        if mesh is None and not behind:
            mesh = faces.second_look(self._models, rgb, hit)
        return mesh

    def closer(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        hit: PoseHit,
    ) -> Detection:
        """Hands and face of a person who was found, each from one crop only; quick."""
        face = faces.find_face(self._models, rgb, hit, (1.0,))
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
            box = square(0.4 * wrist + 0.3 * (index + pinky), 1.1 * size)
            found = everywhere + self._hands_in(rgb, box, 320)
            sides.append(_best_hand(found, wrist, index, pinky, size))
        return sides[0], sides[1]

    def _hands_in(self, rgb: np.ndarray, box: Box, side: int) -> list[np.ndarray]:
        factor = side / max(box[2] - box[0], box[3] - box[1])
        crop = cv2.resize(cut(rgb, box), None, fx=factor, fy=factor, interpolation=way(factor))
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


def _visibility(points: np.ndarray) -> float:
    return float(points[list(CORE), 2].mean())


def _upright(points: np.ndarray) -> bool:
    """Whether shoulders lie under the nose and hips under the shoulders."""
    shoulders, hips = (points[list(pair), 1].mean() for pair in (SHOULDERS, HIPS))
    return bool(points[PosePoint.NOSE, 1] < shoulders < hips)
