"""The face in the photo from its mesh: triangles, outline, depth and skin colour."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from svad.face.landmarks import CHEEKS, SKIN
from svad.geometry.sampling import smoothstep
from svad.geometry.zbuffer import draw
from svad.media.fields import masked_blur
from svad.relief.points import Sheet

DARKEST = 0.5  # lightness of skin over that of the lightest cheek; below are glasses or hair


@cache
def face_triangles() -> np.ndarray:  # [F, 3] int32
    """Triangles of the 468-point face mesh: the 3-cliques of its edge list."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a, b in FACEMESH_TESSELATION for c in near[a] & near[b]}
    return np.array(sorted(found), np.int32)


def face_hull(
    face: np.ndarray,  # [478, 3] px of this picture
    shape: tuple[int, ...],  # H, W
) -> np.ndarray:  # [H, W] bool
    """Pixels inside the outline of the face points."""
    mask = np.zeros(shape, np.uint8)
    hull = cv2.convexHull(face[SKIN, :2].astype(np.float32))
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), (1,))
    return mask > 0


def face_depth(
    face: np.ndarray,  # [478, 3] px of this picture
    near: np.ndarray,  # [H, W] metres, the layer's front
    mask: np.ndarray,  # [H, W] bool
    px_per_m: float,
) -> np.ndarray:  # [H, W] metres
    """Replaces the front of the face by the face mesh's own relief, feathered at its outline.

    The body's nose never sits on the photo's nose; the face mesh's does.
    """
    points = face[SKIN].copy()
    points[:, 2] = points[:, 2] / px_per_m
    offset = points[:, 2].max() + 1.0
    maps = draw(points + (0, 0, offset), face_triangles(), *near.shape)
    known = maps.covered & mask
    if known.sum() < 50:
        return near
    width = float(np.ptp(points[:, 0]))
    relief = masked_blur(np.where(known, maps.near, 0), known, 0.012 * width)
    shift = masked_blur(np.where(known, near - relief, 0), known, 0.25 * width)
    inside = cv2.distanceTransform(known.astype(np.uint8), cv2.DIST_L2, 5)
    share = smoothstep(inside / (0.14 * width))
    return np.where(known, near * (1 - share) + (relief + shift) * share, near).astype(np.float32)


def skin_colour(
    rgb: np.ndarray,  # [H, W, 3] 0..1
    face: np.ndarray,  # [478, 3] px of this picture
) -> np.ndarray:  # [3] Lab
    """Median colour of the cheeks in Lab, without the glasses or strands that lie over them."""
    cheeks = _cheeks(rgb, face)
    return np.median(cheeks[cheeks[:, 0] >= DARKEST * cheeks[:, 0].max()], 0)


def skin_colours(
    rgb: np.ndarray,  # [H, W, 3] 0..1
    face: np.ndarray,  # [478, 3] px of this picture
) -> np.ndarray:  # [3, 3] Lab
    """Median colours of both cheeks, of the right one and of the left: one may be in the shade."""
    cheeks = _cheeks(rgb, face)
    return np.stack([np.median(part, 0) for part in (cheeks, cheeks[::2], cheeks[1::2])])


def _cheeks(rgb: np.ndarray, face: np.ndarray) -> np.ndarray:  # [8, 3] Lab
    lab = cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2LAB)
    xy = np.round(face[list(CHEEKS), :2]).astype(int)
    h, w = rgb.shape[:2]
    xy[:, 0], xy[:, 1] = xy[:, 0].clip(0, w - 1), xy[:, 1].clip(0, h - 1)
    return lab[xy[:, 1], xy[:, 0]]


def face_on(sheet: Sheet, face: np.ndarray) -> np.ndarray:  # [478, 3] steps of the sheet's grid
    """The face mesh on a sheet's grid."""
    local = face * np.float32(sheet.density)
    local[:, :2] -= np.asarray(sheet.origin, np.float32) * sheet.density
    return local
