"""Hems of cloth that is open below: neither rounded off nor deeper down at the back."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from svad.geometry.camera import Camera
from svad.media.fields import masked_blur
from svad.relief.points import Sheet

RAGGED = 0.04  # of the skirt's width over which its hem is evened out
INSIDE = 0.7  # brightness of the inside of a skirt, which shows at its hem


def open_below(
    mask: np.ndarray,  # [H, W] bool
    body_height: float,  # px
) -> np.ndarray:  # [H, W] bool
    """The mask drawn out below its hem, which is open and not to be rounded off."""
    widest = int(mask.sum(1).max()) if mask.any() else 0
    length = max(round(0.1 * body_height), round(0.55 * widest))
    kernel = np.ones((length + 1, 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel, anchor=(0, length)) > 0


def with_level_hem(
    sheet: Sheet,  # the skirt's
    camera: Camera,
) -> Sheet:
    """The sheet with a back that ends as high as its front does, closed below and in shade there.

    Seen from above the hem, the back of a level hem lies higher in the picture than the front, and
    is hidden by it.
    """
    mask = sheet.mask
    h, w = mask.shape
    rows = sheet.origin[1] + (np.arange(h) + 0.5) / sheet.density - camera.center[1]
    last = h - 1 - mask[::-1].argmax(0)
    some = mask.any(0) & (rows[last] > 0)
    if not some.any():
        return sheet
    # metres below the eye, times the focal length; ragged hems are level on the whole
    low = np.where(some, sheet.near[last, np.arange(w)] * rows[last], 0).astype(np.float32)
    low = masked_blur(low[None], some[None], RAGGED * w)[0]
    farthest = np.where(some, low / np.maximum(rows, 1)[:, None], np.inf)
    floor = mask & (rows[:, None] > 1) & (sheet.far > farthest)
    far = np.maximum(np.where(floor, farthest, sheet.far), sheet.near + 0.002)
    rgb = np.where(floor[..., None], INSIDE * sheet.far_rgb, sheet.far_rgb)
    return replace(sheet, far=far.astype(np.float32), far_rgb=rgb.astype(np.float32))
