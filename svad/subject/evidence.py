"""Observations of the body fit: targets in picture and world, with their certainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from svad.body import coco
from svad.body.coco import HIPS, SHOULDERS, HandPoint, Keypoint
from svad.body.keypoints import VERTEX_POINTS
from svad.body.skeleton import Joint
from svad.face.landmarks import MeshPoint
from svad.geometry.similarity import fit_rotation

# COCO point -> joint of the body, and COCO point -> place among the rig's key points
JOINT_OF = {point: Joint[point.name] for point in tuple(Keypoint)[coco.LIMBS]}
POINT_OF = {p: place for place, p in enumerate(VERTEX_POINTS) if p not in coco.SMALL_TOES}
# point -> place among the rig's knuckles
KNUCKLE_OF = {
    hand.start + knuckle: 2 * place + i
    for place, hand in enumerate(coco.HANDS.values())
    for i, knuckle in enumerate((HandPoint.INDEX1, HandPoint.PINKY1))
}


# trust in what a detector guesses of a hand that it does not see: 1 to 3 % of the height off on
# drawn people with their hands behind the back or in a pocket
GUESSED = 0.1
_DOUBTFUL = 0.8  # score of a wrist: 0.66 to 0.78 in pockets, 0.73 to 1 where photos show it
_AHEAD = 0.05  # metres a wrist is nearer than its shoulder that may still be in a pocket


@dataclass(frozen=True)
class Evidence:
    """One picture's measurements; lengths in the picture are shares of the body's height."""

    width: int
    height: int
    unit: float  # px, body height
    keypoints: np.ndarray  # [133, 3] x px, y px, score
    trust: np.ndarray  # [133] 0..1
    depth: np.ndarray  # [133] metres towards the camera relative to the hips; nan = unknown
    face: np.ndarray | None  # [478, 3] px
    bent: tuple[bool, bool]  # left, right leg drawn up, as of a sitting person
    covered: tuple[bool, bool]  # left, right hand behind or inside something within the picture
    outside: np.ndarray  # [H, W] float32, distance outside the matte, shares of the body height
    contour: np.ndarray  # [C, 2] px, points of the outline
    normals: np.ndarray  # [C, 2] outward

    @property
    def focal(self) -> float:
        """Pixels, of the photo camera."""
        return 2.0 * self.height


def gather(
    keypoints: np.ndarray,  # [133, 3] x px, y px, score
    depth: np.ndarray,  # [133] metres, smaller = nearer; nan = unknown
    face: np.ndarray | None,  # [478, 3]
    matte: np.ndarray,  # [H, W] uint8
) -> Evidence:
    """Turn landmarks and matte into the targets of the fit."""
    height, width = matte.shape
    x, y = keypoints[:, 0], keypoints[:, 1]
    trust = np.clip((keypoints[:, 2] - 0.3) / 0.5, 0, 1)
    slack = 0.02 * height
    inside = (x > -slack) & (x < width + slack) & (y > -slack) & (y < height + slack)
    trust = trust * np.where(inside, 1.0, 0.05)
    for side, (_, *shin) in coco.LEGS.items():  # unseen legs stand straight
        leg = (*shin, *coco.FEET[side])
        for i, point in enumerate(leg):
            at_border = point in shin and y[point] > 0.985 * height
            if at_border or not inside[point]:
                trust[list(leg[i:])] = 0
    unit = body_height(keypoints, trust)
    person = (matte > 127).astype(np.uint8)
    covered = _covered_hands(keypoints, trust, depth, person)
    for hidden, (_, *arm) in zip(covered, coco.ARMS.values(), strict=True):
        if hidden:
            trust[arm] = np.maximum(trust[arm], GUESSED)
    contour, normals = _outline(person, keypoints, face, unit)
    return Evidence(
        width=width,
        height=height,
        unit=unit,
        keypoints=keypoints.astype(np.float64),
        trust=trust,
        depth=-depth.astype(np.float64),
        face=face,
        bent=_bent_legs(keypoints, trust),
        covered=covered,
        outside=cv2.distanceTransform(1 - person, cv2.DIST_L2, 5) / np.float32(unit),
        contour=contour,
        normals=normals,
    )


def body_height(
    points: np.ndarray,  # [133, 3]
    trust: np.ndarray,  # [133]
) -> float:
    """The standing height in pixels, from whatever long bones are seen."""

    def middle(pair: tuple[int, int]) -> np.ndarray:
        return 0.5 * (points[pair[0], :2] + points[pair[1], :2])

    def length(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm(a - b))

    guesses = [length(*points[list(SHOULDERS), :2]) / 0.23]
    guesses.append(length(points[Keypoint.NOSE, :2], middle(SHOULDERS)) / 0.135)
    if trust[list(HIPS)].max() > 0.3:
        guesses.append(length(middle(SHOULDERS), middle(HIPS)) / 0.29)
    legs = [
        length(points[a, :2], points[b, :2]) + length(points[b, :2], points[c, :2])
        for a, b, c in coco.LEGS.values()
        if trust[[a, b, c]].min() > 0.3
    ]
    if legs:
        guesses.append(max(legs) / 0.475)
    return max(float(np.median(sorted(guesses)[-3:])), 16.0)


def _bent_legs(points: np.ndarray, trust: np.ndarray) -> tuple[bool, bool]:
    """Legs whose thigh is much too short in the picture: the person sits or lifts a knee."""
    torso = np.linalg.norm(points[list(SHOULDERS), :2].mean(0) - points[list(HIPS), :2].mean(0))

    def bent(hip: int, knee: int, ankle: int) -> bool:
        if trust[[hip, knee]].min() < 0.5:
            return False
        thigh = np.linalg.norm(points[hip, :2] - points[knee, :2])
        shin = np.linalg.norm(points[knee, :2] - points[ankle, :2])
        return bool(thigh < 0.55 * torso and (trust[ankle] < 0.5 or thigh < 0.7 * shin))

    return bent(*coco.LEGS["left"]), bent(*coco.LEGS["right"])


def _covered_hands(
    points: np.ndarray,  # [133, 3]
    trust: np.ndarray,  # [133]
    depth: np.ndarray,  # [133] metres, smaller = nearer; nan = unknown
    person: np.ndarray,  # [H, W] uint8
) -> tuple[bool, bool]:
    """Hands that nobody sees although they are in the picture: behind the back, in pockets.

    A detector may be half sure of a wrist in a pocket. It finds no hand there then, and the wrist
    no nearer than the shoulder; that of crossed arms lies well ahead.
    """
    height, width = person.shape

    def covered(side: str) -> bool:
        shoulder, _, wrist = coco.ARMS[side]
        x, y = points[wrist, :2].astype(int)
        inside = 0 <= x < width and 0 <= y < height
        if not (inside and person[y, x] and trust[shoulder] > 0):
            return False
        found = points[coco.HANDS[side].start, 2] >= coco.VISIBLE
        doubtful = points[wrist, 2] < _DOUBTFUL and depth[wrist] - depth[shoulder] > -_AHEAD
        return bool(trust[wrist] == 0 or (doubtful and not found))

    return covered("left"), covered("right")


def _outline(
    person: np.ndarray,  # [H, W] uint8
    points: np.ndarray,
    face: np.ndarray | None,
    unit: float,
    count: int = 220,
) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spread outline points [C, 2] and outward normals, without hair, hats and borders."""
    rings, _ = cv2.findContours(person, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    empty = np.zeros((0, 2)), np.zeros((0, 2))
    if not rings:
        return empty
    pixels = cast("np.ndarray", np.concatenate([ring[:, 0] for ring in rings]))  # [P, 2]
    height, width = person.shape
    inner = (pixels.min(1) > 2) & (pixels[:, 0] < width - 3) & (pixels[:, 1] < height - 3)
    nose = points[Keypoint.NOSE]
    chin = face[MeshPoint.CHIN, 1] if face is not None else nose[1] + 0.06 * unit
    head = np.abs(pixels[:, 0] - nose[0]) < 0.13 * unit
    pixels = pixels[inner & ~(head & (pixels[:, 1] < chin + 0.01 * unit))]
    if not len(pixels):
        return empty
    pixels = pixels[:: max(1, len(pixels) // count)]
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), max(1.0, 0.006 * unit))
    slope = [-cv2.Sobel(soft, -1, 1, 0), -cv2.Sobel(soft, -1, 0, 1)]
    normals = np.stack([s[pixels[:, 1], pixels[:, 0]] for s in slope], 1).astype(np.float64)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return pixels + 0.5, normals


def face_turn(
    face: np.ndarray,  # [478, 3] px
    rest: np.ndarray,  # [M, 3] the same face points on the rest body
    chosen: tuple[int, ...],  # M points of the face mesh
) -> np.ndarray:  # [3, 3]
    """How the head is turned in the world, from the face mesh's own depth.

    The mesh's depth runs along the camera's axis wherever the head is in the picture (checked on
    drawn heads: right to about 4 degrees without any correction for the viewing ray).
    """
    mesh = face[list(chosen)].astype(np.float64) * (1, -1, -1)
    return fit_rotation(rest, mesh)


def hidden_sides(
    points: np.ndarray,  # [133, 3] x px, y px, score
) -> tuple[bool, bool]:
    """Whether shoulders and hips are swapped left for right, as seen from behind."""
    shoulders, hips = (points[left, 0] - points[right, 0] for left, right in (SHOULDERS, HIPS))
    torso = abs(points[list(SHOULDERS), 1].mean() - points[list(HIPS), 1].mean()) + 1e-6
    return bool(shoulders < -0.25 * torso), bool(hips < -0.12 * torso)
