"""Light to colours of a screen and back: the curve of film, and sRGB."""

from __future__ import annotations

import numpy as np


def film(linear: np.ndarray) -> np.ndarray:
    """A soft shoulder: about the identity below 0.5, never above 1."""
    x = np.maximum(linear, 0)
    return x / (1 + (x / 1.02) ** 3.2) ** (1 / 3.2)


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB 0..1 to linear."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear 0..1 to sRGB."""
    x = np.clip(linear, 0, 1)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def colour(text: str) -> np.ndarray:  # [3] float32
    """Linear RGB of an sRGB hex colour such as "d9a441"."""
    return to_linear(np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255)
