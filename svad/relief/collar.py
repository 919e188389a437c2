"""Collars and hoods: the photo shows them left and right of a neck, behind it they go on."""

from __future__ import annotations

import cv2
import numpy as np

from svad.media.fields import blur
from svad.relief.colour import across
from svad.relief.texture import synthesised

RIM = 4  # px beside what the photo shows, where a collar that goes around ends
FOOT = 4  # px below the head's share of a neck, so that no throat shows between
MOST = 0.4  # share of the rows from there on that must be bounded so
MIXED = 3  # px beside a collar's edge that show a mixture with the throat, and its shade
DARK = 0.7  # of the collar's median brightness, below which it is its inside
USUAL, ODD = 0.8, 2.5  # what so much of a collar is unlike its median, and times that is no cloth
HALF = 0.5  # share of cloth behind from which it is made of the collar's


def cloth_behind(
    cloth: np.ndarray,  # [h, w] bool
    own: np.ndarray,  # [h, w] bool
    low: np.ndarray,  # [h, w] bool, below the mouth
) -> np.ndarray:  # [h, w] 0..1
    """A collar or hood that bounds the person left and right goes on behind the neck.

    Below where it begins to, there is nothing but cloth behind.
    """
    rows = np.flatnonzero(own.any(1))
    bounded = np.array([_bounds(cloth[y], own[y], low[y]) for y in rows], bool)
    begins = np.flatnonzero(bounded)
    out = _at_rim(cloth, own)
    if len(begins) and bounded[begins[0] :].mean() > MOST:
        below = own & (np.arange(len(own))[:, None] >= rows[begins[0]])
        for step in range(FOOT + 1):  # down into the trunk's own cloth
            out[step:] |= below[: len(below) - step]
    return np.clip(blur(out.astype(np.float32), 1.5), 0, 1)


def _bounds(
    cloth: np.ndarray,  # [w] bool
    own: np.ndarray,  # [w] bool, some
    low: np.ndarray,  # [w] bool
) -> bool:
    """Whether a row below the mouth has cloth at both ends."""
    x = np.flatnonzero(own)
    rim = max(3, len(x) // 14)
    return bool(low[x].mean() > 0.5 and cloth[x[:rim]].any() and cloth[x[-rim:]].any())


def going_behind(
    rgb: np.ndarray,  # [h, w, 3] float32
    cloth: np.ndarray,  # [h, w] bool, pixels that show a collar alone
    own: np.ndarray,  # [h, w] bool, pixels that show the head and what is around it
    behind: np.ndarray,  # [h, w] 0..1, from `cloth_behind`
    seed: int,
) -> np.ndarray:  # [h, w, 3] float32
    """The picture with a collar's cloth wherever it goes on behind, in place of throat and chin."""
    around = _at_rim(cloth, own)
    known = cv2.erode(around.astype(np.uint8), np.ones((2 * MIXED + 1,) * 2, np.uint8)) > 0
    if not known.any():
        return rgb
    light = rgb.mean(-1)
    known &= light > DARK * np.median(light[known])
    unlike = np.linalg.norm(rgb - np.median(rgb[known], 0), axis=-1)
    known &= unlike <= ODD * np.quantile(unlike[known], USUAL)  # a mark in front is not behind
    made = (behind > HALF) & ~known
    guess = np.where(made[..., None], across(rgb, known), rgb)
    return synthesised(guess, known, made, seed)


def _at_rim(
    cloth: np.ndarray,  # [h, w] bool
    own: np.ndarray,  # [h, w] bool
) -> np.ndarray:  # [h, w] bool
    """The pieces that end where the person does: a shade under the chin is no collar."""
    inner = cv2.erode(own.astype(np.uint8), np.ones((2 * RIM + 1,) * 2, np.uint8)) > 0
    _, pieces = cv2.connectedComponents(cloth.astype(np.uint8), connectivity=4)
    ends = np.unique(pieces[cloth & ~inner])
    return np.isin(pieces, ends[ends > 0])
