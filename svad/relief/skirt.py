"""Segmentation of skirts and dresses: cloth that fills the gap between the legs and has a hem."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.body.skeleton import ANKLES, HIPS, KNEES, Joint
from svad.relief.labels import PartMaps
from svad.relief.parts import Part

FILLED = 0.85  # share of the gap between the body's legs that cloth must fill
DROP = 0.13  # how much narrower the person is below the hem
SKIRT = Part("skirt", (Joint.PELVIS, *HIPS, *KNEES), (), ("torso",), "skirt")


@dataclass(frozen=True)
class Skirt:
    """A skirt in the photo."""

    mask: np.ndarray  # [H, W] bool, its pixels
    top: int  # row
    hem: int  # last row


def find_skirt(
    labels: np.ndarray,  # [H, W] int32
    drawn: list[PartMaps],
    joints: np.ndarray,  # [55, 2] px
    body_height: float,  # px
    rgb: np.ndarray,  # [H, W, 3] float32
) -> Skirt | None:
    """The skirt, or None for trousers and coats.

    Two signs together: from the crotch down the space between the body's legs is filled by the
    person, and below the hem the person is narrower. Trousers fail the second, coats mostly too.
    """
    legs = [i for i, p in enumerate(drawn) if "leg" in p.part.name]
    is_leg = np.isin(labels, legs)
    crotch = int(joints[list(HIPS), 1].mean() + 0.05 * body_height)
    knees = float(joints[list(KNEES), 1].mean())
    ankles = int(min(joints[list(ANKLES), 1].mean(), labels.shape[0] - 1))
    least = int(0.035 * body_height)
    if crotch + least >= ankles:
        return None
    left, right = _inner_edges(drawn, legs)
    hem = crotch
    gaps = 0
    for y in range(crotch, ankles):
        a, b = sorted((int(left[y]), int(right[y])))
        if b - a > 0.012 * body_height:
            gaps += 1
            if (labels[y, a:b] >= 0).mean() < FILLED:
                break
        hem = y
    if hem - crotch < least or gaps < least // 2 or hem >= labels.shape[0] - 2:
        return None
    width = is_leg.sum(1).astype(float)
    step = max(2, int(0.012 * body_height))
    best = _sharpest_drop(width, crotch, hem, step)
    if best is None or best[1] < DROP:
        return None
    hem = best[0]
    if hem - crotch < least:
        return None
    if hem > knees + 0.75 * (ankles - knees):
        return None
    top = int(np.flatnonzero(is_leg.any(1))[0])
    mask = _along_hem(is_leg, hem, rgb, round(0.05 * body_height))
    return Skirt(mask, top, hem)


def _along_hem(is_leg: np.ndarray, hem: int, rgb: np.ndarray, band: int) -> np.ndarray:
    """Leg pixels above the hem, which need not be level: near it the colour decides."""
    rows = np.arange(len(is_leg))[:, None]
    mask = is_leg & (rows <= hem)
    above = is_leg & (rows > hem - 3 * band) & (rows < hem - band)
    below = is_leg & (rows > hem + band) & (rows < hem + 3 * band)
    if above.sum() < 50 or below.sum() < 50:
        return mask
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 1.2), cv2.COLOR_RGB2LAB)
    cloth, leg = np.median(lab[above], 0), np.median(lab[below], 0)
    if np.linalg.norm(cloth - leg) < 12:
        return mask
    nearer = np.linalg.norm(lab - cloth, axis=-1) < np.linalg.norm(lab - leg, axis=-1)
    near = is_leg & (np.abs(rows - hem) <= band)
    mixed = np.where(near, nearer, mask).astype(np.uint8)
    mixed = cv2.medianBlur(mixed, 7) > 0
    count, pieces = cv2.connectedComponents((mixed & is_leg).astype(np.uint8), connectivity=4)
    solid = np.unique(pieces[mask & (rows < hem - band)])
    return mixed & is_leg & np.isin(pieces, solid[solid > 0]) if count > 1 else mask


def _inner_edges(drawn: list[PartMaps], legs: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Per row, the column where the left and the right leg of the body face each other."""
    sides = []
    for side in ("left", "right"):
        cover = np.any(
            [drawn[i].maps.covered for i in legs if drawn[i].part.name.startswith(side)], axis=0
        )
        sides.append(cover)
    columns = np.arange(sides[0].shape[1])
    middle = [np.where(s.any(1), (s * columns).sum(1) / np.maximum(s.sum(1), 1), 0) for s in sides]
    out = []
    for s, mine, other in ((sides[0], *middle), (sides[1], middle[1], middle[0])):
        last = s.shape[1] - 1 - np.argmax(s[:, ::-1], 1)
        first = np.argmax(s, 1)
        out.append(np.where(mine > other, first, last))
    return out[0], out[1]


def _sharpest_drop(width: np.ndarray, start: int, stop: int, step: int) -> tuple[int, float] | None:
    """Row after which the width falls most, and by which share."""
    rows = np.arange(start, min(stop + step, len(width) - 2 * step - 1))
    if not len(rows):
        return None
    above = np.array([width[max(0, y - step) : y + 1].mean() for y in rows])
    below = np.array([width[y + step : y + 2 * step].mean() for y in rows])
    drop = 1 - below / np.maximum(above, 1)
    k = int(drop.argmax())
    return int(rows[k] + step // 2), float(drop[k])
