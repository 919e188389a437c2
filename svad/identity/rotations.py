"""Rotations as the tracker writes them: two kinds of six numbers, axis-angle, smoothing.

The camera optimiser keeps the first two rows of a matrix; the head detector gives two columns in
another order. Both are brought back to a rotation by Gram-Schmidt.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from svad.geometry.rotation import rodrigues


def axis_angle_to_matrix(vector: Tensor) -> Tensor:  # [..., 3] radians -> [..., 3, 3]
    """Axis-angle to rotation matrix."""
    return rodrigues(vector)


def matrix_to_rows(matrix: Tensor) -> Tensor:  # [..., 3, 3] -> [..., 6]
    """The first two rows, one after the other."""
    return matrix[..., :2, :].flatten(-2)


def rows_to_matrix(six: Tensor) -> Tensor:  # [..., 6] -> [..., 3, 3]
    """A rotation whose first two rows are nearest to the six numbers (Gram-Schmidt)."""
    first, second = normalize(six[..., :3], dim=-1), six[..., 3:]
    second = normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -2)


def columns_to_matrix(six: Tensor) -> Tensor:  # [..., 6] -> [..., 3, 3]
    """The head detector's form: the first column, then a vector of the plane of the second."""
    first = normalize(six[..., :3], dim=-1)
    third = normalize(torch.linalg.cross(first, six[..., 3:]), dim=-1)
    return torch.stack([first, -torch.linalg.cross(first, third), third], -1)
