"""Linear blend skinning as pure functions of tensors."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from svad.compute.moved import placed
from svad.geometry.rotation import rodrigues


def rigid_chain(
    rotations: Tensor,  # [..., J, 3, 3] rotation of each joint relative to its parent
    joints: Tensor,  # [..., J, 3] rest joints, metres
    parents: tuple[int, ...],  # J, root -1, parents before children
) -> tuple[Tensor, Tensor]:  # world rotations [..., J, 3, 3], posed joints [..., J, 3]
    """Forward kinematics of the joint tree, one step per depth of the tree."""
    levels, positions, before = _placed_levels(parents, joints.device)
    bones = joints - joints[..., before, :]
    # numpy's, because torch's own loads sympy on first use
    shape = np.broadcast_shapes(rotations.shape[:-2], joints.shape[:-1])
    rotations = rotations.expand(*shape, 3, 3)
    turn = rotations[..., levels[0][0], :, :]
    place = joints[..., levels[0][0], :].expand(*shape[:-1], len(levels[0][0]), 3)
    turns, places = [turn], [place]
    for ids, above in levels[1:]:
        turn, place = turn[..., above, :, :], place[..., above, :]
        place = place + (turn @ bones[..., ids, :, None]).squeeze(-1)
        turn = turn @ rotations[..., ids, :, :]
        turns.append(turn)
        places.append(place)
    return torch.cat(turns, -3)[..., positions, :, :], torch.cat(places, -2)[..., positions, :]


@lru_cache(maxsize=16)
def _placed_levels(
    parents: tuple[int, ...], device: torch.device
) -> tuple[list[tuple[Tensor, Tensor]], Tensor, Tensor]:
    """`_levels` and each joint's parent, where they are used: a list is moved again at each use."""

    def there(numbers: list[int]) -> Tensor:
        with torch.inference_mode(False):  # they outlive the one who asks first
            return placed(torch.tensor(numbers, dtype=torch.int64), device)

    levels, positions = _levels(parents)
    placed_levels = [(there(ids), there(above)) for ids, above in levels]
    return placed_levels, there(positions), there([max(p, 0) for p in parents])


@lru_cache(maxsize=8)
def _levels(parents: tuple[int, ...]) -> tuple[list[tuple[list[int], list[int]]], list[int]]:
    """Joints by depth, each with its parent's place in the level above; and where each ended up."""
    depth: list[int] = []
    for joint, parent in enumerate(parents):
        if parent >= joint:
            raise ValueError(f"joint {joint} stands before its parent {parent}; sort the tree")
        depth.append(0 if parent < 0 else depth[parent] + 1)
    groups = [[j for j, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]
    place = {j: i for group in groups for i, j in enumerate(group)}
    levels = [(g, [place[parents[j]] for j in g] if i else []) for i, g in enumerate(groups)]
    order = [j for group in groups for j in group]
    return levels, [order.index(j) for j in range(len(parents))]


def joint_transforms(
    rotations: Tensor,  # [..., J, 3] axis-angle
    joints: Tensor,  # [..., J, 3] rest joints, metres
    parents: tuple[int, ...],  # J, root -1
) -> Tensor:  # [..., J, 3, 4]
    """Transforms that carry rest points to posed points, one per joint (SMPL, eq. 3-4).

    The translation of the body is not in them: add it after skinning.
    """
    turn, place = rigid_chain(rodrigues(rotations), joints, parents)
    shift = place - (turn @ joints[..., None]).squeeze(-1)
    return torch.cat([turn, shift[..., None]], -1)


def blend(
    ids: Tensor,  # [N, K] int64, joints of each point
    weights: Tensor,  # [N, K], rows sum to 1
    transforms: Tensor,  # [..., J, 3, 4]
) -> Tensor:  # [..., N, 3, 4]
    """Weighted sum of joint transforms for every point."""
    batch = transforms.shape[:-3]
    table = transforms.reshape(-1, transforms.shape[-3], 12).movedim(0, 1).flatten(1)  # [J, B * 12]
    mixed = F.embedding_bag(ids, table, per_sample_weights=weights, mode="sum")
    mixed = mixed.unflatten(1, (-1, 12)).movedim(1, 0)
    return mixed.reshape(*batch, ids.shape[0], 3, 4)


def apply(
    transforms: Tensor,  # [..., N, 3, 4]
    points: Tensor,  # [..., N, 3]
) -> Tensor:  # [..., N, 3]
    """Each point through its own affine transform."""
    return (transforms[..., :3] * points[..., None, :]).sum(-1) + transforms[..., 3]


def skin(
    points: Tensor,  # [..., N, 3] rest points
    ids: Tensor,  # [N, K] int64
    weights: Tensor,  # [N, K], rows sum to 1
    transforms: Tensor,  # [..., J, 3, 4] from `joint_transforms`
) -> Tensor:  # [..., N, 3] posed points
    """Linear blend skinning."""
    return apply(blend(ids, weights, transforms), points)
