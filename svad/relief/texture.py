"""Texture synthesis on a layer: what the photo hides is made of patches of what it shows.

Wexler et al., "Space-time completion of video" (2007): coarse to fine, every unknown pixel takes
the vote of the patches around it, each matched to the most similar patch of the known part.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.compute.patches import nearest_patches, vote

RADIUS = 3  # px, of a patch
LEVELS = 4  # of the pyramid, each half the size of the one below
ROUNDS = 4  # of matching and voting on a level
SEARCH = 2  # passes of a matching
FEWEST = 60  # whole patches of the known part; with fewer the first guess stays
STRAY = 0.05  # squared colour that a match a tenth of the picture's height above or below costs
FADE = 0.25  # trust in an unknown pixel far from all known ones
REACH = 8.0  # px over which that trust falls
KNOWN, UNKNOWN = 0.6, 0.25  # share of a coarser pixel from which it counts as known, as to be made
STRIDE = 97  # between the seeds of rounds


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
    stray: float = STRAY,  # more keeps patches nearer to their height
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
        usable = whole_patches(level.known)
        if usable.sum() < FEWEST:
            continue
        guess = level.guess if now is None else cv2.resize(now, (w, h))
        picture = np.where(level.fill[..., None], guess, level.rgb).astype(np.float32)
        now, match = _filled(picture, level, usable, match, seed, stray)
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
        fill = cv2.resize(last.fill.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        guess = cv2.resize(last.guess, size, interpolation=cv2.INTER_AREA)
        fill = fill > UNKNOWN
        levels.append(_Level(colour, (share > KNOWN) & ~fill, fill, guess))
    return levels


def whole_patches(known: np.ndarray) -> np.ndarray:  # [h, w] bool
    """Centres of the patches that are known all over."""
    padded = np.pad(known, RADIUS).astype(np.uint8)
    side = 2 * RADIUS + 1
    return cv2.erode(padded, np.ones((side, side), np.uint8))[RADIUS:-RADIUS, RADIUS:-RADIUS] > 0


def _filled(
    picture: np.ndarray,  # [h, w, 3], with the guess
    level: _Level,
    usable: np.ndarray,  # [h, w] bool
    match: np.ndarray | None,  # [h', w', 2] of the coarser level
    seed: int,
    stray: float,
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
    along = stray / (0.1 * h) ** 2
    for turn in range(ROUNDS):
        nearest_patches(
            picture, trust, level.rgb, usable, places, found, cost, RADIUS, SEARCH, along,
            seed + STRIDE * turn + 1,
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
