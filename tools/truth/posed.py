"""Posing and projecting a million points, compiled: what takes the time when a clip is drawn."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from svad.body.lbs import joint_transforms
from svad.body.skin import RIGID, dual_quaternions
from svad.compute.compiled import cached
from svad.geometry.camera import Camera
from svad.types import Pose


def posed_points(
    points: Tensor,  # [P, 3] rest, metres
    ids: Tensor,  # [P, 4] int64
    weights: Tensor,  # [P, 4]
    joints: Tensor,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
    pose: Pose,  # a single frame
) -> np.ndarray:  # [P, 3] float32 metres
    """What `svad.body.skin.pose_points` gives, in a tenth of its time."""
    matrices = joint_transforms(pose.rotations, joints, parents)  # [55, 3, 4]
    real, dual = dual_quaternions(pose.rotations, matrices[..., 3], parents)
    table = torch.cat([real, dual, matrices.flatten(-2)], -1)  # [55, 20]
    out = np.empty(tuple(points.shape), np.float32)
    p, i, w, t, shift = (
        a.contiguous().numpy() for a in (points, ids, weights, table, pose.translation)
    )
    _pose(p, i, w, t, shift, np.float32(RIGID), out)
    return out


def projected(
    camera: Camera,
    points: np.ndarray,  # [P, 3] metres
) -> np.ndarray:  # [P, 3] float32 x px, y px, depth in metres
    """What `camera.project` gives."""
    out = np.empty(points.shape, np.float32)
    lens = np.array([*camera.focal, *camera.center], np.float64)
    turn, move = camera.rotation.astype(np.float64), camera.translation.astype(np.float64)
    _project(points, turn, move, lens, out)
    return out


@cached(nogil=True, error_model="numpy", fastmath=True)
def _pose(points, ids, weights, table, shift, rigid, out):
    """Blends of dual quaternions (Kavan et al. 2008, algorithm 1) and of matrices, mixed."""
    m = np.empty(20, np.float32)
    rest = np.float32(1) - rigid
    two = np.float32(2) * rigid
    half = np.float32(0.5)
    for p in range(points.shape[0]):
        m[:] = 0
        for k in range(ids.shape[1]):
            share = weights[p, k]
            if share != 0:
                joint = ids[p, k]
                for i in range(20):
                    m[i] += share * table[joint, i]
        s = np.float32(1) / np.sqrt(max(m[0] ** 2 + m[1] ** 2 + m[2] ** 2 + m[3] ** 2, 1e-16))
        w, x, y, z = m[0] * s, m[1] * s, m[2] * s, m[3] * s
        dw, dx, dy, dz = m[4] * s, m[5] * s, m[6] * s, m[7] * s
        px, py, pz = points[p, 0], points[p, 1], points[p, 2]
        out[p, 0] = (
            rest * (m[8] * px + m[9] * py + m[10] * pz + m[11])
            + two * ((half - y * y - z * z) * px + (x * y - w * z) * py + (x * z + w * y) * pz)
            + two * (w * dx - dw * x + y * dz - z * dy)
            + shift[0]
        )
        out[p, 1] = (
            rest * (m[12] * px + m[13] * py + m[14] * pz + m[15])
            + two * ((x * y + w * z) * px + (half - x * x - z * z) * py + (y * z - w * x) * pz)
            + two * (w * dy - dw * y + z * dx - x * dz)
            + shift[1]
        )
        out[p, 2] = (
            rest * (m[16] * px + m[17] * py + m[18] * pz + m[19])
            + two * ((x * z - w * y) * px + (y * z + w * x) * py + (half - x * x - y * y) * pz)
            + two * (w * dz - dw * z + x * dy - y * dx)
            + shift[2]
        )


@cached(nogil=True, error_model="numpy")
def _project(points, turn, move, lens, out):
    for p in range(points.shape[0]):
        a, b, c = points[p, 0], points[p, 1], points[p, 2]
        x = turn[0, 0] * a + turn[0, 1] * b + turn[0, 2] * c + move[0]
        y = turn[1, 0] * a + turn[1, 1] * b + turn[1, 2] * c + move[1]
        z = turn[2, 0] * a + turn[2, 1] * b + turn[2, 2] * c + move[2]
        out[p, 0] = x / z * lens[0] + lens[2]
        out[p, 1] = y / z * lens[1] + lens[3]
        out[p, 2] = z
