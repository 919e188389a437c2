"""Poses one avatar many times and closes the gaps that a pose pulls open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor
from torch.nn import functional as F

from svad.body.skin import RIGID, pose_gaussians
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Pose

NEIGHBOURS = 4
MOST = 2.5  # a Gaussian grows by no more than this factor
RIGID_STEP = 0.004  # neighbours whose weights differ less keep their distance in any pose
OTHER_SHEET = 0.25  # neighbours whose weights differ more lie on another limb
NEAREST = 2e-4  # metres; closer neighbours count as this far away
PROBES = 8  # random directions in which weights are compared


@dataclass(frozen=True)
class Poser:
    """An avatar with the distances between its Gaussians in the photo's pose.

    It poses a single frame or T of them, as `pose_gaussians` does.

    Gaussians are sized for the photo. Where another pose or an expression stretches the surface
    they drift apart and the far side shows through; there each one grows by the second largest
    stretch to its neighbours. In the photo's own pose nothing changes.
    """

    avatar: Avatar
    index: Tensor  # [P] int64, the Gaussians that may drift apart from their neighbours
    neighbours: Tensor  # [4, P] int64
    lengths: Tensor  # [4, P] metres in the photo's pose, infinite for neighbours on other limbs

    @staticmethod
    def of(avatar: Avatar) -> Poser:
        """Finds the neighbours: about half a second for 250,000 Gaussians."""
        with torch.no_grad():
            means = pose_gaussians(avatar, avatar.pose[0]).means
            count = len(means)
            near = min(NEIGHBOURS + 1, count)
            tree = cKDTree(means.numpy(force=True))
            _, found = tree.query(means.numpy(force=True), k=near, workers=2)
            found = torch.as_tensor(found, device=means.device).reshape(count, near)[:, 1:]
            apart = _weight_steps(avatar, found)  # [N, K]
            loose = (apart > RIGID_STEP).any(1)
            loose[avatar.expression_ids] = True
            index = torch.nonzero(loose)[:, 0]
            neighbours = found[index].T.contiguous()
            lengths = _distances(means, index, neighbours).clamp_min(NEAREST)
            lengths[apart[index].T > OTHER_SHEET] = torch.inf
        return Poser(avatar, index, neighbours, lengths)

    def __call__(self, pose: Pose, *, rigid: float = RIGID) -> Gaussians:
        """The Gaussians in a pose, as `pose_gaussians`, with larger ones where they are sparse."""
        posed = pose_gaussians(self.avatar, pose, rigid=rigid)
        if not len(self.neighbours):
            return posed
        stretch = _distances(posed.means, self.index, self.neighbours) / self.lengths
        growth = _second_largest(stretch).clamp(1, MOST)
        scales = posed.scales.clone(memory_format=torch.contiguous_format)
        scales[..., self.index, :] *= growth[..., None]
        return replace(posed, scales=scales)


def _distances(
    means: Tensor,  # [..., N, 3]
    index: Tensor,  # [P] int64
    neighbours: Tensor,  # [K, P] int64
) -> Tensor:  # [..., K, P] metres
    away = means[..., neighbours, :] - means[..., None, index, :]  # [..., K, P, 3]
    return torch.linalg.vector_norm(away, dim=-1)


def _second_largest(
    values: Tensor,  # [..., K, P], K >= 1
) -> Tensor:  # [..., P]
    """The largest but one (a single stray neighbour has no say), or the only one."""
    first, *others = values.unbind(-2)
    second = torch.zeros_like(first) if others else first
    for row in others:
        second = torch.maximum(second, torch.minimum(first, row))
        first = torch.maximum(first, row)
    return second


def _weight_steps(
    avatar: Avatar,  # N
    found: Tensor,  # [N, K] int64
) -> Tensor:  # [N, K], about the Euclidean distance between the weights of neighbours
    """How differently neighbours are bound, from random projections of their weights."""
    random = torch.Generator().manual_seed(0)
    table = torch.randn(len(avatar.parents), PROBES, generator=random) / PROBES**0.5
    weights = avatar.joint_weights
    table = table.to(device=weights.device, dtype=weights.dtype)
    code = F.embedding_bag(avatar.joint_ids, table, per_sample_weights=weights, mode="sum")
    return torch.linalg.vector_norm(code[found] - code[:, None], dim=-1)
