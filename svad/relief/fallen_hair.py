"""Hair that hangs before trunk and arms: it is the head's, no cloth, and no arm moves it."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from svad.relief.head import face_hull

AROUND = 0.35  # of the face's width: so far above and beside it hair is looked for
CELLS = (24, 32, 32)  # of the histograms, in Lab
SPREAD = 0.7  # cells over which they are smoothed
LEAST = 60  # px of hair around the face
CLEARLY = 2.0  # times as common around the face as on the rest of trunk and arms


def fallen_hair(
    labels: np.ndarray,  # [H, W] int32, -1 outside the person; 0 = torso with head
    arms: list[int],  # numbers of the arms' parts
    rgb: np.ndarray,  # [H, W, 3] uint8
    skin: np.ndarray | None,  # [H, W] bool, skin-coloured
    face: np.ndarray | None,  # [478, 3] px
) -> np.ndarray:  # [H, W] bool
    """Hair around the face, and what falls from there over trunk and arms.

    It is what is connected with that around the face, in colours that are common there and rare on
    the rest of trunk and arms. None where no face was found.
    """
    none = np.zeros(labels.shape, bool)
    if face is None or skin is None:
        return none
    hull = face_hull(face, labels.shape)
    reach = round(AROUND * float(np.ptp(face[:, 0])))
    around = cv2.dilate(hull.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    above = np.arange(len(labels))[:, None] < face[:, 1].max()  # the chin
    head = around & above & ~hull & ~skin & (labels == 0)
    rest = np.isin(labels, [0, *arms]) & ~around & ~skin
    if head.sum() < LEAST or rest.sum() < LEAST:
        return none
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB)
    cell = tuple(np.moveaxis(lab.astype(int) * CELLS // 256, -1, 0))
    alike = _frequency(lab, head)[cell] > CLEARLY * _frequency(lab, rest)[cell]
    alike &= (labels >= 0) & ~skin
    closed = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, pieces = cv2.connectedComponents(closed, connectivity=4)
    return (closed > 0) & np.isin(pieces, np.unique(pieces[head & alike]))


def without_hair(
    labels: np.ndarray,  # [H, W] int32
    arms: list[int],  # numbers of the arms' parts
    hair: np.ndarray,  # [H, W] bool, from `fallen_hair`
) -> np.ndarray:  # [H, W] int32
    """The labels, without the hair that falls over arms from the head: it is the torso's."""
    return np.where(hair & np.isin(labels, arms), 0, labels)


def _frequency(
    lab: np.ndarray,  # [H, W, 3] uint8
    where: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # CELLS, sums to 1
    """How common colours are."""
    counts = cv2.calcHist([lab], [0, 1, 2], where.astype(np.uint8), list(CELLS), [0, 256] * 3)
    return gaussian_filter(counts, SPREAD) / where.sum()
