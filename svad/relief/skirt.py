"""Segmentation of skirts, dresses and coats: cloth that fills the gap between the legs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.body.skeleton import ANKLES, HIPS, KNEES, Joint
from svad.relief.labels import PartMaps
from svad.relief.parts import Part

FILLED = 0.85  # share of the gap between the body's legs that cloth must fill
DROP = 0.13  # how much narrower the person is below the hem
GAP = 0.012  # of the body's height: a gap between the legs that tells something
LIGHT = 0.03  # share of the gap that shows what is behind the person, where it is open
LOW = 0.3  # of the shins: a hem below it is a long one
LOOSE = 0.7  # how much more cloth than leg long hems have; the widest trousers tried had .47
FLOOR = 0.6  # of the cloth's width that rows at the floor must have to be cloth
LEGS = 0.07  # of the body's height that legs go on above the hem, at most
ABOVE = 0.04  # of the body's height above the hip joints, where a skirt's own sheet begins
BAND = 0.05  # of the body's height on either side of the hem, in which it may lie
NOISE = 3.0  # in Lab: cloth and skin are never as even as a few pixels of them
NOTCH = 0.03  # of the body's height: a narrower gap in a hem is a fold in its shade
SKIRT = Part("skirt", (Joint.PELVIS, *HIPS, *KNEES), (), ("torso",), "skirt")


@dataclass(frozen=True)
class Skirt:
    """A skirt in the photo."""

    mask: np.ndarray  # [H, W] bool, its pixels
    top: int  # row
    hem: int  # last row
    legs_from: int  # row below which legs go on inside it: what a step lets out

    def labelled(
        self,
        labels: np.ndarray,  # [H, W] int32
        drawn: list[PartMaps],  # the skirt's is the last one
    ) -> np.ndarray:  # [H, W] int32
        """The labels with the skirt's; what was a leg's above its top is the torso's."""
        legs = [i for i, p in enumerate(drawn) if "leg" in p.part.name]
        above = np.arange(len(labels))[:, None] < self.top
        torso = next(i for i, p in enumerate(drawn) if p.part.is_torso)
        labels = np.where(above & np.isin(labels, legs), torso, labels)
        return np.where(self.mask, len(drawn) - 1, labels).astype(np.int32)


def find_skirt(
    labels: np.ndarray,  # [H, W] int32
    drawn: list[PartMaps],
    joints: np.ndarray,  # [55, 2] px
    body_height: float,  # px
    rgb: np.ndarray,  # [H, W, 3] float32
) -> Skirt | None:
    """The skirt, or the part of a dress or coat below the hips; None for trousers.

    Two signs together: from the crotch down the space between the body's legs is filled by the
    person, and below the hem the person is narrower (or, near the ankles, above it far wider than
    the legs). Trousers fail the second.
    """
    legs = [i for i, p in enumerate(drawn) if "leg" in p.part.name]
    is_leg = np.isin(labels, legs)
    crotch = int(joints[list(HIPS), 1].mean() + 0.05 * body_height)
    knees = float(joints[list(KNEES), 1].mean())
    ankles = int(min(joints[list(ANKLES), 1].mean(), labels.shape[0] - 1))
    least = int(0.035 * body_height)
    if crotch + least >= ankles:
        return None
    edges = _inner_edges(drawn, legs)
    hem = _short_hem(labels, is_leg, edges, (crotch, ankles), knees, body_height)
    if hem is None:
        body = np.any([drawn[i].maps.covered for i in legs], axis=0)
        hem = _long_hem(labels, is_leg, body, edges, (crotch, ankles), knees, body_height)
    if hem is None:
        return None
    top = int(joints[list(HIPS), 1].mean() - ABOVE * body_height)
    mask = _along_hem(is_leg, hem, rgb, body_height)
    torso = [i for i, p in enumerate(drawn) if p.part.is_torso]
    rows = np.arange(len(labels))[:, None]
    mask = (mask | (np.isin(labels, torso) & (rows <= hem))) & (rows >= top)
    legs_from = hem - int(min((hem - top) / 3, LEGS * body_height))
    return Skirt(mask, top, hem, legs_from)


def _short_hem(
    labels: np.ndarray,  # [H, W] int32
    is_leg: np.ndarray,  # [H, W] bool
    edges: tuple[np.ndarray, np.ndarray],  # [H] columns
    span: tuple[int, int],  # rows of the crotch and the ankles
    knees: float,  # row
    body_height: float,  # px
) -> int | None:
    """The last row of a hem that lies well above the ankles, where the person gets narrower."""
    crotch, ankles = span
    least = int(0.035 * body_height)
    hem = crotch
    gaps = 0
    for y in range(crotch, ankles):
        a, b = sorted((int(edges[0][y]), int(edges[1][y])))
        if b - a > GAP * body_height:
            gaps += 1
            if (labels[y, a:b] >= 0).mean() < FILLED:
                break
        hem = y
    if hem - crotch < least or gaps < least // 2 or hem >= labels.shape[0] - 2:
        return None
    width = is_leg.sum(1).astype(float)
    best = _sharpest_drop(width, crotch, hem, max(2, int(0.012 * body_height)))
    if best is None or best[1] < DROP or best[0] - crotch < least:
        return None
    return best[0] if best[0] <= knees + 0.75 * (ankles - knees) else None


def _long_hem(
    labels: np.ndarray,  # [H, W] int32
    is_leg: np.ndarray,  # [H, W] bool
    body: np.ndarray,  # [H, W] bool, the body's legs
    edges: tuple[np.ndarray, np.ndarray],  # [H] columns
    span: tuple[int, int],  # rows of the crotch and the ankles
    knees: float,  # row
    body_height: float,  # px
) -> int | None:
    """The last row of a long hem: no light between the legs, and far more cloth than leg.

    So near the ankles a narrower person below says nothing: trouser legs end there, too.
    """
    crotch, ankles = span
    light = np.zeros(len(labels), np.float32)
    for y in range(crotch, ankles):
        a, b = sorted((int(edges[0][y]), int(edges[1][y])))
        if b - a > GAP * body_height:
            light[y] = (labels[y, a:b] < 0).mean() > LIGHT
    lasting = max(3, int(0.015 * body_height))
    share = np.convolve(light, np.ones(lasting) / lasting)[lasting - 1 :]
    open_rows = np.flatnonzero((share > 0.7) & (light > 0))
    hem = int(open_rows[0]) - 1 if len(open_rows) else ankles
    if hem < knees + LOW * (ankles - knees) or hem >= len(labels) - 2:
        return None
    lower = slice((crotch + hem) // 2, hem)
    cloth, leg = is_leg[lower].sum(1), body[lower].sum(1)
    loose = cloth[leg > 0] / leg[leg > 0] - 1
    if not len(loose) or loose.mean() <= LOOSE:
        return None
    if not len(open_rows):  # down to the floor: feet are narrower than the cloth over them
        wide = is_leg.sum(1) > FLOOR * np.median(cloth)
        hem += int((~wide[hem:]).argmax()) - 1
    return hem


def _along_hem(
    is_leg: np.ndarray,  # [H, W] bool
    hem: int,  # row
    rgb: np.ndarray,  # [H, W, 3] float32
    body_height: float,  # px
) -> np.ndarray:  # [H, W] bool
    """Leg pixels above the hem, which need not be level: near it the colour decides.

    Of what is darker than both, what tells cloth from leg best is found from both (Fisher's linear
    discriminant): folds differ from their cloth as shade does, so lightness tells little there.
    """
    band = round(BAND * body_height)
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
    spread = np.cov(lab[above].T) + np.cov(lab[below].T) + NOISE**2 * np.eye(3)
    normal = np.linalg.solve(spread, cloth - leg)
    nearer = np.linalg.norm(lab - cloth, axis=-1) < np.linalg.norm(lab - leg, axis=-1)
    dark = lab[..., 0] < min(cloth[0], leg[0])
    nearer |= dark & ((lab - (cloth + leg) / 2) @ normal > 0)
    near = is_leg & (np.abs(rows - hem) <= band)
    mixed = cv2.medianBlur(np.where(near, nearer, mask).astype(np.uint8), 7)
    across = np.ones((1, 2 * round(NOTCH * body_height / 2) + 1), np.uint8)
    mixed = cv2.morphologyEx(mixed, cv2.MORPH_CLOSE, across) > 0
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
