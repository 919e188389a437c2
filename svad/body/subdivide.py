"""Splits every triangle into four at its edge midpoints."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Subdivision:
    """One level of midpoint subdivision: old vertices first and unchanged, then edge midpoints.

    Edges are the unique vertex pairs, smaller index first, in lexicographic order; a face
    (a, b, c) with edge vertices e0 on bc, e1 on ca, e2 on ab becomes (a, e2, e1), (b, e0, e2),
    (c, e1, e0), (e0, e1, e2), written as four blocks over all faces. This is the order published
    avatars use, so their per-vertex arrays can be read.
    """

    edges: Tensor  # [E, 2] int64
    faces: Tensor  # [4 F, 3] int64

    def apply(
        self,
        features: Tensor,  # [V, ...] per-vertex values
    ) -> Tensor:  # [V + E, ...]
        """Old values, then the mean of each edge's two ends."""
        ends = features[self.edges]
        return torch.cat([features, (ends[:, 0] + ends[:, 1]) / 2])

    def apply_mask(
        self,
        mask: Tensor,  # [V] bool
    ) -> Tensor:  # [V + E] bool
        """True on old members and on every edge that touches one: one ring of new vertices more."""
        return self.apply(mask.to(torch.float32)) > 0


def subdivide(
    faces: Tensor,  # [F, 3] int64
    count: int,  # V
) -> Subdivision:
    """Plan one level of midpoint subdivision of a mesh with `count` vertices."""
    a, b, c = faces.unbind(1)
    pairs = torch.stack([torch.cat([b, c, a]), torch.cat([c, a, b])], 1).sort(1).values
    # as one number for each pair, in the same order: rows take many times as long to compare
    numbers, place = torch.unique(pairs[:, 0] * count + pairs[:, 1], return_inverse=True)
    edges = torch.stack([numbers // count, numbers % count], 1)
    e0, e1, e2 = (place + count).chunk(3)
    blocks = [(a, e2, e1), (b, e0, e2), (c, e1, e0), (e0, e1, e2)]
    return Subdivision(edges, torch.cat([torch.stack(block, 1) for block in blocks]))
