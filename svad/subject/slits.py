"""Matting of slits: light between an arm and the body, too narrow for the cut at a lower size."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.media.fields import grown, masked_blur
from svad.subject.scene import disk, draw
from svad.subject.wall import QUIET, spread, wall_unrest

APART = 80.0  # grey levels that a person's colours must differ from the wall's
WALL = 0.3  # of a person in a pixel's mixture, below which it shows the wall,
MIXED = 0.75  # and below which it belongs to the slit
OFF = 0.2  # of that difference, by which a mixture of both may miss a pixel
BONE = 0.01  # of the person's height from an arm's bone, where no slit lies,
REACH = 0.06  # and as far as which it may
LONG = 0.03  # of it, the least length of a slit
THIN = 0.006  # of it, the most that is half its width: wider ones the first cut finds
SHOWN = 0.4  # of its length, along which it shows the wall
DOUBT = 0.05  # by which the detector is less sure of it; slits .07 to .34, stripes of cloth to .015
BESIDE = (2, 5)  # px around a slit between which its neighbours lie
AROUND = 0.01  # of the height, standard deviation of the surroundings that tell a person's colours
RIM = 4  # px inside the outline, which the matte has found already
FOUND = 0.5  # score of landmarks that tell where arms are
SURE = 250  # of 255, matte well inside


def without_slits(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
    soft: np.ndarray,  # [H, W] float32, the detector's mask
    points: np.ndarray,  # [133, 3] x px, y px, score
) -> np.ndarray:  # [H, W] uint8
    """The matte without the wall that is seen between an arm and what it hangs beside.

    A slit is long and thin, lies beside an arm, shows the wall where the colours beside it are
    nothing like it, and the detector is less sure of it. Its rim is as mixed as in the picture.
    """
    rows = np.flatnonzero((matte > SURE).any(1))
    if not len(rows):
        return matte
    tall = max(1.0, float(np.ptp(rows)))
    place = _beside_arms(points, matte.shape, tall)
    place &= cv2.erode((matte > 0).astype(np.uint8), disk(RIM)) > 0
    share = _share_of_person(rgb, matte, AROUND * tall)
    mixed = (place & (share < MIXED)).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mixed, connectivity=8)
    lengths = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1)
    out = matte.copy()
    for k in np.flatnonzero(lengths >= LONG * tall):
        piece = (pieces == k) & (mixed > 0)
        if _is_slit(piece, int(lengths[k]), share, soft, tall):
            out[piece] = np.minimum(out[piece], 255 * share[piece].clip(0, 1))
    return out


def _is_slit(
    piece: np.ndarray,  # [H, W] bool
    length: int,  # px
    share: np.ndarray,  # [H, W], of the person in each pixel
    soft: np.ndarray,  # [H, W] float32
    tall: float,  # px
) -> bool:
    wall = piece & (share < WALL)
    if max(wall.any(0).sum(), wall.any(1).sum()) < SHOWN * length:
        return False
    half = cv2.distanceTransform(np.pad(piece, 1).astype(np.uint8), cv2.DIST_L2, 5).max()
    ring = grown(piece, BESIDE[1]) & ~grown(piece, BESIDE[0])
    apart = np.quantile(share[ring], 0.1) > MIXED
    doubted = soft[piece].mean() < soft[ring].mean() - DOUBT
    return bool(half <= THIN * tall and apart and doubted)


def _share_of_person(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
    sigma: float,  # px
) -> np.ndarray:  # [H, W], 1 = all of it
    """How much of a pixel is the person, where colours tell; elsewhere 1."""
    image = rgb.astype(np.float32)
    free = 1 - cv2.dilate((matte > 0).astype(np.uint8), disk(3))
    if not free.any():
        return np.ones(matte.shape, np.float32)
    wall = spread(rgb, free)
    person = (matte > SURE) & (np.linalg.norm(image - wall, axis=2) > APART)
    line = masked_blur(image, person, sigma) - wall
    length = np.linalg.norm(line, axis=2)
    share = ((image - wall) * line).sum(2) / np.maximum(np.square(length), 1)
    off = np.linalg.norm(image - wall - share[..., None] * line, axis=2)
    told = (length > APART) & (off < OFF * length) & (wall_unrest(image, free) < QUIET)
    return np.where(told, share, 1).astype(np.float32)


def _beside_arms(
    points: np.ndarray,  # [133, 3]
    shape: tuple[int, ...],  # H, W
    tall: float,  # px
) -> np.ndarray:  # [H, W] bool
    """So near to an arm's bones that light beside it may be seen, and not upon them."""
    near, bones = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    draw(near, points, coco.ARM_LINES, FOUND, max(1, round(2 * REACH * tall)))
    draw(bones, points, coco.ARM_LINES, FOUND, max(1, round(2 * BONE * tall)))
    return (near > 0) & (bones == 0)
