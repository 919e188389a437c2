"""Hair that hangs behind a head: how far, told by what the photo shows of it on both sides."""

from __future__ import annotations

import cv2
import numpy as np

from svad.geometry.camera import Camera
from svad.media.fields import blur
from svad.relief.hair_tones import HairTones, connected
from svad.relief.head import face_hull, face_on
from svad.relief.head_frame import HeadFrame
from svad.relief.points import Sheet, grid_positions

BESIDE = 0.15  # of the face's width beside it, where hair hangs that is no beard
HANGS = 0.01  # of the face's area: less of it there is a strand


def hair_behind(
    torso: Sheet,
    tones: HairTones,
    camera: Camera,
    frame: HeadFrame,
    face: np.ndarray,  # [478, 3] working px
) -> tuple[np.ndarray, bool]:  # [h, w] 0..1, whether hair is long
    """Hair that hangs beside the neck or the jaw hangs behind it too, between its strands.

    Hair that ends between mouth and chin counts where it stands off the face on both sides, which
    neither a beard nor a cheek in the shade does; it is not long: the nape is bare below it.
    """
    near = grid_positions(torso, torso.near, camera)
    p = frame.local(near)
    to_hair, to_skin = tones.distances(torso.near_rgb)
    sure = torso.own & (torso.alpha > 0.8)
    cloth_zone = sure & (p[..., 1] < frame.chin - 0.18)
    like = (to_hair < to_skin) & (to_hair < 22)
    if cloth_zone.sum() > 100:
        lab = cv2.cvtColor(torso.near_rgb, cv2.COLOR_RGB2LAB)
        cloth = np.median(lab[cloth_zone], 0)
        to_cloth = np.linalg.norm((lab - cloth) * (0.6, 1, 1), axis=-1)
        like &= (to_cloth > to_hair) | (p[..., 1] > frame.chin)
        if np.min(np.linalg.norm((tones.hair - cloth) * (0.6, 1, 1), axis=-1)) < 9:
            like &= p[..., 1] > frame.chin - 0.07
    like &= sure & (p[..., 1] > frame.chin - 0.45)
    hull = face_hull(face_on(torso, face), torso.own.shape)
    whole = cv2.morphologyEx((like & ~hull).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
    hair = connected(whole, whole & (p[..., 1] > 0))
    low = hair & (p[..., 1] < frame.chin - 0.01)
    long = bool(low.sum() >= 0.05 * hull.sum())
    if not long and not _stands_off(hair & (p[..., 1] < frame.mouth), hull):
        return np.zeros(torso.own.shape, np.float32), False
    start = int(np.flatnonzero(hull.any(1))[0])
    counts = low.sum(1)
    rows = [
        y
        for y in np.flatnonzero(hair.any(1))
        if y >= start and (counts[y] >= 3 or p[y, np.flatnonzero(hair[y]), 1].mean() >= frame.chin)
    ]
    filled = hanging(hair, rows, hull)
    filled &= torso.own | torso.mask
    rough = np.random.default_rng(7).standard_normal(filled.shape[1]).astype(np.float32)
    rough = cv2.GaussianBlur(rough[None], (0, 0), 1.2)[0]
    shift = np.round(3 * rough / max(float(rough.std()), 1e-6)).astype(int)
    height, width = filled.shape
    below = (np.arange(height)[:, None] + shift[None]).clip(0, height - 1)
    ragged = filled[below, np.arange(width)[None]]
    return np.clip(blur(ragged.astype(np.float32), 1.0), 0, 1), long


def hanging(
    hair: np.ndarray,  # [h, w] bool
    rows: list[int],  # where it hangs, from above downward
    hull: np.ndarray,  # [h, w] bool, the face
) -> np.ndarray:  # [h, w] bool
    """Hair behind a head, as wide as it is seen on both sides of the face.

    Where it is seen on one side alone, it lies before a shoulder.
    """
    columns = np.flatnonzero(hull.any(0))
    middle, apart = float(np.median(columns)), BESIDE * len(columns)
    filled = np.zeros(hair.shape, bool)
    for y in rows:
        x = np.flatnonzero(hair[y])
        if x[0] < middle - apart and x[-1] > middle + apart:
            filled[y, x[0] : x[-1] + 1] = True
    return filled


def _stands_off(
    hair: np.ndarray,  # [h, w] bool, hair below the mouth
    hull: np.ndarray,  # [h, w] bool, the face
) -> bool:
    """Whether hair lies well beside a face on both of its sides."""
    columns = np.flatnonzero(hull.any(0))
    apart = round(BESIDE * len(columns))
    sides = hair[:, : max(0, columns[0] - apart)], hair[:, columns[-1] + 1 + apart :]
    return all(side.sum() > HANGS * hull.sum() for side in sides)
