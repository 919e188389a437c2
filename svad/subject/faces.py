"""The face of a person who was found: looked for twice, and not believed on a back of a head."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from svad.face.landmarks import IRISES
from svad.subject.blazepose import EARS, HIPS, SHOULDERS, PosePoint
from svad.subject.crops import cut, square, way
from svad.subject.landmarker import Landmarker, PoseHit

SIZES = (1.0, 1.6, 0.7)  # of the crops, shares of the usual one
_SIDE = 512  # px, side of a crop
_NEAR = 0.5  # of a crop's half side, that the eyes of face and body may differ by
_NEARER = 0.3  # the same for a second look, which tries more and must not take what it likes
_BEHIND = 0.05  # metres, nose behind ears: heads seen from behind have 0.13 and more, others 0
_DARK = 90  # grey level, median of a crop below which it is lightened
_LIFT = 0.55  # gamma of a lightened crop
_TURNS = (0.0, 25.0, -25.0)  # degrees, further turns of a head that is set upright by its ears


def find_face(
    models: Landmarker,
    rgb: np.ndarray,  # [H, W, 3] uint8
    hit: PoseHit,
    sizes: tuple[float, ...] = SIZES,
) -> np.ndarray | None:  # [478, 3] x px, y px, z px
    """Face mesh from square crops around the head; None when no face agrees with the body."""
    for grow in sizes:
        mesh = _mesh_in(models, rgb, hit, grow, 0.0, _NEAR)
        if mesh is not None:
            return mesh
    return None


def second_look(
    models: Landmarker,
    rgb: np.ndarray,  # [H, W, 3] uint8
    hit: PoseHit,
) -> np.ndarray | None:  # [478, 3] x px, y px, z px
    """A face that is turned aside, bent, small or in the dark: crops set upright and lightened."""
    for turn, grow in _second_crops(hit.points):
        mesh = _mesh_in(models, rgb, hit, grow, turn, _NEARER, lighten=True)
        if mesh is not None:
            return mesh
    return None


def shows_its_back(
    hit: PoseHit,
) -> bool:
    """Whether the landmarks are those of somebody seen from behind, whatever a face mesh says."""
    points, depth = hit.points, hit.depth
    shoulders, hips = (points[left, 0] - points[right, 0] for left, right in (SHOULDERS, HIPS))
    nose = depth[PosePoint.NOSE] - depth[list(EARS)].mean()
    return bool((shoulders < 0 and hips < 0) or nose > _BEHIND)


def confirmed(
    models: Landmarker,
    rgb: np.ndarray,  # [H, W, 3] uint8
    hit: PoseHit,
) -> bool:
    """Whether a detector of small faces sees one where the eyes are; hair does not fool it.

    The face mesh fits itself to a back of a head (seen: nets, caps, parted hair); this one gave 0
    on every such head and 0.6 or more on faces.
    """
    for grow in SIZES:
        box = square(hit.points[PosePoint.NOSE, :2], _half(hit.points) * grow)
        factor = _SIDE / (box[2] - box[0])
        crop = cv2.resize(cut(rgb, box), (_SIDE, _SIDE), interpolation=way(factor))
        for eyes in models.faces(crop):
            if _agrees(eyes / factor + box[:2], hit.points, _NEAR):
                return True
    return False


def _half(points: np.ndarray) -> float:
    """Half the side of the usual crop around a head, px."""
    ears, shoulders = (np.linalg.norm(points[a, :2] - points[b, :2]) for a, b in (EARS, SHOULDERS))
    return float(1.6 * ears + 0.25 * shoulders)


def _agrees(eyes: np.ndarray, points: np.ndarray, near: float) -> bool:
    """Whether eyes [2, 2], the right one first, lie where the body has them."""
    there = points[[PosePoint.RIGHT_EYE, PosePoint.LEFT_EYE], :2]
    return bool(np.linalg.norm(eyes - there, axis=1).max() < near * _half(points))


def _second_crops(points: np.ndarray) -> Iterator[tuple[float, float]]:
    """(turn in degrees, size) of the crops of a second look."""
    right, left = (points[i, :2] for i in (PosePoint.RIGHT_EAR, PosePoint.LEFT_EAR))
    across = left - right if left[0] >= right[0] else right - left
    roll = float(np.degrees(np.arctan2(across[1], across[0]))) if across.any() else 0.0
    for turn in _TURNS:
        for size in SIZES:
            yield float(np.clip(roll, -60, 60)) + turn, size


def _mesh_in(
    models: Landmarker,
    rgb: np.ndarray,
    hit: PoseHit,
    grow: float,
    turn: float,
    near: float,
    lighten: bool = False,
) -> np.ndarray | None:
    """The mesh in one crop around the nose, turned by so many degrees to set it upright."""
    box = square(hit.points[PosePoint.NOSE, :2], _half(hit.points) * grow)
    factor = _SIDE / (box[2] - box[0])
    crop = cv2.resize(cut(rgb, box), (_SIDE, _SIDE), interpolation=way(factor))
    if lighten and np.median(crop) < _DARK:
        crop = (255 * (crop / 255.0) ** _LIFT + 0.5).astype(np.uint8)
    middle = (0.5 * _SIDE, 0.5 * _SIDE)
    matrix = cv2.getRotationMatrix2D(middle, turn, 1.0)
    if turn:
        size = (_SIDE, _SIDE)
        crop = cv2.warpAffine(crop, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mesh = models.face(crop)
    if mesh is None:
        return None
    if turn:
        back = cv2.invertAffineTransform(matrix).astype(np.float32)
        mesh[:, :2] = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    mesh = mesh / np.float32(factor)
    mesh[:, :2] += (box[0], box[1])
    return mesh if _agrees(mesh[list(IRISES), :2], hit.points, near) else None
