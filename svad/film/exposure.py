"""Exposure and white balance of the pictures brought to those of the front.

A phone changes both while it films. What stands still behind the person shows by how much; photos
have nothing in common behind, so there the person's own colours tell, height by height.
"""

from __future__ import annotations

import cv2
import numpy as np

from svad.types import Footage

SMALL = 96  # px, height at which backgrounds are compared
AWAY = 3  # px of those, around the person, that do not count
DARK, BRIGHT = 24, 240  # levels between which a channel tells
OFFSET = 4.0  # levels, against ratios of noise
LEAST = 0.05  # of the picture, that must be background in both
SPREAD = 0.12  # of the ratio's logarithm; where it is larger, what is behind moves
MOST = 0.35  # of the logarithm; larger drifts are mistakes
BANDS, HEAD = 14, 3  # heights a person is cut into; those of the head are another colour behind
ALIKE = 0.25  # of the logarithm, by which a band's channels may differ from one another


def evened(footage: Footage) -> np.ndarray:  # [T, H, W, 3] uint8
    """The pictures as if all had been exposed as the front."""
    filmed = np.isfinite(footage.time).all()
    gains = background_gains(footage) if filmed else garment_gains(footage)
    out = footage.rgb.copy()
    for i, gain in enumerate(gains):
        if np.abs(gain - 1).max() > 1e-3:
            table = np.clip(np.arange(256)[:, None] / gain, 0, 255) + 0.5  # [256, 3]
            out[i] = cv2.LUT(footage.rgb[i], table.astype(np.uint8)[:, None])
    return out


def background_gains(footage: Footage) -> np.ndarray:  # [T, 3]
    """How much brighter each channel is than in the front picture; 1 where it cannot be told."""
    height, width = footage.matte.shape[1:]
    size = (max(1, round(width * SMALL / height)), SMALL)
    small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in footage.rgb]
    clear = [_background(one, size) for one in footage.matte]
    front, behind = small[footage.front].astype(np.float64), clear[footage.front]
    logs = np.zeros((len(small), 3))
    for i, (picture, free) in enumerate(zip(small, clear, strict=True)):
        both = free & behind
        for channel in range(3):
            a, b = picture[..., channel].astype(np.float64), front[..., channel]
            tells = both & (a > DARK) & (a < BRIGHT) & (b > DARK) & (b < BRIGHT)
            if tells.sum() < LEAST * both.size:
                continue
            ratio = np.log((a[tells] + OFFSET) / (b[tells] + OFFSET))
            middle = float(np.median(ratio))
            if np.median(np.abs(ratio - middle)) < SPREAD and abs(middle) < MOST:
                logs[i, channel] = middle
    return np.exp(logs)


def garment_gains(footage: Footage) -> np.ndarray:  # [T, 3]
    """The same from the person's colours at each height, where both pictures show one garment."""
    bands = [_bands(rgb, matte) for rgb, matte in zip(footage.rgb, footage.matte, strict=True)]
    front = bands[footage.front]
    gains = np.ones((len(bands), 3))
    for i, own in enumerate(bands):
        ratio = np.log((own + OFFSET) / (front + OFFSET))[HEAD:]  # [B, 3]
        tells = np.isfinite(ratio).all(1)
        tells &= np.ptp(np.nan_to_num(ratio), axis=1) < ALIKE
        tells &= np.abs(np.nan_to_num(ratio)).max(1) < MOST
        if tells.sum() >= 3:
            gains[i] = np.exp(np.median(ratio[tells], axis=0))
    return gains


def _background(matte: np.ndarray, size: tuple[int, int]) -> np.ndarray:  # [h, w] bool
    person = (cv2.resize(matte, size, interpolation=cv2.INTER_AREA) > 2).astype(np.uint8)
    return cv2.dilate(person, np.ones((2 * AWAY + 1,) * 2, np.uint8)) == 0


def _bands(rgb: np.ndarray, matte: np.ndarray) -> np.ndarray:  # [B, 3], nan where nobody is
    rows = np.flatnonzero((matte > 127).any(1))
    out = np.full((BANDS, 3), np.nan)
    if not len(rows):
        return out
    edges = np.linspace(rows[0], rows[-1] + 1, BANDS + 1).round().astype(int)
    for k in range(BANDS):
        part = slice(edges[k], edges[k + 1])
        solid = matte[part] > 250
        if solid.sum() >= 20:
            out[k] = np.median(rgb[part][solid], axis=0)
    return out
