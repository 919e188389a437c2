"""Which part of the person the picture leaves out: the head, or all but the legs."""

from __future__ import annotations

import numpy as np

from svad.body import coco
from svad.body.coco import Keypoint

_TOUCHED = 0.35  # of a shoulder's width: so wide is a person who is cut off at the upper border
_CLOSE = 0.10  # of a torso, from a nose that is really seen to the upper border
_PEOPLE = 0.04  # of the picture, that a part of somebody covers at least
_CUT = 0.05  # of the picture's width, along which that part must touch the upper border
_BAND = (0.15, 0.5)  # of the part's height: here legs stand apart, and a trunk has a middle
_APART = 0.4  # share of the rows of that band with nothing in the middle: legs


def head_is_cut_off(
    points: np.ndarray,  # [133, 3] x px, y px, score
    mask: np.ndarray,  # [H, W] float32, soft person mask
) -> bool:
    """Whether somebody without a face goes on above the upper border of the picture.

    The landmarks alone do not tell: the body model squeezes a head into the picture.
    """
    shoulders = np.linalg.norm(points[coco.SHOULDERS[0], :2] - points[coco.SHOULDERS[1], :2])
    middle, hips = (points[list(pair), :2].mean(0) for pair in (coco.SHOULDERS, coco.HIPS))
    torso = max(float(np.linalg.norm(middle - hips)), 1.0)
    if points[Keypoint.NOSE, 1] < 0:
        return True
    touched = float((mask[:3] > 0.5).any(0).sum())
    if touched < _TOUCHED * max(float(shoulders), 0.5 * torso):
        return False
    neck = middle[1] - points[Keypoint.NOSE, 1]
    squeezed = not 0.15 * torso < neck < 0.8 * torso or hips[1] <= middle[1]
    return bool(squeezed or points[Keypoint.NOSE, 1] < _CLOSE * torso + 0.03 * mask.shape[0])


def cut_part(
    people: np.ndarray,  # [H, W] float32, soft mask of all people
) -> np.ndarray | None:  # [H, W] bool
    """What is seen of somebody who goes on above the upper border, or None."""
    solid = people > 0.5
    if solid.mean() < _PEOPLE or solid[:3].any(0).mean() < _CUT:
        return None
    return solid


def only_legs(
    part: np.ndarray,  # [H, W] bool, a person cut off above
) -> bool:
    """Whether that part is two legs: nothing in the middle soon below the border."""
    rows = np.flatnonzero(part.any(1))
    tall = rows[-1] - rows[0]
    band = part[rows[0] + int(_BAND[0] * tall) : rows[0] + int(_BAND[1] * tall)]
    band = band[band.any(1)]
    if not len(band):
        return False
    left, right = band.argmax(1), band.shape[1] - 1 - band[:, ::-1].argmax(1)
    return bool((~band[np.arange(len(band)), (left + right) // 2]).mean() > _APART)
