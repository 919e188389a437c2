"""How alike two pictures are: PSNR, SSIM and, where its file is there, LPIPS."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from svad.learn.ssim_kernels import C1, C2, RADIUS, WINDOW

IDENTICAL = 99.0  # dB given to equal pictures, so that a mean stays finite

Distance = Callable[[np.ndarray, np.ndarray], float]
"""`distance(picture, truth)`, both [H, W, 3] uint8; see `lpips.picture_distance`."""


def psnr(
    a: np.ndarray,  # [H, W, 3] uint8
    b: np.ndarray,  # [H, W, 3] uint8
) -> float:
    """Peak signal-to-noise ratio in dB, of the mean square over all channels; at most 99."""
    x, y = _values(a, b)
    error = np.mean((x - y) ** 2)
    return IDENTICAL if error == 0 else min(IDENTICAL, float(-10 * np.log10(error)))


def ssim(
    a: np.ndarray,  # [H, W, 3] uint8
    b: np.ndarray,  # [H, W, 3] uint8
) -> float:
    """Structural similarity (Wang et al. 2004), the mean over channels and pixels.

    The convention of that paper's program, and of scikit-image's `structural_similarity` with
    `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`: data range 1, and only pixels
    whose 11 x 11 window lies inside of the picture. Raises ValueError where there is none.
    """
    x, y = _values(a, b)
    if min(x.shape[:2]) <= 2 * RADIUS:
        raise ValueError(f"SSIM needs pictures of at least 11 x 11 pixels, not {x.shape[:2]}.")
    inside = slice(RADIUS, -RADIUS)
    mx, my, xx, yy, xy = (
        cv2.sepFilter2D(v, -1, WINDOW, WINDOW)[inside, inside] for v in (x, y, x * x, y * y, x * y)
    )
    c1, c2 = float(C1), float(C2)
    likeness = (2 * mx * my + c1) * (2 * (xy - mx * my) + c2)
    most = (mx**2 + my**2 + c1) * (xx - mx**2 + yy - my**2 + c2)
    return float(np.mean(likeness / most))


def compared(
    pictures: np.ndarray,  # [T, H, W, 3] uint8
    truth: np.ndarray,  # [T, H, W, 3] uint8
    distance: Distance | None = None,
) -> dict[str, float]:
    """Means over T pictures: `psnr` (dB), `ssim`, and `lpips` where there is a distance."""
    measures = {"psnr": psnr, "ssim": ssim} | ({"lpips": distance} if distance else {})
    pairs = list(zip(pictures, truth, strict=True))
    return {name: float(np.mean([of(a, b) for a, b in pairs])) for name, of in measures.items()}


def _values(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 in 0..1; ValueError unless they are uint8 pictures of one size."""
    if a.shape != b.shape or a.dtype != np.uint8 or b.dtype != np.uint8:
        forms = f"{a.shape} {a.dtype} and {b.shape} {b.dtype}"
        raise ValueError(f"Two uint8 pictures of one size were expected, not {forms}.")
    return a / 255, b / 255
