"""What only the front of clothes has: prints, buttons, the shirt under an open jacket."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.media.fields import masked_blur

FLANK = 0.22  # of a row's width, on either side
SEEN = 0.3  # share of a flank at a height that tells enough of it
FINE, WIDE = 0.002, 0.014  # of the body's height, over which colours are compared
GAP = 0.04  # of the body's height, between the pieces of one print
PRINT = 0.3  # of a layer, the largest area that pieces of a print may span
ALONG = 0.04  # of the body's height above and below
UNLIKE_FINE, UNLIKE_WIDE = 11.0, 7.0  # distances in Lab, lightness counted less
LEAST_FINE = 6.0  # where both flanks are alike: a cord, a zip of the cloth's colour
ALIKE, USUAL = 1.5, 0.99  # times the distance within which so many of one flank's are in the other
BADGE = 0.08  # of the body's height: what is taller goes on around it
LARGE = 0.06  # of a layer, from which on it is cut out along edges
FEWEST = 60  # px of a piece that a cut can start from
GAMMA = np.float32(2.2)  # of pictures: near enough to sRGB for ratios
SPECK = 2  # px of the halved picture: no button is that small
FEW = 8  # px of flanks at a height that tell nothing
HUE = 0.5  # saturation in linear light from which on shade and print differ
SHADE = 0.06  # of chromaticity (shares of r + g + b): deep folds of drawn cloth differ by .04
DARKEST = 1e-3  # sum of linear r, g, b under which there is no chromaticity
SOME = 0.1  # share of a neighbourhood in shade by which its mean and contrast tell nothing
MARGIN = 3  # px of the halved picture around what is found: its edge is a mixture of colours


def chest_alone(
    rgb: np.ndarray,  # [H, W, 3] float32
    mask: np.ndarray,  # [H, W] bool
    known: np.ndarray,  # [H, W] bool, what the photo shows
    body_height: float,  # px
) -> np.ndarray:  # [H, W] bool
    """What is on the chest alone: prints, zips, buttons, ties, an open jacket's shirt, a neckline.

    A pixel whose colour (its own and that of its neighbourhood) neither flank shows at about its
    height; large pieces are cut out along the edges of the photo. None of it is on the back.
    """
    small = cv2.resize(rgb.clip(0, 1), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    size = (small.shape[1], small.shape[0])
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    told = cv2.resize((mask & known).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    height = body_height / 2
    flank = _flanks(inside, told)
    alone = _without_specks(_unlike(small.astype(np.float32), inside, flank, height))
    if alone.sum() > LARGE * inside.sum():
        alone |= _cut_out(small, inside, flank, alone)
    grown = _one_piece(alone, max(2, round(GAP * height)), PRINT * inside.sum())
    grown = cv2.resize(grown.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return (grown > 0) & mask


def _without_specks(alone: np.ndarray) -> np.ndarray:  # [h, w] bool
    """What is found without single pixels, which noise leaves in deep shade."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(alone.astype(np.uint8))
    return alone & np.isin(pieces, np.flatnonzero(stats[:, cv2.CC_STAT_AREA] > SPECK))


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
    return cv2.dilate(closed, np.ones((2 * MARGIN + 1,) * 2, np.uint8)) > 0


def _flanks(
    mask: np.ndarray,  # [h, w] bool
    known: np.ndarray,  # [h, w] bool, of it what the photo shows
) -> np.ndarray:  # [h, w] bool
    """The outer parts of every row: what is known of them, or what was completed in its place."""
    flank = np.zeros(mask.shape, bool)
    for y in np.flatnonzero(mask.any(1)):
        x = np.flatnonzero(mask[y])
        n = max(1, int(FLANK * len(x)))
        for part in (x[:n], x[-n:]):
            seen = part[known[y, part]]
            flank[y, seen if len(seen) > SEEN * n else part] = True
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
    shaded = _in_shade(masked_blur(rgb, mask, max(0.5, FINE * body_height)), mask, flank, reach)
    for size, limit in ((FINE, UNLIKE_FINE), (WIDE, UNLIKE_WIDE)):
        sigma = max(0.5, size * body_height)
        field = masked_blur(lab, mask, sigma)
        if size == WIDE:  # smooth cloth and a print of its mean colour differ in contrast
            squared = masked_blur(lab[..., 0] ** 2, mask, sigma) - field[..., 0] ** 2
            contrast = np.sqrt(np.maximum(squared, 0))
            field = np.concatenate([field, contrast[..., None]], -1)
        if size == FINE:
            flank, limit = _against_each_other(field, flank, reach, BADGE * body_height)
        apart = _distances(field, mask & ~flank, flank, reach, limit) > limit
        if size == WIDE:
            shaded = masked_blur(shaded[..., None].astype(np.float32), mask, sigma)[..., 0] > SOME
        apart &= ~shaded
        # beside an edge the blurred colour is a mixture, which is nobody's
        spread = 2 * round(2 * sigma) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (spread, spread))
        unlike |= apart if size == FINE else cv2.erode(apart.astype(np.uint8), disc) > 0
    return unlike


def _against_each_other(
    field: np.ndarray,  # [h, w, 3] float32, Lab
    flank: np.ndarray,  # [h, w] bool
    reach: int,  # rows
    badge: float,  # rows
) -> tuple[np.ndarray, float]:  # [h, w] bool
    """The flanks without what is printed on one of them; how far a colour must be from them.

    A badge on one side is small, unlike a fold in the light or cloth that one side alone has. A
    colour must be as far away as noise and folds bring one flank from the other.
    """
    middle = (flank * np.arange(flank.shape[1])).sum(1) / np.maximum(flank.sum(1), 1)
    left = flank & (np.arange(flank.shape[1]) < middle[:, None])
    away = np.zeros(flank.shape)
    for one, other in ((left, flank & ~left), (flank & ~left, left)):
        away += _distances(field, one, other, reach, UNLIKE_FINE)
    found = np.minimum(away[flank], UNLIKE_FINE)
    usual = float(np.quantile(found, USUAL)) if len(found) else UNLIKE_FINE
    odd = (flank & (away > UNLIKE_FINE)).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(odd)
    small = np.flatnonzero(stats[:, cv2.CC_STAT_HEIGHT] <= badge)
    printed = (pieces > 0) & np.isin(pieces, small)
    printed = cv2.dilate(printed.astype(np.uint8), np.ones((2 * MARGIN + 1,) * 2)) > 0
    return flank & ~printed, float(np.clip(ALIKE * usual, LEAST_FINE, UNLIKE_FINE))


def _distances(
    field: np.ndarray,  # [h, w, C] float32
    asked: np.ndarray,  # [h, w] bool
    flank: np.ndarray,  # [h, w] bool
    reach: int,  # rows
    bound: float,
) -> np.ndarray:  # [h, w], 0 where nobody asks; inf = more than the bound
    """From each pixel of `asked` to what a flank has at its height."""
    away = np.zeros(asked.shape)
    for y in range(0, len(asked), reach // 2 + 1):
        rows = slice(y, y + reach // 2 + 1)
        todo = asked[rows]
        near = slice(max(0, y - reach), rows.stop + reach)
        seen = field[near][flank[near]]
        if todo.any() and len(seen) > FEW:
            away[rows][todo] = cKDTree(seen).query(field[rows][todo], distance_upper_bound=bound)[0]
    return away


def _in_shade(
    rgb: np.ndarray,  # [h, w, 3] float32
    mask: np.ndarray,  # [h, w] bool
    flank: np.ndarray,  # [h, w] bool
    reach: int,  # rows
) -> np.ndarray:  # [h, w] bool
    """Pixels that may be the flanks' cloth in the shade of a fold: its chromaticity, darker.

    Only of cloth that has a hue: of grey cloth shade and a dark print look alike.
    """
    linear = rgb.clip(0, 1) ** GAMMA
    light = linear.sum(-1, keepdims=True)
    chromaticity = linear / np.maximum(light, DARKEST)
    hue = (linear.max(-1) - linear.min(-1)) > HUE * linear.max(-1)
    lit = np.zeros(len(mask), np.float32)
    for y in np.flatnonzero(flank.any(1)):
        near = slice(max(0, y - reach), y + reach + 1)
        lit[y] = np.median(light[near][flank[near]])
    asked = mask & hue & (light[..., 0] < lit[:, None])
    return asked & ~(_distances(chromaticity, asked, flank, reach, SHADE) > SHADE)


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
