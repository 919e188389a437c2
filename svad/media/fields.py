"""Smooth extension of fields that are known in a part of a picture only."""

from __future__ import annotations

import cv2
import numpy as np


def pull_push(
    values: np.ndarray,  # [H, W] or [H, W, C] float32
    weight: np.ndarray,  # [H, W] float32, 1 = known, 0 = unknown
) -> np.ndarray:  # like values
    """Fills unknown pixels smoothly from the known ones (pull-push pyramid).

    Known pixels (weight 1) keep their value; where nothing is known at all the result is 0.
    """
    flat = values.ndim == 2
    v = values.astype(np.float32)
    v = v[..., None] if flat else v
    w = np.clip(weight.astype(np.float32), 0, 1)
    filled = _pull_push(v * w[..., None], w)
    return filled[..., 0] if flat else filled


def _pull_push(premultiplied: np.ndarray, w: np.ndarray) -> np.ndarray:
    h, width = w.shape
    if min(h, width) <= 2 or w.min() >= 1:
        mean = premultiplied.sum((0, 1)) / max(float(w.sum()), 1e-8)
        known = premultiplied / np.maximum(w, 1e-8)[..., None]
        return np.where(w[..., None] > 1e-4, known, mean).astype(np.float32)
    size = ((width + 1) // 2, (h + 1) // 2)
    low_w = cv2.pyrDown(w, dstsize=size)
    low_v = _down(premultiplied, size)
    scale = np.minimum(1.0, 4.0 * low_w) / np.maximum(low_w, 1e-8)
    coarse = _pull_push(low_v * scale[..., None], np.minimum(1.0, 4.0 * low_w))
    up = _up(coarse, (width, h))
    return premultiplied + (1 - w)[..., None] * up


def _channels(fn, image: np.ndarray) -> np.ndarray:
    """OpenCV's pyramids take at most four channels at a time."""
    parts = [fn(np.ascontiguousarray(image[..., i : i + 4])) for i in range(0, image.shape[2], 4)]
    return np.concatenate([p if p.ndim == 3 else p[..., None] for p in parts], -1)


def _down(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return _channels(lambda x: cv2.pyrDown(x, dstsize=size), image)


def _up(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return _channels(lambda x: cv2.resize(x, size, interpolation=cv2.INTER_LINEAR), image)


def masked_blur(
    values: np.ndarray,  # [H, W] or [H, W, C]
    mask: np.ndarray,  # [H, W]
    sigma: float,  # pixels
) -> np.ndarray:  # like values
    """Gaussian blur that takes nothing from outside the mask."""
    m = mask.astype(np.float32)
    v = values if values.ndim == 3 else values[..., None]
    blurred_m = np.maximum(blur(m, sigma), 1e-6)
    out = np.concatenate(
        [
            blur(v[..., c].astype(np.float32) * m, sigma)[..., None] / blurred_m[..., None]
            for c in range(v.shape[2])
        ],
        -1,
    )
    return out if values.ndim == 3 else out[..., 0]


def blur(
    image: np.ndarray,  # [H, W] or [H, W, C]
    sigma: float,  # pixels
) -> np.ndarray:  # like image
    """Gaussian blur; wide ones are done on a smaller picture (same result to the eye, cheaper)."""
    if sigma < 6:
        return cv2.GaussianBlur(image, (0, 0), max(sigma, 1e-3), borderType=cv2.BORDER_REPLICATE)
    h, w = image.shape[:2]
    factor = min(8, int(sigma // 3))
    size = (max(1, w // factor), max(1, h // factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)


def nearest_known(
    values: np.ndarray,  # [H, W] or [H, W, C]
    known: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # like values
    """Unknown pixels take the value of the nearest known one."""
    if known.all() or not known.any():
        return values
    _, index = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((index.max() + 1, *values.shape[2:]), values.dtype)
    table[index[known]] = values[known]
    return table[index]


def grown(
    mask: np.ndarray,  # [H, W] bool
    px: int,
) -> np.ndarray:  # [H, W] bool
    """The mask and all pixels as near to it as that."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
