"""Numbers without digits that nobody sees."""

from __future__ import annotations

import numpy as np


def rounded(
    values: np.ndarray,  # [...]
    step: float,  # a power of two
) -> np.ndarray:  # [...] float32
    """The nearest multiples of a step: what is smaller is zeros, which archives pack."""
    return (np.round(values / step) * step).astype(np.float32)


def rounded_shares(
    shares: np.ndarray,  # [N, J], rows sum to 1
    step: float,  # a power of two, at most 1
) -> np.ndarray:  # [N, J] float32, rows sum to 1 exactly
    """Multiples of a step; the largest of a row takes what rounding left."""
    out = rounded(shares, step)
    out[np.arange(len(out)), out.argmax(1)] += 1 - out.sum(1)
    return out
