"""Texture synthesis on a layer: what the photo hides is made of patches of what it shows.

Wexler et al., "Space-time completion of video" (2007): coarse to fine, every unknown pixel takes
the vote of the patches around it, each matched to the most similar patch of the known part.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.compute.patches import nearest_patches, vote
from svad.media.fields import masked_blur

RADIUS = 3  # px, of a patch
LEVELS = 4  # of the pyramid, each half the size of the one below
ROUNDS = 4  # of matching and voting on a level
SEARCH = 2  # passes of a matching
FEWEST = 60  # whole patches of the known part; with fewer the first guess stays
STRAY = 0.05  # squared colour that a match a tenth of the picture's height above or below costs
FADE = 0.25  # trust in an unknown pixel far from all known ones
REACH = 8.0  # px over which that trust falls
FLANK = 0.22  # of a row's width, on either side
FINE, WIDE = 0.002, 0.014  # of the body's height, over which colours are compared
GAP = 0.04  # of the body's height, between the pieces of one print
PRINT = 0.3  # of a layer, the largest area that pieces of a print may span
ALONG = 0.04  # of the body's height above and below
UNLIKE_FINE, UNLIKE_WIDE = 11.0, 7.0  # distances in Lab, lightness counted less
LARGE = 0.06  # of a layer, from which on it is cut out along edges


@dataclass(frozen=True)
class _Level:
    """One size of the picture."""

    rgb: np.ndarray  # [h, w, 3] float32, known pixels only are true
    known: np.ndarray  # [h, w] bool
    fill: np.ndarray  # [h, w] bool
    guess: np.ndarray  # [h, w, 3] float32


def synthesised(
    rgb: np.ndarray,  # [H, W, 3] float32; the first guess where `fill` is set
    known: np.ndarray,  # [H, W] bool, what patches are taken from
    fill: np.ndarray,  # [H, W] bool, what is made; may overlap `known`
    seed: int,
) -> np.ndarray:  # [H, W, 3] float32
    """The picture with its unknown part made of patches of the known one.

    Patches come from about the same height, so that hems, belts and stripes go on. The first guess
    stays where too little is known to take patches from.
    """
    fill = fill.astype(bool)
    if not fill.any():
        return rgb
    source = known & ~fill
    levels = _pyramid(_Level(rgb, source, fill, rgb))
    now: np.ndarray | None = None
    match: np.ndarray | None = None
    for level in reversed(levels):
        h, w = level.known.shape
        usable = _whole(level.known)
        if usable.sum() < FEWEST:
            continue
        guess = level.guess if now is None else cv2.resize(now, (w, h))
        picture = np.where(level.fill[..., None], guess, level.rgb).astype(np.float32)
        now, match = _filled(picture, level, usable, match, seed)
    if now is None or now.shape != rgb.shape:
        return rgb
    return np.where(fill[..., None], now, rgb)


def _pyramid(finest: _Level) -> list[_Level]:
    """The finest first."""
    levels = [finest]
    while len(levels) < LEVELS and min(levels[-1].known.shape) >= 8 * RADIUS:
        last = levels[-1]
        h, w = last.known.shape
        size = ((w + 1) // 2, (h + 1) // 2)
        share = cv2.resize(last.known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        mixed = last.rgb * last.known[..., None]
        colour = cv2.resize(mixed, size, interpolation=cv2.INTER_AREA)
        colour = colour / np.maximum(share, 1e-3)[..., None]
        fill = cv2.resize(last.fill.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.25
        guess = cv2.resize(last.guess, size, interpolation=cv2.INTER_AREA)
        levels.append(_Level(colour, (share > 0.6) & ~fill, fill, guess))
    return levels


def _whole(known: np.ndarray) -> np.ndarray:  # [h, w] bool
    """Centres of patches that are known all over."""
    padded = np.pad(known, RADIUS).astype(np.uint8)
    side = 2 * RADIUS + 1
    return cv2.erode(padded, np.ones((side, side), np.uint8))[RADIUS:-RADIUS, RADIUS:-RADIUS] > 0


def _filled(
    picture: np.ndarray,  # [h, w, 3], with the guess
    level: _Level,
    usable: np.ndarray,  # [h, w] bool
    match: np.ndarray | None,  # [h', w', 2] of the coarser level
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:  # [h, w, 3], [h, w, 2]
    h, w = usable.shape
    side = 2 * RADIUS + 1
    touched = cv2.dilate(level.fill.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    touched &= level.fill | level.known
    places = np.argwhere(touched).astype(np.int32)
    distance = cv2.distanceTransform((~level.known).astype(np.uint8), cv2.DIST_L2, 5)
    trust = np.where(level.known, 1.0, FADE + (1 - FADE) * np.exp(-distance / REACH))
    trust = np.where(level.fill | level.known, trust, 0).astype(np.float32)
    found = np.full((h, w, 2), -1, np.int32)
    found[places[:, 0], places[:, 1]] = _start(places, usable, match, seed)
    cost = np.full((h, w), np.inf, np.float32)
    along = STRAY / (0.1 * h) ** 2
    for turn in range(ROUNDS):
        nearest_patches(
            picture, trust, level.rgb, usable, places, found, cost, RADIUS, SEARCH, along,
            seed + 97 * turn + 1,
        )  # fmt: skip
        out = np.zeros((h, w, 4), np.float32)
        vote(level.rgb, places, found, cost, trust, RADIUS, out)
        made = out[..., :3] / np.maximum(out[..., 3:], 1e-12)
        picture = np.where((level.fill & (out[..., 3] > 0))[..., None], made, picture)
        picture = picture.astype(np.float32)
    return picture, found


def _start(
    places: np.ndarray,  # [P, 2]
    usable: np.ndarray,  # [h, w] bool
    match: np.ndarray | None,
    seed: int,
) -> np.ndarray:  # [P, 2] int32
    """The coarser level's matches; where these are not usable, places of the same height."""
    h, w = usable.shape
    centres = np.argwhere(usable)
    rows = np.searchsorted(centres[:, 0], places[:, 0])
    jitter = np.random.default_rng(seed).integers(-w, w + 1, len(places))
    start = centres[np.clip(rows + jitter, 0, len(centres) - 1)]
    if match is None:
        return start.astype(np.int32)
    rows, columns = np.minimum(places.T // 2, np.array(match.shape[:2])[:, None] - 1)
    coarse = 2 * match[rows, columns] + places % 2
    ok = (match[rows, columns, 0] >= 0) & (coarse[:, 0] < h) & (coarse[:, 1] < w)
    y, x = coarse.T.clip(0, [[h - 1], [w - 1]])
    return np.where((ok & usable[y, x])[:, None], coarse, start).astype(np.int32)


def chest_alone(
    rgb: np.ndarray,  # [H, W, 3] float32
    mask: np.ndarray,  # [H, W] bool
    body_height: float,  # px
) -> np.ndarray:  # [H, W] bool
    """What is on the chest alone: prints, zips, buttons, ties, an open jacket's shirt, a neckline.

    A pixel whose colour (its own and that of its neighbourhood) neither flank shows at about its
    height; large pieces are cut out along the edges of the photo. None of it is on the back.
    """
    small = cv2.resize(rgb.clip(0, 1), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    size = (small.shape[1], small.shape[0])
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    height = body_height / 2
    flank = _flanks(inside)
    alone = _unlike(small.astype(np.float32), inside, flank, height)
    if alone.sum() > LARGE * inside.sum():
        alone |= _cut_out(small, inside, flank, alone)
    grown = _one_piece(alone, max(2, round(GAP * height)), PRINT * inside.sum())
    grown = cv2.resize(grown.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return (grown > 0) & mask


def _one_piece(
    alone: np.ndarray,  # [h, w] bool
    gap: int,  # px
    most: float,  # px, area up to which what lies between is taken
) -> np.ndarray:  # [h, w] bool
    """Pieces near each other are one print; what lies between them is part of it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * gap + 1, 2 * gap + 1))
    out = alone.astype(np.uint8)
    count, cluster = cv2.connectedComponents(cv2.dilate(out, disc))
    for k in range(1, count):
        mine = alone & (cluster == k)
        hull = cv2.convexHull(np.argwhere(mine)[:, ::-1].astype(np.int32))
        if cv2.contourArea(hull) < most:
            cv2.fillConvexPoly(out, hull, (1,))
    closed = cv2.morphologyEx(out, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return cv2.dilate(closed, np.ones((7, 7), np.uint8)) > 0


def _flanks(mask: np.ndarray) -> np.ndarray:  # [h, w] bool
    """The outer parts of every row."""
    flank = np.zeros(mask.shape, bool)
    for y in np.flatnonzero(mask.any(1)):
        x = np.flatnonzero(mask[y])
        n = max(1, int(FLANK * len(x)))
        flank[y, x[:n]] = flank[y, x[-n:]] = True
    return flank


def _unlike(
    rgb: np.ndarray,  # [h, w, 3] float32
    mask: np.ndarray,  # [h, w] bool
    flank: np.ndarray,  # [h, w] bool
    body_height: float,  # px
) -> np.ndarray:  # [h, w] bool
    """Pixels whose colour no flank has at about their height."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB) * np.array([0.6, 1, 1], np.float32)
    reach = max(2, round(ALONG * body_height))
    unlike = np.zeros(mask.shape, bool)
    for size, limit in ((FINE, UNLIKE_FINE), (WIDE, UNLIKE_WIDE)):
        sigma = max(0.5, size * body_height)
        field = masked_blur(lab, mask, sigma)
        if size == WIDE:  # smooth cloth and a print of its mean colour differ in contrast
            squared = masked_blur(lab[..., 0] ** 2, mask, sigma) - field[..., 0] ** 2
            contrast = np.sqrt(np.maximum(squared, 0))
            field = np.concatenate([field, contrast[..., None]], -1)
        apart = np.zeros(mask.shape, bool)
        for y in range(0, len(mask), reach // 2 + 1):
            rows = slice(y, y + reach // 2 + 1)
            todo = mask[rows] & ~flank[rows]
            near = slice(max(0, y - reach), rows.stop + reach)
            seen = field[near][flank[near]]
            if todo.any() and len(seen) > 8:
                nearest, _ = cKDTree(seen).query(field[rows][todo], distance_upper_bound=limit)
                apart[rows][todo] = ~np.isfinite(nearest)
        # beside an edge the blurred colour is a mixture, which is nobody's
        spread = 2 * round(2 * sigma) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (spread, spread))
        unlike |= apart if size == FINE else cv2.erode(apart.astype(np.uint8), disc) > 0
    return unlike


def _cut_out(
    rgb: np.ndarray,  # [h, w, 3] float32
    mask: np.ndarray,  # [h, w] bool
    flank: np.ndarray,  # [h, w] bool
    alone: np.ndarray,  # [h, w] bool
) -> np.ndarray:  # [h, w] bool
    """Carries a shirt under an open jacket to its edge (Rother et al., "GrabCut", 2004)."""
    core = cv2.erode(alone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if core.sum() < FEWEST:
        return alone
    plan = np.full(mask.shape, cv2.GC_PR_BGD, np.uint8)
    plan[~mask] = cv2.GC_BGD
    plan[flank] = cv2.GC_BGD
    plan[alone] = cv2.GC_PR_FGD
    plan[core] = cv2.GC_FGD
    picture = (255 * np.where(mask[..., None], rgb, 0)).astype(np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(picture, plan, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK)
    return mask & ((plan == cv2.GC_FGD) | (plan == cv2.GC_PR_FGD))
