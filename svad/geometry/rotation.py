"""Rotations: axis-angle, matrices, quaternions and six numbers (6D), into each other.

Three functions do Rodrigues' formula, since their last digits matter: `rodrigues` is exact at zero,
`rodrigues_published` repeats the numbers of the published SMPL-X skinning, `rodrigues_array` spares
solvers that call it thousands of times the way into torch and back.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

PUBLISHED_OFFSET = 1e-8  # added inside the norm of a rotation by the published skinning


def rodrigues(
    axis_angle: Tensor,  # [..., 3] radians
) -> Tensor:  # [..., 3, 3]
    """Axis-angle to rotation matrix (Rodrigues), with exact gradients at zero rotation."""
    t2 = (axis_angle * axis_angle).sum(-1)[..., None, None]
    small = t2 < 1e-6
    t = torch.where(small, torch.ones_like(t2), t2).sqrt()
    # Taylor series near zero: sin(t)/t and (1 - cos(t))/t^2, error below 1e-14
    a = torch.where(small, 1 - t2 / 6, torch.sin(t) / t)
    half = torch.sin(t / 2) / t  # 2 (sin(t/2)/t)^2 loses no digits, 1 - cos(t) does
    b = torch.where(small, 0.5 - t2 / 24, 2 * half * half)
    k = cross_matrix(axis_angle)
    eye = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return eye + a * k + b * (k @ k)


def rodrigues_published(
    axis_angle: Tensor,  # [..., 3] radians
) -> Tensor:  # [..., 3, 3]
    """Axis-angle to matrix as the published skinning has it: safe at zero, with a gradient."""
    angle = (axis_angle + PUBLISHED_OFFSET).norm(dim=-1, keepdim=True)
    k = cross_matrix(axis_angle / angle)
    angle = angle[..., None]
    eye = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return eye + angle.sin() * k + (1 - angle.cos()) * (k @ k)


def rodrigues_array(
    axis_angle: np.ndarray,  # [..., 3] radians
) -> np.ndarray:  # [..., 3, 3] float64
    """Axis-angle to rotation matrix in numpy; right to 1e-8 near zero rotation."""
    angle = np.sqrt((axis_angle**2).sum(-1) + 1e-16)[..., None, None]
    axis = axis_angle / angle[..., 0]
    k = np.zeros((*axis.shape[:-1], 3, 3))
    k[..., 2, 1], k[..., 0, 2], k[..., 1, 0] = axis[..., 0], axis[..., 1], axis[..., 2]
    k[..., 1, 2], k[..., 2, 0], k[..., 0, 1] = -axis[..., 0], -axis[..., 1], -axis[..., 2]
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def axis_rotation(
    axis: int,  # 0, 1, 2 for x, y, z
    radians: float | np.ndarray,  # [...] right-handed: about z it brings +x to +y
) -> np.ndarray:  # [..., 3, 3] float64
    """Rotation about a coordinate axis."""
    angle = np.asarray(radians, np.float64)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    m = np.zeros((*angle.shape, 3, 3)) + np.eye(3)
    m[..., a, a] = m[..., b, b] = np.cos(angle)
    m[..., b, a] = np.sin(angle)
    m[..., a, b] = -np.sin(angle)
    return m


def shortest_rotation(
    source: np.ndarray,  # [3] any length but zero
    target: np.ndarray,  # [3] any length but zero, not opposite to the source
) -> np.ndarray:  # [3, 3] float64
    """The rotation by the smallest angle that brings one direction to another."""
    a, b = (np.asarray(v, np.float64) / np.linalg.norm(v) for v in (source, target))
    x, y, z = np.cross(a, b)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + k + 1 / (1 + a @ b) * k @ k


def cross_matrix(
    v: Tensor,  # [..., 3]
) -> Tensor:  # [..., 3, 3], such that cross_matrix(v) @ w = v x w
    """The matrix of a cross product."""
    x, y, z = v.unbind(-1)
    o = torch.zeros_like(x)
    return torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).unflatten(-1, (3, 3))


def axis_angle_to_quaternion(
    axis_angle: Tensor,  # [..., 3] radians
) -> Tensor:  # [..., 4] (w, x, y, z), unit
    """Axis-angle to quaternion, real part first."""
    t2 = (axis_angle * axis_angle).sum(-1, keepdim=True)
    small = t2 < 1e-6
    t = torch.where(small, torch.ones_like(t2), t2).sqrt()
    scale = torch.where(small, 0.5 - t2 / 48, torch.sin(t / 2) / t)
    real = torch.where(small, 1 - t2 / 8, torch.cos(t / 2))
    return torch.cat([real, axis_angle * scale], -1)


def quaternion_to_axis_angle(
    quaternion: Tensor,  # [..., 4] (w, x, y, z), any length but zero
) -> Tensor:  # [..., 3] radians, angle in [0, pi]
    """Quaternion to the shortest axis-angle."""
    q = F.normalize(quaternion, dim=-1)
    q = torch.where(q[..., :1] < 0, -q, q)
    n2 = (q[..., 1:] * q[..., 1:]).sum(-1, keepdim=True)
    small = n2 < 1e-12
    n = torch.where(small, torch.ones_like(n2), n2).sqrt()
    factor = torch.where(small, 2 / q[..., :1], 2 * torch.atan2(n, q[..., :1]) / n)
    return q[..., 1:] * factor


def quaternion_to_matrix(
    quaternion: Tensor,  # [..., 4] (w, x, y, z), any length but zero
    normalise: bool = True,
) -> Tensor:  # [..., 3, 3]
    """Quaternion to rotation matrix.

    Without `normalise` a quaternion of another length than one gives a matrix that is no rotation,
    as in the rasteriser of Kerbl et al. 2023; a very short one gives nearly the identity.
    """
    if normalise:
        quaternion = F.normalize(quaternion, dim=-1)
    w, x, y, z = quaternion.unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def matrix_to_quaternion(
    matrix: Tensor,  # [..., 3, 3] rotation
    positive: bool = True,  # w >= 0; else the largest component is positive
) -> Tensor:  # [..., 4] (w, x, y, z), unit
    """Rotation matrix to quaternion, real part first.

    Each component could be the divisor; the largest is taken, so no digits are lost near pi.
    """
    m = matrix
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    xy, xz, yz = (
        m[..., 0, 1] + m[..., 1, 0],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 1, 2] + m[..., 2, 1],
    )
    # row i = 4 q_i q, of which the row with the longest diagonal is the most exact
    rows = [
        torch.stack([1 + xx + yy + zz, wx, wy, wz], -1),
        torch.stack([wx, 1 + xx - yy - zz, xy, xz], -1),
        torch.stack([wy, xy, 1 - xx + yy - zz, yz], -1),
        torch.stack([wz, xz, yz, 1 - xx - yy + zz], -1),
    ]
    table = torch.stack(rows, -2)
    best = table.diagonal(dim1=-2, dim2=-1).argmax(-1)
    q = torch.take_along_dim(table, best[..., None, None], -2).squeeze(-2)
    q = F.normalize(q, dim=-1)
    return torch.where(q[..., :1] < 0, -q, q) if positive else q


def matrix_to_axis_angle(
    matrix: Tensor,  # [..., 3, 3] rotation
) -> Tensor:  # [..., 3] radians, angle in [0, pi]
    """Rotation matrix to the shortest axis-angle."""
    return quaternion_to_axis_angle(matrix_to_quaternion(matrix))


def matrix_to_rows6(
    matrix: Tensor,  # [..., 3, 3]
) -> Tensor:  # [..., 6]
    """The first two rows of a rotation matrix, flattened."""
    return matrix[..., :2, :].flatten(-2)


def rows6_to_matrix(
    rows: Tensor,  # [..., 6], two rows, not parallel
) -> Tensor:  # [..., 3, 3]
    """Two rows back to a rotation matrix by Gram-Schmidt; row three is their cross product."""
    a, b = rows[..., :3], rows[..., 3:]
    a = F.normalize(a, dim=-1)
    b = F.normalize(b - (a * b).sum(-1, keepdim=True) * a, dim=-1)
    return torch.stack([a, b, torch.linalg.cross(a, b, dim=-1)], -2)


def columns6_to_matrix(
    columns: Tensor,  # [..., 6], two columns, not parallel
) -> Tensor:  # [..., 3, 3]
    """The first column and a vector of the plane of the first two, back to a rotation matrix."""
    first = F.normalize(columns[..., :3], dim=-1)
    third = F.normalize(torch.linalg.cross(first, columns[..., 3:], dim=-1), dim=-1)
    return torch.stack([first, -torch.linalg.cross(first, third, dim=-1), third], -1)


def quaternion_multiply(
    a: Tensor,  # [..., 4] (w, x, y, z)
    b: Tensor,  # [..., 4]
) -> Tensor:  # [..., 4], the rotation that first does b, then a
    """Hamilton product."""
    aw, av = a[..., :1], a[..., 1:]
    bw, bv = b[..., :1], b[..., 1:]
    real = aw * bw - (av * bv).sum(-1, keepdim=True)
    return torch.cat([real, aw * bv + bw * av + torch.linalg.cross(av, bv, dim=-1)], -1)


def invert3(
    matrix: Tensor,  # [..., 3, 3]
) -> Tensor:  # [..., 3, 3]
    """Inverse of many small matrices by cofactors: far faster than LU for large N."""
    a, b, c = matrix.unbind(-2)
    columns = [
        torch.linalg.cross(b, c, dim=-1),
        torch.linalg.cross(c, a, dim=-1),
        torch.linalg.cross(a, b, dim=-1),
    ]
    adjugate = torch.stack(columns, -1)
    return adjugate / (a * columns[0]).sum(-1)[..., None, None]
