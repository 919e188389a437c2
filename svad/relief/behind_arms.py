"""Amodal completion of trunk and legs behind arms: where their outline goes on, and whose it is."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_opening

from svad.media.fields import nearest_known
from svad.relief.labels import PartMaps

WAIST = 0.12  # of the body's height above the hip joints: above it arms hang from the trunk
CHEST = 0.22  # of it, the same for arms that cross before the trunk: above it are armpits
BELOW = 0.05  # of it, rows above and below the hands that tell how the outline goes on
EVEN = 0.008  # of it, over which the outline is evened out
NOTCH = 0.03  # of it, the longest notch between fingers that is closed
BESIDE = 3  # px beside an edge that show whether it is seen against the background


def behind_arms(
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    drawn: list[PartMaps],
    hips_y: float,  # px, height of the hip joints
    body_height: float,  # px
) -> np.ndarray:  # [H, W] int32
    """The labels without arms: a part of trunk or legs, or -1, in their place.

    Above the waist only arms that cross before the trunk are taken away. The outline keeps the
    distance from the body's own that it has where it is seen above and below them. Which part a
    hidden pixel is, the nearest one that is seen tells.
    """
    waist = max(0, round(hips_y - WAIST * body_height))
    armpits = max(0, round(hips_y - CHEST * body_height))
    before = _arms_before(labels, drawn, waist, armpits)
    low = np.flatnonzero(before.any(1))
    skirt = [i for i, p in enumerate(drawn) if p.part.kind == "skirt"]
    legs = [i for i, p in enumerate(drawn) if "leg" in p.part.name]
    cloth = [i for i, p in enumerate(drawn) if p.part.is_torso] + (skirt or legs)
    own = np.isin(labels, cloth)
    if not len(low) or not own.any():
        return labels
    top = max(0, min(waist, round(low[0] - BELOW * body_height)))
    rows = slice(top, min(len(labels), round(low[-1] + BELOW * body_height)))
    body = np.zeros(labels.shape, bool)
    for p in drawn:
        body |= p.maps.covered & (p.weight > 0.5) & ("arm" not in p.part.name)
    body[:waist] = body[waist]  # above it a raised arm draws skin out of the flank
    last = labels.shape[1] - 1
    left = _edge(labels[rows], own[rows], body[rows], body_height)
    mirrored = labels[rows, ::-1], own[rows, ::-1], body[rows, ::-1]
    right = last - _edge(*mirrored, body_height)
    columns = np.arange(last + 1)
    whole = np.zeros(labels.shape, bool)
    whole[rows] = (columns >= left[:, None]) & (columns <= right[:, None])
    found = np.where(whole, nearest_known(labels, own), -1)
    return np.where(before, found, labels).astype(np.int32)


def _arms_before(
    labels: np.ndarray,  # [H, W] int32
    drawn: list[PartMaps],
    waist: int,  # row
    armpits: int,  # row
) -> np.ndarray:  # [H, W] bool
    """Pixels of arms below the waist, and up to the armpits of those that cross the trunk."""
    out = np.isin(labels, [i for i, p in enumerate(drawn) if "arm" in p.part.name])
    out[:waist] = np.isin(labels[:waist], _crossing(drawn))
    out[:armpits] = False
    return out


def _crossing(drawn: list[PartMaps]) -> list[int]:
    """Both halves of arms whose forearm lies before the trunk, where it covers it."""
    torso = next(p for p in drawn if p.part.is_torso)
    arms = []
    for p in drawn:
        arm, lower, _ = p.part.name.partition("_arm_lower")
        both = p.maps.covered & torso.maps.covered & (torso.weight > 0.5)
        if lower and both.any() and np.median(p.maps.near[both] - torso.maps.near[both]) < 0:
            arms.append(f"{arm}_arm")
    return [i for i, p in enumerate(drawn) if p.part.name.partition("_arm")[0] + "_arm" in arms]


def _edge(
    labels: np.ndarray,  # [R, W] int32
    own: np.ndarray,  # [R, W] bool
    body: np.ndarray,  # [R, W] bool
    body_height: float,  # px
) -> np.ndarray:  # [R] columns
    """First columns of a shape that is seen in part, whole."""
    rows, width = np.arange(len(own)), own.shape[1]
    known = own.any(1)
    first = np.where(known, own.argmax(1), width).astype(np.float32)
    at = np.maximum(own.argmax(1)[:, None] - np.arange(1, BESIDE + 1), 0)
    free = known & (labels[rows[:, None], at] < 0).any(1)
    free[known.argmax()] = known.any()  # at the waist, where arms hang beside it all the way down
    covered = body.any(1)
    if not free.any() or not covered.any():
        return first
    base = np.interp(rows, rows[covered], body.argmax(1)[covered])
    apart = np.interp(rows, rows[free], (first - base)[free])
    edge = np.where(free, first, np.minimum(first, base + apart))
    whole = grey_opening(edge, max(3, round(NOTCH * body_height)))
    whole = np.minimum(whole, gaussian_filter1d(whole, EVEN * body_height))
    return np.where(free, first, whole)
