"""Fewer Gaussians for the same avatar: each stands for those around it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor
from torch.nn import functional as F

from svad.body.skin import select_gaussians
from svad.compute.moved import moved
from svad.splat.gaussians import Gaussians
from svad.types import Avatar

ROUNDS = 24  # halvings of the interval in which the size of a cell is looked for
NEAR, CLOSE = 4, 5e-4  # Gaussians that a finer one blends; metres, nearer ones count alike
SEEN = 0.5  # known part from which a Gaussian counts as shown by the photo
HIDDEN = 0.6  # part of the coarse cloud for what is not shown
WIDEST = 3.0  # a Gaussian grows by no more than this factor for those it stands for


@dataclass(frozen=True)
class Blend:
    """How values of N Gaussians are spread over M finer ones: K nearby for each."""

    ids: Tensor  # [M, K] int64
    weights: Tensor  # [M, K], rows sum to 1

    def __call__(
        self,
        values: Tensor,  # [N, C]
    ) -> Tensor:  # [M, C]
        """The weighted mean of those nearby."""
        return F.embedding_bag(self.ids, values, per_sample_weights=self.weights, mode="sum")

    def to(self, device: torch.device | str) -> Blend:
        """The same on another device."""
        return moved(self, device)


def blend_onto(
    finer: Avatar,  # M Gaussians
    coarse: Avatar,  # N Gaussians
) -> Blend:
    """The nearest in the rest pose, where limbs are apart, the nearer the more."""
    means = coarse.gaussians.means.numpy(force=True)
    near = min(NEAR, len(means))
    away, ids = cKDTree(means).query(finer.gaussians.means.numpy(force=True), k=near, workers=2)
    away, ids = np.asarray(away).reshape(-1, near), np.asarray(ids).reshape(-1, near)
    weights = 1 / (away**2 + CLOSE**2)
    weights /= weights.sum(1, keepdims=True)
    found = Blend(torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(weights).float())
    return found.to(finer.gaussians.means.device)


def two_clouds(
    avatar: Avatar,  # N Gaussians
    known: Tensor,  # [N, 1] 0..1, how far the photo tells each one's colour
    few: int,  # of the coarse cloud
    many: int,  # at most, of the fine one
) -> tuple[Avatar, Avatar]:
    """A coarse cloud, and one that is finer where the photo tells more.

    What the photo does not show has the same Gaussians in both, a share of `few`; what it shows is
    thinned in the coarse cloud and kept as far as `many` goes in the fine one.
    """
    if len(avatar.gaussians) <= few:
        return avatar, avatar
    seen = known[:, 0] > SEEN
    parts = [torch.nonzero(part)[:, 0] for part in (~seen, seen)]
    hidden, shown = (select_gaussians(avatar, index) for index in parts)
    if not len(hidden.gaussians) or not len(shown.gaussians):
        return thinned(avatar, few), thinned(avatar, many)
    hidden = thinned(hidden, max(1, round(HIDDEN * few)))
    count = len(hidden.gaussians)
    coarse, fine = (thinned(shown, max(1, most - count)) for most in (few, max(few, many)))
    return joined(hidden, coarse), joined(hidden, fine)


def joined(
    first: Avatar,  # N Gaussians
    second: Avatar,  # M Gaussians of the same person
) -> Avatar:
    """All of both, without what poses change."""
    a, b = first.gaussians, second.gaussians
    both = {f.name: torch.cat([getattr(a, f.name), getattr(b, f.name)]) for f in fields(a)}
    return replace(
        first,
        gaussians=Gaussians(**both),
        joint_ids=torch.cat([first.joint_ids, second.joint_ids]),
        joint_weights=torch.cat([first.joint_weights, second.joint_weights]),
        expression_ids=torch.cat([first.expression_ids, second.expression_ids + len(a)]),
        expression_dirs=torch.cat([first.expression_dirs, second.expression_dirs]),
        correctives=None,
    )


def thinned(
    avatar: Avatar,  # N Gaussians
    count: int,
) -> Avatar:  # at most `count` Gaussians
    """One Gaussian per cell of a grid in the rest pose, about `count` in all.

    It is the one nearest to the middle of its cell, with the cell's mean colour, and wider along
    its surface by the root of the number it stands for.
    """
    means, place = avatar.gaussians.means.double().numpy(force=True), avatar.gaussians.means.device
    if len(means) <= count:
        return avatar
    cells = _cells(means, count)
    _, inverse, amounts = np.unique(cells, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()
    middles = np.stack([np.bincount(inverse, column) for column in means.T], 1) / amounts[:, None]
    away = np.linalg.norm(means - middles[inverse], axis=1)
    order = np.lexsort((away, inverse))
    first = np.searchsorted(inverse[order], np.arange(len(amounts)))
    chosen = order[first]  # [M], in the order of the cells
    ranks = np.argsort(chosen, kind="stable")  # keep the cloud's own order, near in memory
    rank_of = np.empty_like(ranks)
    rank_of[ranks] = np.arange(len(ranks))
    arrays = rank_of[inverse], chosen[ranks], amounts[ranks]
    standing, index, amount = (torch.from_numpy(array).to(place) for array in arrays)
    fewer = select_gaussians(avatar, index)
    weight = avatar.gaussians.opacities
    total = (
        torch.zeros_like(fewer.gaussians.opacities).index_add(0, standing, weight).clamp_min(1e-6)
    )
    colors = torch.zeros_like(fewer.gaussians.colors).index_add(
        0, standing, avatar.gaussians.colors * weight[:, None]
    )
    growth = amount.sqrt().clamp(max=WIDEST).float()
    scales = fewer.gaussians.scales
    flat = scales > scales.amin(1, keepdim=True)  # the thickness stays
    scales = torch.where(flat, scales * growth[:, None], scales)
    gaussians = replace(
        fewer.gaussians, colors=(colors / total[:, None]).clamp(0, 1), scales=scales
    )
    return replace(fewer, gaussians=gaussians)


def _cells(means: np.ndarray, count: int) -> np.ndarray:  # [N, 3] -> [N] int64
    """Numbers of cells of the smallest size that makes no more than `count` of them."""
    low, high = means.min(0), float(np.ptp(means, 0).max())
    small, large = 0.0, 1.001 * max(high, 1e-6)  # the whole cloud is less than one cell

    def numbers(size: float) -> np.ndarray:
        place = ((means - low) / size).astype(np.int64)
        span = place.max(0) + 1
        return (place[:, 0] * span[1] + place[:, 1]) * span[2] + place[:, 2]

    for _ in range(ROUNDS):
        middle = (small + large) / 2
        if len(np.unique(numbers(middle))) > count:
            small = middle
        else:
            large = middle
    return numbers(large)
