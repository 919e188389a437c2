"""Numbers without digits that nobody sees."""

from __future__ import annotations

import numpy as np


def rounded(
    values: np.ndarray,  # [...]
    step: float,  # a power of two
) -> np.ndarray:  # [...] float32
    """The nearest multiples of a step: what is smaller is zeros, which archives pack."""
    return (np.round(values / step) * step).astype(np.float32)
