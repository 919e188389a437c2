"""The head: depth of the face from the face mesh, and a back that has hair and no face."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from svad.body.depth import draw
from svad.media.fields import blur, masked_blur, pull_push
from svad.relief.colour import extended, feather, streaks

CHIN, FOREHEAD = 152, 10
CHEEKS = (50, 280, 101, 330, 205, 425, 117, 346)
MOUTH = (13, 14)


@cache
def face_triangles() -> np.ndarray:  # [F, 3] int32
    """Triangles of the 468-point face mesh: the 3-cliques of its edge list."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {
        tuple(sorted((a, b, c)))
        for a, b in FACEMESH_TESSELATION
        for c in near[a] & near[b]
    }
    return np.array(sorted(found), np.int32)


def face_hull(face: np.ndarray, shape: tuple[int, int]) -> np.ndarray:  # [H, W] bool
    """Pixels inside the outline of the face points [478, 3]."""
    mask = np.zeros(shape, np.uint8)
    hull = cv2.convexHull(face[:468, :2].astype(np.float32))
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
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
    points = face[:468].copy()
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
    share = np.clip(inside / (0.14 * width), 0, 1)
    share = share * share * (3 - 2 * share)
    return np.where(known, near * (1 - share) + (relief + shift) * share, near).astype(np.float32)


def skin_colour(rgb: np.ndarray, face: np.ndarray) -> np.ndarray:  # [3] Lab
    """Median colour of the cheeks in Lab."""
    lab = cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2LAB)
    xy = np.round(face[list(CHEEKS), :2]).astype(int)
    h, w = rgb.shape[:2]
    xy[:, 0], xy[:, 1] = xy[:, 0].clip(0, w - 1), xy[:, 1].clip(0, h - 1)
    return np.median(lab[xy[:, 1], xy[:, 0]], 0)


def back_of_head(
    rgb: np.ndarray,  # [H, W, 3] float32, front colours, extended
    own: np.ndarray,  # [H, W] bool, sure pixels of the layer
    head: np.ndarray,  # [H, W] bool, pixels that belong to head and neck
    face: np.ndarray,  # [478, 3]
    seed: int,
) -> np.ndarray:  # [H, W, 3] float32
    """What is seen of the head from behind: hair (or hat) closed over the face, then the neck.

    Hair that hangs beside the neck hangs behind it too.
    """
    shape = rgb.shape[:2]
    width = float(np.ptp(face[:468, 0]))
    hull = face_hull(face, shape)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(0.07 * width) + 1,) * 2)
    grown = cv2.dilate(hull.astype(np.uint8), kernel) > 0
    rows = np.arange(shape[0])[:, None] * np.ones(shape, np.float32)
    chin, brow = face[CHIN, 1], face[:468, 1].min()
    hair = hair_pixels(rgb, own & head & ~grown, face, rows)
    high = hair & (rows < chin)
    low = hair & (rows >= chin)
    if high.sum() < 10:  # no hair in sight: the forehead's colour goes all around
        x, y = np.round(face[FOREHEAD, :2]).astype(int)
        high = np.zeros(shape, bool)
        high[max(0, y - 2) : y + 3, max(0, x - 3) : x + 4] = True
    long = low.sum() > 0.12 * hull.sum()
    cover = pull_push(rgb, (high | low if long else high).astype(np.float32))
    detail = rgb[high] - masked_blur(rgb, high, 0.05 * width)[high]
    strength = float(np.clip(detail.std(), 0.012, 0.05))
    strength *= float(np.clip(cover[hull].mean() / 0.3, 0.25, 1)) if hull.any() else 1
    cover = cover + (strength * streaks(shape, seed, 0.10 * width, 0.012 * width))[..., None]
    if long:
        filled = cover
        swap = head & ~hair
    else:  # hair ends about at the mouth's height, softly, and the neck follows
        bare = head & own & (rows > chin + 0.04 * width) & ~grown
        nape = extended(rgb, bare) if bare.sum() > 20 else cover
        mouth = float(face[list(MOUTH), 1].mean())
        t = np.clip((rows - mouth) / max(1.0, 0.5 * (chin - mouth)), 0, 1)[..., None]
        filled = cover * (1 - t) + nape * t
        ears = head & ~hair & ((rows > brow + 0.75 * (chin - brow)) | ~_beside(face, rows, width))
        swap = (grown | ears) & head
    share = blur(swap.astype(np.float32), 0.02 * width)
    share = np.clip(np.where(swap, 2 * share, 1.5 * share - 0.25), 0, 1)[..., None]
    return np.clip(np.where(head[..., None], rgb * (1 - share) + filled * share, rgb), 0, 1)


def _beside(face: np.ndarray, rows: np.ndarray, width: float) -> np.ndarray:  # [H, W] bool
    """Where an ear may be seen from behind, too, when the hair is short."""
    columns = np.arange(rows.shape[1])[None] * np.ones_like(rows)
    x0, x1 = face[:468, 0].min(), face[:468, 0].max()
    return (columns < x0 - 0.02 * width) | (columns > x1 + 0.02 * width)


def hair_pixels(
    rgb: np.ndarray,  # [H, W, 3] float32
    where: np.ndarray,  # [H, W] bool, sure pixels of the head outside the face
    face: np.ndarray,  # [478, 3]
    rows: np.ndarray,  # [H, W]
) -> np.ndarray:  # [H, W] bool
    """Pixels whose colour is nearer to the hair (or hat) than to the skin.

    Hair is what lies above the forehead and what lies beside the eyes.
    """
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 1.0), cv2.COLOR_RGB2LAB)
    skin = np.linalg.norm((lab - skin_colour(rgb, face)) * (0.6, 1, 1), axis=-1)
    brow, eyes = face[:468, 1].min(), face[[33, 263], 1].mean()
    top = where & (rows < brow) & (skin > 14)
    if top.sum() < 0.1 * (where & (rows < brow)).sum():  # bald: the scalp is what there is
        top = where & (rows < brow)
    sides = where & (np.abs(rows - (eyes + brow) / 2) < 0.5 * (eyes - brow)) & (skin > 12)
    likes = []
    for region in (top, sides):
        if region.sum() > 20:
            centre = np.median(lab[region], 0)
            likes.append(np.linalg.norm((lab - centre) * (0.6, 1, 1), axis=-1))
    if not likes:
        return where & (skin > 16)
    hair = np.min(likes, 0)
    return where & ((hair < skin) | top) & (hair < 45)
