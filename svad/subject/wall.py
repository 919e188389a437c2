"""The background behind a person as seen beside them: colours carried on, and their unrest."""

from __future__ import annotations

import numpy as np

from svad.media.fields import masked_blur, pull_push

QUIET = 81.0  # squared grey levels, unrest of a wall that can be told from what is before it
AROUND = 6.0  # px, standard deviation of the surroundings in which unrest is measured


def spread(
    rgb: np.ndarray,  # [H, W, 3] uint8
    known: np.ndarray,  # [H, W] uint8, 1 = known
) -> np.ndarray:  # [H, W, 3] float32
    """The colours of the known pixels carried over the others."""
    return pull_push(rgb.astype(np.float32), known.astype(np.float32))


def wall_unrest(
    image: np.ndarray,  # [H, W, 3] float32
    known: np.ndarray,  # [H, W] uint8, 1 = known
) -> np.ndarray:  # [H, W] squared grey levels
    """How much the known colours near a pixel differ among themselves."""
    share = known.astype(np.float32)
    mean = masked_blur(image, share, AROUND)
    return pull_push(np.square(image - mean).sum(2) * share, share)
