"""One pose of a cloud on the CPU: compiled, with gradients in closed form.

The same transforms as `svad.body.skin.pose_gaussians`, for what is posed again and again.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from svad.body.kernels.joints import chain, chain_backward
from svad.body.kernels.points import TABLE, points, points_backward
from svad.body.skin import RIGID
from svad.compute.compiled import spread

PARTS = 8  # fixed, so that sums have one order on any number of threads


class _Pose(torch.autograd.Function):
    @staticmethod
    def forward(ctx, means, rotations, translation, joints, quats, ids, weights, parents, rigid):
        arrays = [t.detach().contiguous().numpy() for t in (means, quats, ids, weights)]
        angles, rest = rotations.detach().double().numpy(), joints.detach().double().numpy()
        above = np.asarray(parents, np.int64)
        world, places = np.empty((len(above), 4)), np.empty((len(above), 3))
        table = np.empty((len(above), TABLE), np.float32)
        chain(angles, rest, above, world, places, table)
        placed, turned = np.empty_like(arrays[0]), np.empty_like(arrays[1])
        edges = np.linspace(0, len(arrays[0]), PARTS + 1).astype(np.int64)
        share, shift = np.float32(rigid), translation.detach().float().contiguous().numpy()
        spread(
            points, range(PARTS + 1), torch.get_num_threads(), edges, table, shift, share,
            *arrays, placed, turned,
        )  # fmt: skip
        ctx.kept = arrays, edges, table, share, (angles, rest, above, world, places)
        return torch.from_numpy(placed), torch.from_numpy(turned)

    @staticmethod
    @once_differentiable
    def backward(ctx, g_placed, g_turned):
        arrays, edges, table, share, (angles, rest, above, world, places) = ctx.kept
        g_means = np.empty_like(arrays[0])
        sums = np.zeros((PARTS, *table.shape)), np.zeros((PARTS, 3))
        spread(
            points_backward, range(PARTS + 1), torch.get_num_threads(), edges, table,
            share, *arrays, g_placed.contiguous().numpy(), g_turned.contiguous().numpy(),
            g_means, *sums,
        )  # fmt: skip
        g_rotations, g_joints = np.empty_like(rest), np.zeros_like(rest)
        chain_backward(angles, rest, above, world, places, sums[0].sum(0), g_rotations, g_joints)
        found = (g_rotations, sums[1].sum(0), g_joints)
        return torch.from_numpy(g_means), *(torch.from_numpy(g).float() for g in found), *[None] * 5


def pose_cloud(
    means: Tensor,  # [N, 3] rest points, metres
    quats: Tensor,  # [N, 4] unit quaternions at rest
    ids: Tensor,  # [N, K] int64, joints of each point
    weights: Tensor,  # [N, K], rows sum to 1
    joints: Tensor,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
    rotations: Tensor,  # [55, 3] axis-angle, radians
    translation: Tensor,  # [3] metres
    *,
    rigid: float = RIGID,  # share of dual quaternions
) -> tuple[Tensor, Tensor]:  # [N, 3] posed points, [N, 4] turned quaternions
    """float32 on the CPU; differentiable once in means, rotations, translation and joints."""
    return _Pose.apply(means, rotations, translation, joints, quats, ids, weights, parents, rigid)  # pyright: ignore[reportReturnType]
