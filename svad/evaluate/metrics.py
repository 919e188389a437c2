"""How much pictures are alike: PSNR, SSIM, and LPIPS where its network is at hand."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import cv2
import numpy as np

from svad.core.errors import MissingFile
from svad.media.images import to_float

WINDOW, SIGMA = 11, 1.5  # px, of the Gaussian window of SSIM
K1, K2 = 0.01, 0.03  # of SSIM's two constants
IDENTICAL = 99.0  # dB given to equal pictures, so that a mean stays finite

Distance = Callable[[np.ndarray, np.ndarray], float]
"""`distance(picture, truth)`, both [H, W, 3] uint8."""


def psnr(
    picture: np.ndarray,  # [H, W, 3] uint8
    truth: np.ndarray,  # [H, W, 3] uint8
) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures over the whole frame, dB."""
    error = np.mean((picture.astype(np.float64) - truth) ** 2)
    return IDENTICAL if error == 0 else min(IDENTICAL, float(10 * np.log10(255**2 / error)))


def ssim(
    picture: np.ndarray,  # [H, W, 3] uint8
    truth: np.ndarray,  # [H, W, 3] uint8
) -> float:
    """Structural similarity, mean over channels and all pixels whose window lies in the picture.

    Source: Wang et al. 2004, equation 13, Gaussian window 11 px and sigma 1.5; the values of
    scikit-image with `gaussian_weights=True, use_sample_covariance=False, data_range=1`.
    """
    a, b = (to_float(image).astype(np.float64) for image in (picture, truth))
    ma, mb = _windowed(a), _windowed(b)
    va, vb = _windowed(a * a) - ma * ma, _windowed(b * b) - mb * mb
    covariance = _windowed(a * b) - ma * mb
    c1, c2 = K1**2, K2**2
    values = (2 * ma * mb + c1) * (2 * covariance + c2)
    values /= (ma * ma + mb * mb + c1) * (va + vb + c2)
    rim = WINDOW // 2
    return float(values[rim:-rim, rim:-rim].mean())


def _windowed(image: np.ndarray) -> np.ndarray:  # [H, W, 3]
    return cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT)


def perceptual_distance() -> Distance | None:
    """LPIPS of two pictures; None where the network or its file is not here."""
    try:
        return import_module("svad.learn.lpips").picture_distance()
    except MissingFile:
        return None
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("svad.learn"):
            return None
        raise


def compared(
    pictures: np.ndarray,  # [T, H, W, 3] uint8
    truth: np.ndarray,  # [T, H, W, 3] uint8
    distance: Distance | None,
) -> dict[str, float]:
    """Means over T pictures: `psnr` (dB), `ssim`, and `lpips` where there is a distance."""
    pairs = list(zip(pictures, truth, strict=True))
    found = {
        "psnr": float(np.mean([psnr(a, b) for a, b in pairs])),
        "ssim": float(np.mean([ssim(a, b) for a, b in pairs])),
    }
    if distance is not None:
        found["lpips"] = float(np.mean([distance(a, b) for a, b in pairs]))
    return found
