"""Fewer Gaussians for pages: which stay, and how much larger they are then."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from svad.body.skeleton import HEAD_JOINTS, Joint
from svad.splat.gaussians import Gaussians
from svad.splat.render import spatial_order
from svad.types import Avatar

DETAIL = (Joint.NECK, *HEAD_JOINTS)  # kept in full
# How unlike two Gaussians are, in colours (sums of r, g, b of 0..1): by metre between them, and by
# each that either stands for already, so that a plain back does not become a few large ones.
FAR, LARGE = 12.5, 0.03


def on_head(avatar: Avatar) -> Tensor:  # [N] bool
    """The Gaussians that mostly follow the head: faces are what people look at."""
    strongest = avatar.joint_weights.argmax(1, keepdim=True)
    joint = avatar.joint_ids.gather(1, strongest)[:, 0]
    return torch.isin(joint, torch.tensor(DETAIL, device=joint.device))


def thinned(
    gaussians: Gaussians,  # N
    detail: Tensor,  # [N] bool
    limit: int,
) -> Gaussians:  # M <= limit
    """Fewer Gaussians, larger so that they cover the same area: see `picked`."""
    if len(gaussians) <= limit:
        return gaussians
    index, growth = picked(gaussians, detail, limit)
    return grown(gaussians.select(index), growth)


def picked(
    gaussians: Gaussians,  # N
    detail: Tensor,  # [N] bool
    limit: int,
) -> tuple[Tensor, Tensor]:  # [M] int64, M <= limit; [M], factor of the area each has to cover
    """Which Gaussians stay where only `limit` may, in the order of a space-filling curve.

    Round by round neighbours on the curve become one, the most alike first: plain cloth is thinned
    before patterns, folds and seams. Those with `detail` stay while they fill at most half of the
    limit.
    """
    means = gaussians.means.detach().cpu()
    n, order = len(means), spatial_order(means)
    means, colors = means[order], gaussians.colors.detach().cpu()[order]
    fixed = detail.cpu()[order]
    if int(fixed.sum()) > limit // 2:
        fixed = torch.zeros_like(fixed)
    index, area = torch.arange(n), torch.ones(n)
    first = 0
    while len(index) > limit:
        a, b = _pairs(index[~fixed[index]], first)
        first = 1 - first
        unlike = (colors[a] - colors[b]).abs().sum(1)
        unlike += FAR * (means[a] - means[b]).norm(dim=1) + LARGE * (area[a] + area[b])
        gone = torch.argsort(unlike, stable=True)[: min(len(index) - limit, max(1, len(a) // 2))]
        area[a[gone]] += area[b[gone]]
        stays = torch.ones(n, dtype=torch.bool)
        stays[b[gone]] = False
        index = index[stays[index]]
    place = gaussians.means.device
    return order[index].to(place), area[index].to(gaussians.means)


def _pairs(
    index: Tensor,  # [K] int64
    first: int,  # 0 or 1: where pairs begin
) -> tuple[Tensor, Tensor]:  # each [P] int64
    """Neighbours on the curve, two by two."""
    count = (len(index) - first) // 2
    pairs = index[first : first + 2 * count].reshape(count, 2)
    return pairs[:, 0], pairs[:, 1]


def grown(
    gaussians: Gaussians,  # N
    growth: Tensor,  # [N], factor of the area each covers
) -> Gaussians:  # N
    """Larger Gaussians, in place of the ones that were left out."""
    return replace(gaussians, scales=_spread(gaussians.scales, growth))


def _spread(
    scales: Tensor,  # [N, 3]
    growth: Tensor,  # [N], factor of the area that the two larger axes cover
) -> Tensor:  # [N, 3]
    """Larger Gaussians that grow across first: a long one must not become a spike."""
    size, axis = scales.sort(dim=1, descending=True)
    long, short, flat = size.unbind(1)
    wide = short * growth
    even = (long * wide).sqrt()
    grown = torch.stack([torch.maximum(long, even), torch.where(wide > long, even, wide), flat], 1)
    return torch.empty_like(scales).scatter_(1, axis, grown)
