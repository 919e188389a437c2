"""Fewer Gaussians for the same avatar: each stands for those around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor
from torch.nn import functional as F

from svad.body.skin import select_gaussians
from svad.compute.moved import moved
from svad.types import Avatar

ROUNDS = 24  # halvings of the interval in which the size of a cell is looked for
NEAR, CLOSE = 4, 0.002  # Gaussians that a finer one blends; metres, nearer ones count alike
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


def thinned(
    avatar: Avatar,  # N Gaussians
    count: int,
) -> Avatar:  # at most `count` Gaussians
    """One Gaussian per cell of a grid in the rest pose, about `count` in all.

    It is the one nearest to the middle of its cell, with the cell's mean colour, and wider along
    its surface by the root of the number it stands for.
    """
    place_of = avatar.gaussians.means.device
    avatar = avatar.to("cpu")
    means = avatar.gaussians.means.double().numpy()
    if len(means) <= count:
        return avatar.to(place_of)
    cells = _cells(means, count)
    _, inverse, amounts = np.unique(cells, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()
    middles = np.stack([np.bincount(inverse, column) for column in means.T], 1) / amounts[:, None]
    away = np.linalg.norm(means - middles[inverse], axis=1)
    order = np.lexsort((away, inverse))
    first = np.searchsorted(inverse[order], np.arange(len(amounts)))
    chosen = order[first]  # [M], in the order of the cells
    ranks = np.argsort(chosen, kind="stable")  # keep the cloud's own order, near in memory
    place = np.empty_like(ranks)
    place[ranks] = np.arange(len(ranks))
    standing, index = torch.from_numpy(place[inverse]), torch.from_numpy(chosen[ranks])
    amount = torch.from_numpy(amounts[ranks])
    fewer = select_gaussians(avatar, index)
    weight = avatar.gaussians.opacities
    total = torch.zeros(len(index)).index_add(0, standing, weight).clamp_min(1e-6)
    colors = torch.zeros(len(index), 3).index_add(
        0, standing, avatar.gaussians.colors * weight[:, None]
    )
    growth = amount.sqrt().clamp(max=WIDEST).float()
    scales = fewer.gaussians.scales
    flat = scales > scales.amin(1, keepdim=True)  # the thickness stays
    scales = torch.where(flat, scales * growth[:, None], scales)
    gaussians = replace(
        fewer.gaussians, colors=(colors / total[:, None]).clamp(0, 1), scales=scales
    )
    return replace(fewer, gaussians=gaussians).to(place_of)


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
