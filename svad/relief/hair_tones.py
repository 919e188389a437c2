"""Colours that tell the hair of a person from their skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.relief.head_frame import HeadFrame

STRAND = 8.0  # from a tone of hair, within which a cheek is hidden by hair


@dataclass(frozen=True)
class HairTones:
    """Colours that tell hair (and hats) from skin, in Lab."""

    skin: np.ndarray  # [j, 3]
    hair: np.ndarray  # [k, 3]

    def distances(
        self,
        rgb: np.ndarray,  # [h, w, 3] float32, 0..1
    ) -> tuple[np.ndarray, np.ndarray]:  # two [h, w]
        """To the nearest tone of hair and to that of skin."""
        lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB)
        scale = np.array([0.6, 1, 1], np.float32)
        hair, skin = (
            np.min([np.linalg.norm((lab - tone) * scale, axis=-1) for tone in tones], 0)
            for tones in (self.hair, self.skin)
        )
        return hair, skin


def hair_tones(
    rgb: np.ndarray,  # [h, w, 3]
    where: np.ndarray,  # [h, w] bool, sure pixels of the head outside the face
    height: np.ndarray,  # [h, w] metres above the eyes
    frame: HeadFrame,
    skin: np.ndarray,  # [j, 3] Lab, of all of it first
) -> HairTones:
    """Hair (or a hat) is what lies above the forehead and what lies beside the eyes."""
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 1.0), cv2.COLOR_RGB2LAB)
    away = np.linalg.norm((lab - skin[0]) * (0.6, 1, 1), axis=-1)
    above = where & (height > frame.brow)
    top = above & (away > 14)
    if top.sum() < 0.1 * above.sum():  # bald: the scalp is what there is
        top = above
    beside = where & (np.abs(height - frame.brow / 2) < frame.brow / 2) & (away > 12)
    tones = [np.median(lab[r], 0) for r in (top, beside) if r.sum() > 20]
    for region in (top, beside):  # dark and light strands
        if region.sum() > 200:
            light = lab[region][:, 0]
            tones += [np.median(lab[region][light <= np.quantile(light, 0.3)], 0)]
            tones += [np.median(lab[region][light >= np.quantile(light, 0.7)], 0)]
    hair = np.array(tones or [skin[0] * (0.6, 1, 1)], np.float32)
    # a cheek behind a strand of hair tells nothing of the skin
    apart = [np.linalg.norm((hair - one) * (0.6, 1, 1), axis=-1).min() for one in skin]
    return HairTones(skin[(np.array(apart) > STRAND) | (np.arange(len(skin)) == 0)], hair)


def connected(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:  # [h, w] bool
    """Pieces of the mask that hold a seed."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    hold = np.unique(pieces[seeds & mask])
    return np.isin(pieces, hold[hold > 0])
