"""Amodal completion of trunk and legs behind arms: where their outline goes on, and whose it is."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_opening

from svad.media.fields import nearest_known
from svad.relief.labels import PartMaps

WAIST = 0.12  # of the body's height above the hip joints: above it arms hang from the trunk
CHEST = 0.22  # of it, the same for arms that cross before the trunk: above it are armpits
ACROSS = 0.2  # of a forearm in the picture, that lies before the chest if it crosses it
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
    skirt = [i for i, p in enumerate(drawn) if p.part.kind == "skirt"]
    legs = [i for i, p in enumerate(drawn) if "leg" in p.part.name]
    cloth = [i for i, p in enumerate(drawn) if p.part.is_torso] + (skirt or legs)
    own = np.isin(labels, cloth)
    if not before.any() or not own.any():
        return labels
    body = np.zeros(labels.shape, bool)
    for p in drawn:
        body |= p.maps.covered & (p.weight > 0.5) & ("arm" not in p.part.name)
    body[:waist] = body[waist]  # above it a raised arm draws skin out of the flank
    columns = np.arange(labels.shape[1])
    middle = round(float(np.flatnonzero(own.any(0))[[0, -1]].mean()))
    whole = np.ones(own.shape, bool)
    for half, turn in ((columns < middle, 1), (columns >= middle, -1)):
        rows = _rows(before & half, before, waist, body_height)
        edge = np.full(len(labels), -np.inf)  # elsewhere no arm lies over this side
        turned = labels[rows, ::turn], own[rows, ::turn], body[rows, ::turn]
        edge[rows] = _edge(*turned, body_height)
        whole &= columns[::turn] >= edge[:, None]
    found = np.where(whole, nearest_known(labels, own), -1)
    return np.where(before, found, labels).astype(np.int32)


def _rows(
    side: np.ndarray,  # [H, W] bool, arms over the left or right half of the trunk
    both: np.ndarray,  # [H, W] bool
    waist: int,  # row
    body_height: float,  # px
) -> slice:
    """The rows that tell one side's outline: from the waist, or from above an arm that crosses."""
    above, low = np.flatnonzero(side[:waist].any(1)), np.flatnonzero(both.any(1))
    margin = BELOW * body_height
    top = max(0, round(above[0] - margin)) if len(above) else waist
    return slice(top, min(len(side), round(low[-1] + margin)))


def _arms_before(
    labels: np.ndarray,  # [H, W] int32
    drawn: list[PartMaps],
    waist: int,  # row
    armpits: int,  # row
) -> np.ndarray:  # [H, W] bool
    """Pixels of arms below the waist, and up to the armpits of those that cross the trunk."""
    out = np.isin(labels, [i for i, p in enumerate(drawn) if "arm" in p.part.name])
    out[:waist] = False
    chest = slice(armpits, waist)
    torso = next(p for p in drawn if p.part.is_torso)
    trunk = torso.maps.covered & (torso.weight > 0.5)
    if armpits < waist and trunk.any():
        middle = float(np.median(torso.maps.near[trunk] + torso.maps.far[trunk])) / 2
        for i in _crossing(drawn, chest):
            maps = drawn[i].maps
            near = nearest_known(maps.near[chest], maps.covered[chest])
            out[chest] |= (labels[chest] == i) & (near < middle)
    return out


def _crossing(drawn: list[PartMaps], chest: slice) -> list[int]:
    """Both halves of arms whose forearm lies before the chest."""
    torso = next(p for p in drawn if p.part.is_torso)
    arms = []
    for p in drawn:
        arm, lower, _ = p.part.name.partition("_arm_lower")
        ahead = (torso.weight > 0.5) & torso.maps.covered & (p.maps.near < torso.maps.near)
        if lower and ahead[chest].sum() > ACROSS * p.maps.covered.sum():
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
