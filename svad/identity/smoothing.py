"""Exponential smoothing of what is tracked frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor

from svad.geometry.rotation import matrix_to_rows6, rows6_to_matrix

BOX, CAMERA, EYES = 0.03, 0.6, 0.7  # weight of the new value, as published


def smooth(
    values: Tensor,  # [T, ...], in the order of time
    weight: float,  # of the new value; 1 = not smoothed
) -> Tensor:  # [T, ...]
    """Each value mixed with the smoothed one before it; the first stays as it is."""
    kept = [values[0]]
    for value in values[1:]:
        kept.append(weight * value + (1 - weight) * kept[-1])
    return torch.stack(kept)


def smooth_cameras(
    cameras: Tensor,  # [T, 3, 4]
    weight: float = CAMERA,
) -> Tensor:  # [T, 3, 4]
    """Smooths the first two rows of the rotations, and the translations."""
    turns = rows6_to_matrix(smooth(matrix_to_rows6(cameras[..., :3]), weight))
    return torch.cat([turns, smooth(cameras[..., 3:], weight)], -1)
