"""What the eye objects to in pictures of an avatar: holes, crumbs, ragged outlines, striped backs.

Nothing is compared with a truth here, so that the same figures can be taken of real people.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy import ndimage

HALF = 127  # of the matte: above it a pixel is the person
SMALL = 0.01  # of the person's area: a larger gap is one between arm and trunk, or the legs
SMOOTH = 0.006  # of the person's height: spread that takes the fringe off an outline
TORSO = (0.24, 0.50)  # of the person's height from the top: below the chin, above the crotch
INSIDE = 0.02  # of the height: pixels of the torso that are nearer to the outline do not count
FINE, COARSE = 0.002, 0.02  # of the height: spreads of the band of detail
LEAST = 300  # px of the torso below which nothing is said of it


def flaws(
    views: np.ndarray,  # [S, H, W, 3] uint8, from so many even sides, front first
    mattes: np.ndarray,  # [S, H, W] uint8
    others: Sequence[np.ndarray] = (),  # [H, W] uint8 each: mattes of other poses
) -> dict[str, float]:
    """Shares and ratios by name; what cannot be told is left out.

    `pinholes`: small holes in the person, as a share of the person's area, in the worst picture.
    `crumbs`: likewise what does not hang together with the largest piece.
    `ragged`: length of the outline over that of the smoothed outline, mean of the views.
    `streaks`: how much more brightness changes down the back than across it, over the same of the
    front; `back_dull`: detail of the back over that of the front, both on the torso.
    """
    shapes = [matte > HALF for matte in (*mattes, *others)]
    out = {
        "pinholes": max(map(pinholes, shapes)),
        "crumbs": max(map(crumbs, shapes)),
        "ragged": float(np.mean([ragged(shape) for shape in shapes[: len(views)]])),
    }
    back = len(views) // 2
    front, behind = (_texture(views[i], shapes[i]) for i in (0, back))
    if front is not None and behind is not None:
        out["streaks"] = behind[0] / max(front[0], 1e-6)
        out["back_dull"] = behind[1] / max(front[1], 1e-6)
    return out


def pinholes(
    shape: np.ndarray,  # [H, W] bool
) -> float:
    """Share of the person's area that is small enclosed background."""
    area = max(int(shape.sum()), 1)
    holes = _sizes(ndimage.binary_fill_holes(shape) & ~shape, 4)
    return float(holes[holes < SMALL * area].sum() / area)


def crumbs(
    shape: np.ndarray,  # [H, W] bool
) -> float:
    """Share of the person's area outside of its largest piece (diagonal pixels touch)."""
    pieces = _sizes(shape, 8)
    return float(1 - pieces.max() / pieces.sum()) if len(pieces) else 0.0


def ragged(
    shape: np.ndarray,  # [H, W] bool
) -> float:
    """Length of the outline over that of the smoothed outline; 1 = smooth."""
    soft = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), max(SMOOTH * _height(shape), 0.3))
    smooth = _outline(soft > 0.5)
    return _outline(shape) / smooth if smooth else 1.0


def iou(
    a: np.ndarray,  # [..., H, W] uint8 mattes
    b: np.ndarray,  # [..., H, W] uint8
) -> np.ndarray:  # [...]
    """Intersection over union of silhouettes; 1 where both are empty."""
    x, y = a > HALF, b > HALF
    both, either = (x & y).sum((-2, -1)), (x | y).sum((-2, -1))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def _sizes(mask: np.ndarray, reach: int) -> np.ndarray:  # [N]
    labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=reach)[1]
    return np.bincount(labels.ravel())[1:]


def _height(shape: np.ndarray) -> int:
    rows = np.flatnonzero(shape.any(1))
    return int(np.ptp(rows)) + 1 if len(rows) else 0


def _outline(shape: np.ndarray) -> float:
    lines = cv2.findContours(shape.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    return sum(cv2.arcLength(line, True) for line in lines)


def _texture(view: np.ndarray, shape: np.ndarray) -> tuple[float, float] | None:
    """Change of brightness down over that across, and the deviation of fine detail."""
    height = _height(shape)
    if not height:
        return None
    top = int(np.flatnonzero(shape.any(1))[0])
    rows = slice(top + round(TORSO[0] * height), top + round(TORSO[1] * height))
    away = cv2.distanceTransform(shape.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deep = away[rows] > INSIDE * height
    if deep.sum() < LEAST:
        return None
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.float32)[rows]
    grey = np.where(shape[rows], grey, grey[deep].mean())
    fine = cv2.GaussianBlur(grey, (0, 0), max(FINE * height, 0.3))
    down, across = (np.abs(np.gradient(fine, axis=axis))[deep].mean() for axis in (0, 1))
    detail = fine - cv2.GaussianBlur(grey, (0, 0), COARSE * height)
    return float(down / max(across, 1e-3)), float(detail[deep].std())
