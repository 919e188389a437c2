"""Inpainting of colours that the photo shows at an angle, hides, or shows only from the front."""

from __future__ import annotations

import cv2
import numpy as np

from svad.media.fields import blur, masked_blur, pull_push

SMOOTH = 0.8  # px over which a photo's noise is evened out before its colours are compared
STEADY = 1.5  # px over which the colours beside what is completed are evened out
CALM = 0.02  # of the body's height: relief of bare skin that is not carried to the back


def steady_lab(
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> np.ndarray:  # [H, W, 3] float32, L 0..100
    """Colours that tell cloth from cloth, pixel by pixel: CIELAB of a slightly blurred photo."""
    even = np.float32(1 / 255) * cv2.GaussianBlur(rgb, (0, 0), SMOOTH)
    return cv2.cvtColor(even, cv2.COLOR_RGB2LAB)


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


def across(
    rgb: np.ndarray,  # [h, w, 3]
    known: np.ndarray,  # [h, w] bool
) -> np.ndarray:  # [h, w, 3]
    """Every row's unknown pixels between those that are known in it: hems go straight across."""
    out = extended(rgb, known)
    steady = masked_blur(rgb, known, STEADY)
    columns = np.arange(rgb.shape[1])
    for y in np.flatnonzero(known.any(1)):
        at = np.flatnonzero(known[y])
        out[y] = np.stack([np.interp(columns, at, steady[y, at, c]) for c in range(3)], 1)
    return out


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


def calmed(
    back: np.ndarray,  # [h, w, 3]
    skin: np.ndarray,  # [h, w] bool
    body_height: float,  # px
) -> np.ndarray:  # [h, w, 3]
    """A bare back has no chest, no navel, an arm's no shade of the trunk: skin keeps its tone."""
    if not skin.any():
        return back
    sigma = CALM * body_height
    smooth = masked_blur(back, skin, sigma)
    share = blur(skin.astype(np.float32), 1.5)[..., None] * skin[..., None]
    return back * (1 - share) + smooth * share
