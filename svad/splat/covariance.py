"""Covariances of Gaussians as matrices, and back to axes."""

from __future__ import annotations

import torch
from torch import Tensor


def covariances(
    scales: Tensor,  # [N, 3]
    quats: Tensor,  # [N, 4], real part first, taken as they are
) -> Tensor:  # [N, 3, 3]
    """R diag(scales)^2 R^T with R the polynomial of a unit quaternion.

    Quaternions are not normalised: one of another length gives an R that is no rotation, as in
    the rasteriser of Kerbl et al. 2023. A very short one gives nearly the identity.
    """
    w, x, y, z = quats.unbind(-1)
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    scaled = torch.stack(rows, -1).unflatten(-1, (3, 3)) * scales[:, None, :]
    return scaled @ scaled.mT


def axes(
    matrices: Tensor,  # [N, 3, 3] symmetric, not negative
) -> tuple[Tensor, Tensor]:  # scales [N, 3], unit quaternions [N, 4]
    """Scales and rotations of the same covariances, by decomposition in float64 on the CPU."""
    values, vectors = torch.linalg.eigh(matrices.detach().double().cpu())
    flip = torch.linalg.det(vectors).sign()
    vectors = torch.cat([vectors[..., :2], vectors[..., 2:] * flip[:, None, None]], -1)
    parts = values.clamp_min(0).sqrt(), _quaternions(vectors)
    scales, quats = (part.to(matrices) for part in parts)
    return scales, quats


def _quaternions(rotations: Tensor) -> Tensor:  # [N, 3, 3] -> [N, 4], unit, real part first
    """Each by the column of q q^T with the largest diagonal, which divides by no small number."""
    (a, b, c), (d, e, f), (g, h, i) = (row.unbind(-1) for row in rotations.unbind(-2))
    products = (
        1 + a + e + i, h - f, c - g, d - b,
        h - f, 1 + a - e - i, b + d, c + g,
        c - g, b + d, 1 - a + e - i, f + h,
        d - b, c + g, f + h, 1 - a - e + i,
    )  # fmt: skip
    outer = torch.stack(products, -1).unflatten(-1, (4, 4))
    best = outer.diagonal(dim1=-2, dim2=-1).argmax(-1)
    column = outer[torch.arange(len(outer), device=outer.device), best]
    return torch.nn.functional.normalize(column, dim=-1)
