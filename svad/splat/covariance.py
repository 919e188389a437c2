"""Covariances of Gaussians as matrices, and back to axes."""

from __future__ import annotations

import torch
from torch import Tensor

from svad.geometry.rotation import matrix_to_quaternion, quaternion_to_matrix


def covariances(
    scales: Tensor,  # [N, 3]
    quats: Tensor,  # [N, 4], real part first, taken as they are
) -> Tensor:  # [N, 3, 3]
    """R diag(scales)^2 R^T with R the polynomial of a quaternion that is not normalised."""
    scaled = quaternion_to_matrix(quats, normalise=False) * scales[:, None, :]
    return scaled @ scaled.mT


def axes(
    matrices: Tensor,  # [..., 3, 3] symmetric, not negative
) -> tuple[Tensor, Tensor]:  # scales [..., 3], unit quaternions [..., 4]
    """Scales and rotations of the same covariances, by decomposition in float64 on the CPU."""
    values, vectors = torch.linalg.eigh(matrices.detach().double().cpu())
    flip = torch.linalg.det(vectors).sign()
    vectors = torch.cat([vectors[..., :2], vectors[..., 2:] * flip[..., None, None]], -1)
    parts = values.clamp_min(0).sqrt(), matrix_to_quaternion(vectors, positive=False)
    scales, quats = (part.to(matrices) for part in parts)
    return scales, quats
