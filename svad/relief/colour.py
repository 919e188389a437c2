"""Inpainting of colours that the photo shows at an angle, hides, or shows only from the front."""

from __future__ import annotations

import cv2
import numpy as np

from svad.media.fields import masked_blur, pull_push


def extended(
    rgb: np.ndarray,  # [H, W, 3] float32
    known: np.ndarray,  # [H, W] bool
    reach: float = 8.0,  # px, nearest colour up to here, smooth fill beyond
) -> np.ndarray:  # [H, W, 3] float32
    """Carries known colours outward: the nearest one near by, a smooth mix farther away.

    Keeps the colour of the background out of the rim: only pixels well inside the matte are known.
    """
    if known.all():
        return rgb
    if not known.any():
        return np.full_like(rgb, rgb.mean((0, 1)))
    distance, index = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    steady = masked_blur(rgb, known, 1.0)
    table = np.zeros((index.max() + 1, 3), np.float32)
    table[index[known]] = steady[known]
    nearest = masked_blur(table[index], np.ones(known.shape, np.float32), 1.2)
    far = pull_push(rgb, known.astype(np.float32))
    share = np.clip((distance - reach) / (1.5 * reach), 0, 1)[..., None]
    return np.where(known[..., None], rgb, nearest * (1 - share) + far * share)


def back_of_clothes(
    rgb: np.ndarray,  # [H, W, 3] float32, the layer's front colours, extended
    mask: np.ndarray,  # [H, W] bool
    grain: np.ndarray,  # [H, W] float32, zero mean noise
) -> np.ndarray:  # [H, W, 3] float32
    """A back without prints, zips or mirrored lettering.

    Each row takes the median colour of its left and its right flank and blends across, so hems,
    belts and stripes stay while what is in the middle of the chest does not come through.
    """
    out = rgb.copy()
    left = np.zeros((rgb.shape[0], 3), np.float32)
    right = np.zeros_like(left)
    known = np.zeros(rgb.shape[0], np.float32)
    for y in np.flatnonzero(mask.any(1)):
        x = np.flatnonzero(mask[y])
        n = max(1, int(0.38 * len(x)))
        left[y], right[y], known[y] = np.median(rgb[y, x[:n]], 0), np.median(rgb[y, x[-n:]], 0), 1
    rows = np.stack([left, right], 1)  # [H, 2, 3]
    kernel = cv2.getGaussianKernel(9, 1.6, cv2.CV_32F)[:, 0]
    norm = np.convolve(known, kernel, "same")
    rows = np.stack(
        [np.convolve(rows[:, s, c] * known, kernel, "same") / np.maximum(norm, 1e-6)
         for s in range(2) for c in range(3)], -1
    ).reshape(-1, 2, 3)  # fmt: skip
    for y in np.flatnonzero(mask.any(1)):
        x = np.flatnonzero(mask[y])
        t = ((x - x[0]) / max(1, x[-1] - x[0]))[:, None]
        out[y, x] = rows[y, 0] * (1 - t) + rows[y, 1] * t
    # the photo's own shading across the body, without its detail
    shade = masked_blur(rgb.mean(-1), mask, 14) / np.maximum(
        masked_blur(out.mean(-1), mask, 14), 1e-3
    )
    out = out * (1 + 0.5 * (np.clip(shade, 0.7, 1.4) - 1))[..., None]
    return np.clip(out + grain[..., None], 0, 1)


def streaks(
    shape: tuple[int, ...],  # H, W
    seed: int,
    along: float,  # px
    across: float,  # px
) -> np.ndarray:  # [H, W] float32
    """Soft zero-mean noise, longer along y than across: cloth or hair."""
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=across, sigmaY=along)
    return noise / max(float(noise.std()), 1e-6)
