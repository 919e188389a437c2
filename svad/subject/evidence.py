"""Observations of the body fit: targets in picture and world, with their certainty."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.subject import keypoints as kp

# COCO point -> joint of the body, and COCO point -> place among the rig's key points
JOINT_OF = {5: 16, 6: 17, 7: 18, 8: 19, 9: 20, 10: 21, 11: 1, 12: 2, 13: 4, 14: 5, 15: 7, 16: 8}
POINT_OF = {0: 0, 2: 1, 1: 2, 4: 3, 3: 4, 17: 5, 19: 7, 20: 8, 22: 10}
KNUCKLE_OF = {91 + 5: 0, 91 + 17: 1, 112 + 5: 2, 112 + 17: 3}
STATURE = 1.66  # metres, of the mean body; sets the scale of everything


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
    for leg in ((13, 15, 17, 18, 19), (14, 16, 20, 21, 22)):  # unseen legs stand straight
        for i, point in enumerate(leg):
            at_border = point < 17 and y[point] > 0.985 * height
            if at_border or not inside[point]:
                trust[list(leg[i:])] = 0
    unit = body_height(keypoints, trust)
    person = (matte > 127).astype(np.uint8)
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
        outside=cv2.distanceTransform(1 - person, cv2.DIST_L2, 5) / np.float32(unit),
        contour=contour,
        normals=normals,
    )


def body_height(
    points: np.ndarray,  # [133, 3]
    trust: np.ndarray,  # [133]
) -> float:
    """The standing height in pixels, from whatever long bones are seen."""

    def middle(a: int, b: int) -> np.ndarray:
        return 0.5 * (points[a, :2] + points[b, :2])

    def length(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm(a - b))

    guesses = [length(points[5, :2], points[6, :2]) / 0.23]
    guesses.append(length(points[0, :2], middle(5, 6)) / 0.135)
    if trust[[11, 12]].max() > 0.3:
        guesses.append(length(middle(5, 6), middle(11, 12)) / 0.29)
    legs = [
        length(points[a, :2], points[b, :2]) + length(points[b, :2], points[c, :2])
        for a, b, c in ((11, 13, 15), (12, 14, 16))
        if trust[[a, b, c]].min() > 0.3
    ]
    if legs:
        guesses.append(max(legs) / 0.475)
    return max(float(np.median(sorted(guesses)[-3:])), 16.0)


def _bent_legs(points: np.ndarray, trust: np.ndarray) -> tuple[bool, bool]:
    """Legs whose thigh is much too short in the picture: the person sits or lifts a knee."""
    torso = np.linalg.norm(points[[5, 6], :2].mean(0) - points[[11, 12], :2].mean(0))

    def bent(hip: int, knee: int, ankle: int) -> bool:
        if trust[[hip, knee]].min() < 0.5:
            return False
        thigh = np.linalg.norm(points[hip, :2] - points[knee, :2])
        shin = np.linalg.norm(points[knee, :2] - points[ankle, :2])
        return bool(thigh < 0.55 * torso and (trust[ankle] < 0.5 or thigh < 0.7 * shin))

    return bent(11, 13, 15), bent(12, 14, 16)


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
    pixels = np.concatenate([ring[:, 0] for ring in rings])
    height, width = person.shape
    inner = (pixels.min(1) > 2) & (pixels[:, 0] < width - 3) & (pixels[:, 1] < height - 3)
    chin = face[152, 1] if face is not None else points[0, 1] + 0.06 * unit
    head = np.abs(pixels[:, 0] - points[0, 0]) < 0.13 * unit
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
    evidence: Evidence,
    rest: np.ndarray,  # [M, 3] the same face points on the rest body
    chosen: tuple[int, ...],  # M points of the face mesh
) -> np.ndarray:  # [3, 3]
    """How the head is turned in the world, from the face mesh's own depth (Kabsch 1976).

    The mesh's depth runs along the camera's axis wherever the head is in the picture (checked on
    drawn heads: right to about 4 degrees without any correction for the viewing ray).
    """
    mesh = evidence.face[list(chosen)].astype(np.float64) * (1, -1, -1)
    a = rest - rest.mean(0)
    b = mesh - mesh.mean(0)
    u, _, vt = np.linalg.svd(b.T @ a)
    return u @ np.diag((1, 1, np.linalg.det(u @ vt))) @ vt


def hidden_sides(points: np.ndarray) -> tuple[bool, bool]:
    """Whether shoulders and hips are swapped left for right, as seen from behind."""
    shoulders = points[kp.LEFT_SHOULDER, 0] - points[kp.RIGHT_SHOULDER, 0]
    hips = points[kp.LEFT_HIP, 0] - points[kp.RIGHT_HIP, 0]
    torso = abs(points[[5, 6], 1].mean() - points[[11, 12], 1].mean()) + 1e-6
    return bool(shoulders < -0.25 * torso), bool(hips < -0.12 * torso)
