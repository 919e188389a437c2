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
    """Every k-th Gaussian along a space-filling curve, larger so that they cover the same area.

    Those with `detail` are kept while they fill at most half of the limit.
    """
    if len(gaussians) <= limit:
        return gaussians
    index, growth = picked(gaussians.means, detail, limit)
    return grown(gaussians.select(index), growth)


def picked(
    means: Tensor,  # [N, 3] metres
    detail: Tensor,  # [N] bool
    limit: int,
) -> tuple[Tensor, Tensor]:  # [M] int64, M <= limit; [M], factor of the area each has to cover
    """Which Gaussians stay where only `limit` may, in the order of a space-filling curve."""
    n, order = len(means), spatial_order(means)
    if n <= limit:
        return order, means.new_ones(n)
    kept = detail[order] if int(detail.sum()) <= limit // 2 else torch.zeros_like(detail)
    rest = torch.nonzero(~kept)[:, 0]
    room = limit - (n - len(rest))
    chosen = rest[torch.arange(room) * len(rest) // room]
    growth = means.new_ones(n)
    growth[chosen] = len(rest) / room  # Gaussians lie on a surface: area counts
    index = torch.sort(torch.cat([torch.nonzero(kept)[:, 0], chosen])).values
    return order[index], growth[index]


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
