"""Fewer Gaussians for the same avatar: each stands for those around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.body.skin import select_gaussians
from svad.types import Avatar

ROUNDS = 24  # halvings of the interval in which the size of a cell is looked for
WIDEST = 3.0  # a Gaussian grows by no more than this factor for those it stands for


def thinned(
    avatar: Avatar,  # N Gaussians
    count: int,
) -> tuple[Avatar, Tensor]:  # M <= count Gaussians; [N] int64, the one that stands for each
    """One Gaussian per cell of a grid in the rest pose, about `count` in all.

    It is the one nearest to the middle of its cell, with the cell's mean colour, and wider along
    its surface by the root of the number it stands for.
    """
    means, place = avatar.gaussians.means.double().numpy(force=True), avatar.gaussians.means.device
    if len(means) <= count:
        return avatar, torch.arange(len(means), device=place)
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
    return replace(fewer, gaussians=gaussians), standing


def _cells(means: np.ndarray, count: int) -> np.ndarray:  # [N, 3] -> [N] int64
    """Numbers of cells of the smallest size that makes no more than `count` of them."""
    low, high = means.min(0), float(np.ptp(means, 0).max())
    small, large = 0.0, max(high, 1e-6)

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
