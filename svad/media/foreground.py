"""A person taken out of a picture, without the background that shines through at the edge."""

from __future__ import annotations

import cv2
import numpy as np

CLEAR, FULL = 0.02, 0.98  # coverage under which a pixel is background, over which it is the person
NEAR = 5.0  # px, spread of the mean that tells the background behind an edge


def premultiplied(
    picture: np.ndarray,  # [H, W, 3] 0..1
    alpha: np.ndarray,  # [H, W] 0..1
) -> np.ndarray:  # [H, W, 3]
    """C - (1 - a) B: the picture minus what its background adds to it, with B from nearby."""
    empty = (alpha < CLEAR).astype(np.float32)[..., None]
    sums = cv2.GaussianBlur(np.concatenate([picture * empty, empty], -1), (0, 0), NEAR)
    cover = np.where(alpha < CLEAR, 0, np.where(alpha > FULL, 1, alpha))
    clean, edge = picture * cover[..., None], (cover > 0) & (cover < 1)  # few pixels
    beside, share = sums[edge], cover[edge][:, None]
    behind = beside[:, :3] / np.maximum(beside[:, 3:], 1e-6)
    clean[edge] = np.where(beside[:, 3:] > 1e-3, picture[edge] - (1 - share) * behind, clean[edge])
    return np.clip(clean, 0, cover[..., None]).astype(np.float32)
