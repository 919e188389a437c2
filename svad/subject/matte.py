"""Matting: a sharp, anti-aliased matte of the person from the detector's soft mask."""

from __future__ import annotations

import cv2
import numpy as np

from svad.subject import keypoints as kp
from svad.subject.scene import Scene, disk, face_inside, shaded
from svad.subject.slits import without_slits
from svad.subject.wall import QUIET, spread, wall_unrest

BUSY = 4.0  # how much of the unrest of what is behind the colours at the rim must stand out from
_CLEAR = 5.0  # times the wall's noise, from which on nothing is the wall
_RINGING = 0.12  # of an edge's height, which compression spreads around it
_STRANGE = 3.0  # times the wall's noise, off all mixtures of the wall with the person
_TINT = 8.0  # grey levels a wall's shadow may be off the wall's chromaticity
_CUT_HEIGHT = 420  # px, person height at which the first, whole cut is made


def person_matte(
    rgb: np.ndarray,  # [H, W, 3] uint8
    soft: np.ndarray,  # [H, W] float32, the detector's mask, 0..1
    keypoints: np.ndarray,  # [133, 3] x px, y px, score
    others: np.ndarray | None = None,  # [H, W] bool, other people
) -> np.ndarray:  # [H, W] uint8
    """The person's matte: soft only over the last pixel or two of the rim.

    GrabCut (Rother et al. 2004) on colours, started from the soft mask and the skeleton, first at
    a reduced size, then in a band at full size; then alpha from the local foreground and
    background colours.
    """
    height, width = rgb.shape[:2]
    box = _work_box(soft, keypoints)
    x0, y0, x1, y1 = box
    tall = float(y1 - y0)
    part = np.ascontiguousarray(rgb[y0:y1, x0:x1])
    mask = soft[y0:y1, x0:x1]
    points = kp.moved(keypoints, (x0, y0), 1.0)
    away = None if others is None else others[y0:y1, x0:x1]
    factor = min(1.0, _CUT_HEIGHT / tall)
    size = (max(8, round((x1 - x0) * factor)), max(8, round(tall * factor)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    small_mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    points = kp.moved(points, (0, 0), factor)
    scene = Scene(small, small_mask, points)
    labels = scene.seeds(None if away is None else cv2.resize(away.astype(np.uint8), size) > 0)
    cut = scene.prune(_grab(small, labels, 4))
    face = face_inside(kp.moved(keypoints, (x0, y0), 1.0), part.shape)
    alpha = refine(part, cv2.resize(cut.astype(np.float32), part.shape[1::-1]), face)
    alpha = without_slits(part, alpha, mask, kp.moved(keypoints, (x0, y0), 1.0))
    matte = np.zeros((height, width), np.uint8)
    matte[y0:y1, x0:x1] = alpha
    return matte


def refine(
    rgb: np.ndarray,  # [H, W, 3] uint8
    guess: np.ndarray,  # [H, W] float32, 0..1: the person at a lower size, enlarged
    sure: np.ndarray | None = None,  # [H, W] bool, the person whatever the colours say
    band: int = 4,  # px, how far the rim may move
) -> np.ndarray:  # [H, W] uint8
    """Finds the rim again at full size near a guess and makes it one to two pixels soft."""
    person = (guess > 0.5).astype(np.uint8)
    if person.all() or not person.any():
        return person * np.uint8(255)
    inner = cv2.erode(person, disk(band), borderType=cv2.BORDER_REPLICATE)
    outer = cv2.dilate(person, disk(band), borderType=cv2.BORDER_REPLICATE)
    fore = spread(rgb, inner)
    back = spread(rgb, 1 - outer)
    image = rgb.astype(np.float32)
    to_fore = ((image - fore) ** 2).sum(2)
    to_back = ((image - back) ** 2).sum(2)
    contrast = ((fore - back) ** 2).sum(2)
    axis = ((image - back) * (fore - back)).sum(2) / np.maximum(contrast, 1.0)
    near = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 0.35 * band)
    # 20 to 45 grey levels apart, more before a wall whose own colours differ as much
    unrest = wall_unrest(image, 1 - outer)
    trust = np.clip((contrast - 400.0 - BUSY * unrest) / 1600.0, 0, 1)
    # nearer to the inner colours, or off the line between both: the person
    off = np.minimum(to_fore, to_back) / np.maximum(contrast, 1.0)
    colour = np.clip(axis, 0, 1)
    colour = np.where((off > 0.5) & (to_back > to_fore), 1.0, colour)
    alpha = near + trust * (colour - near)
    off_line = image - back - np.clip(axis, 0, 1)[..., None] * (fore - back)
    off_line = cv2.GaussianBlur(np.square(off_line).sum(2), (0, 0), 1.5)
    strange = off_line > _STRANGE**2 * (unrest + 1)
    alpha = np.maximum(alpha, _not_the_wall(image, back, unrest, strange))
    alpha = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), 0.6)
    alpha = np.clip((alpha - 0.5) * 1.6 + 0.5, 0, 1)
    alpha[inner > 0] = 1
    alpha[outer == 0] = 0
    if sure is not None:
        alpha[sure] = 1
    return _tidy((alpha * 255 + 0.5).astype(np.uint8))


def from_alpha(
    alpha: np.ndarray,  # [H, W] uint8
    soft: np.ndarray,  # [H, W] float32, the detector's mask
) -> np.ndarray | None:  # [H, W] uint8
    """The file's own transparency as the matte, or None where it cuts out more than a person."""
    person, shown = soft > 0.5, alpha > 127
    inside = float((shown & person).sum()) / max(1, int(person.sum()))
    excess = float(shown.sum()) / max(1, int(person.sum()))
    if inside < 0.7 or excess > 2.2:
        return None
    return _tidy(alpha)


def _work_box(soft: np.ndarray, points: np.ndarray) -> tuple[int, int, int, int]:
    """The part of the picture in which the person is cut out, with room for hats and hair."""
    height, width = soft.shape
    ys, xs = np.where(soft > 0.1)
    seen = points[(points[:, 2] > 0.5)]
    inside = (seen[:, 0] > 0) & (seen[:, 0] < width) & (seen[:, 1] > 0) & (seen[:, 1] < height)
    low = np.array([xs.min(), ys.min()], np.float32)
    high = np.array([xs.max() + 1, ys.max() + 1], np.float32)
    if inside.any():
        low = np.minimum(low, seen[inside, :2].min(0))
        high = np.maximum(high, seen[inside, :2].max(0))
    pad = 0.06 * float((high - low).max())
    x0, y0 = np.maximum(low - pad, 0).astype(int)
    x1, y1 = np.minimum(high + pad, (width, height)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _grab(rgb: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray:
    """GrabCut; the person as [h, w] bool. Falls back on the labels if one side is empty."""
    person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if person.all() or not person.any():
        return person
    work = labels.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # GrabCut starts its colour clusters at random
    unread = (0, 0, 0, 0)  # a rectangle, where there are no labels
    cv2.grabCut(rgb, work, unread, *models, rounds, cv2.GC_INIT_WITH_MASK)
    return (work == cv2.GC_FGD) | (work == cv2.GC_PR_FGD)


def _tidy(alpha: np.ndarray) -> np.ndarray:
    """Removes faint dust that touches no solid part."""
    solid = (alpha > 127).astype(np.uint8)
    near = cv2.dilate(solid, disk(4))
    return np.where(near > 0, alpha, 0).astype(np.uint8)


def _not_the_wall(
    image: np.ndarray,  # [H, W, 3] float32
    back: np.ndarray,  # [H, W, 3] float32, the wall carried on behind the person
    unrest: np.ndarray,  # [H, W] squared grey levels, of the wall
    strange: np.ndarray,  # [H, W] bool, no mixture of the wall with what is inside of the rim
) -> np.ndarray:  # [H, W] float32, 0..1
    """How much of a pixel is what a quiet wall cannot be, whatever colours are inside of the rim.

    Pale checks, a white sole, a dark strap before a white shoe: the line between the colours on
    both sides of the rim does not tell of them, their distance from the wall does.
    """
    off = np.sqrt(np.square(image - back).sum(2))
    around = cv2.dilate(off, np.ones((7, 7), np.uint8))
    seen = (unrest < QUIET) & strange & (off > _CLEAR * np.sqrt(unrest + 1))
    seen &= (off > _RINGING * around) & ~shaded(image, back, _TINT)
    whole = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    inside = cv2.erode(whole, np.ones((3, 3), np.uint8))
    share = off / np.maximum(cv2.dilate(off, np.ones((5, 5), np.uint8)), 1)  # of an edge's pixel
    return np.maximum(inside, np.where(whole > 0, share, 0)).astype(np.float32)
