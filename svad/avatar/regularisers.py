"""Regularisers of an avatar's Gaussians: smoothness, sizes, hands, arms, joints.

They are the terms of the published training (ExAvatar; SVAD eq. 11 is the Laplacian of positions)
as pure functions. Each gives one value per Gaussian, hand vertex or joint; a training takes their
mean, after `weighted` by region.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from svad.body.skeleton import ELBOWS, MIRROR, SHOULDERS
from svad.compute.moved import moved

MOST = 10  # neighbours of a vertex that count
ARM_SLICE = 0.01  # metres along the arm; colours are compared within
ARM_NEIGHBOURS = 50
CHUNK = 256  # lower vertices looked at together
UPPER = 0.5  # normal's y above which skin of the arm looks up


@dataclass(frozen=True)
class MeshNeighbours:
    """The neighbours of each vertex of a mesh, at most K; unused places point at itself."""

    ids: Tensor  # [N, K] int64
    weights: Tensor  # [N, K], rows sum to 1; 0 where there are fewer

    def to(self, device: torch.device | str) -> MeshNeighbours:
        """The same table on another device."""
        return moved(self, device)


def laplacian(
    values: Tensor,  # [N, C]
    neighbours: Tensor,  # [N, K] int64
) -> Tensor:  # [N, C]
    """Each value less the mean of its neighbours', all of which count alike."""
    return values - values[neighbours].mean(1)


def mesh_laplacian(
    values: Tensor,  # [N, C]
    neighbours: MeshNeighbours,
) -> Tensor:  # [N, C]
    """Each value less the mean of those an edge away (the uniform Laplacian of a mesh)."""
    mean = F.embedding_bag(
        neighbours.ids, values, per_sample_weights=neighbours.weights.to(values), mode="sum"
    )
    return values - mean


def mesh_neighbours(
    faces: Tensor,  # [F, 3] int64
    count: int,  # N
    most: int = MOST,
) -> MeshNeighbours:
    """Who is an edge away from whom; of more than `most`, those of the lowest numbers."""
    a, b, c = faces.unbind(1)
    pairs = torch.stack([torch.cat([a, b, c, b, c, a]), torch.cat([b, c, a, a, b, c])], 1)
    ends = torch.unique(pairs, dim=0)  # in the order of the first, then of the second end
    degree = torch.bincount(ends[:, 0], minlength=count)
    place = torch.arange(len(ends), device=ends.device) - (degree.cumsum(0) - degree)[ends[:, 0]]
    ends, place = ends[place < most], place[place < most]
    degree = degree.clamp_max(most)
    own = torch.arange(count, device=faces.device)
    ids = own[:, None].repeat(1, most)
    ids[ends[:, 0], place] = ends[:, 1]
    used = torch.arange(most, device=faces.device) < degree[:, None]
    weights = used / degree.clamp_min(1)[:, None]
    weights[:, 0] += degree == 0  # a vertex without edges is its own neighbour
    return MeshNeighbours(ids, weights)


def region_weights(
    count: int,  # N
    everywhere: float,
    regions: Iterable[tuple[Tensor, float]],  # ([N] bool, weight); later ones win
) -> Tensor:  # [N]
    """One weight per Gaussian, on the CPU unless the masks are elsewhere."""
    named = list(regions)
    device = named[0][0].device if named else None
    weights = torch.full((count,), float(everywhere), device=device)
    for mask, weight in named:
        weights[mask] = weight
    return weights


def weighted(
    values: Tensor,  # [N, ...]
    weights: Tensor,  # [N]
) -> Tensor:  # []
    """The mean of what each Gaussian's values come to, times its weight."""
    return (values * weights.view(-1, *[1] * (values.ndim - 1))).mean()


def laplacian_change(
    displaced: Tensor,  # [N, C]
    still: Tensor,  # [N, C]; no gradient reaches it
    neighbours: MeshNeighbours,
) -> Tensor:  # [N, C]
    """Squared change of the Laplacian that offsets bring about (SVAD, eq. 11)."""
    return (
        mesh_laplacian(displaced, neighbours) - mesh_laplacian(still.detach(), neighbours)
    ).square()


def inward_of_hand(
    offset: Tensor,  # [H, 3] metres, of the hands' vertices
    normals: Tensor,  # [H, 3] unit
) -> Tensor:  # [H], 0 for offsets that go in
    """The cosine by which offsets leave the hand: fingers may only become thinner."""
    return (F.normalize(offset, dim=-1, eps=1e-8) * normals).sum(-1).clamp_min(0)


def hand_colour(
    colours: Tensor,  # [N, 3]
    hands: Sequence[Tensor],  # [N] bool each
) -> Tensor:  # [H, 3], hand after hand
    """Squared distance of each colour on a hand to the hand's mean, which gets no gradient.

    The published training adds the hands up: its mean is that of this times their number.
    """
    own = [colours[hand] for hand in hands]
    return torch.cat([(c - c.mean(0).detach()).square() for c in own])


@dataclass(frozen=True)
class ArmPairs:
    """The lower side of the arms with the upper side over it."""

    lower: Tensor  # [L] int64
    upper: Tensor  # [L, K] int64

    def to(self, device: torch.device | str) -> ArmPairs:
        """The same pairs on another device."""
        return moved(self, device)


def arm_sides(
    weights: Tensor,  # [N, 55] skinning
    normals: Tensor,  # [N, 3] in the rest pose
) -> tuple[Tensor, Tensor]:  # upper and lower side, [N] bool each
    """The two sides of the arms: what follows shoulder or elbow most, and whether it looks up."""
    joints = torch.tensor((*SHOULDERS, *ELBOWS), device=weights.device)
    arm = torch.isin(weights.argmax(1), joints)
    up = normals[:, 1] > UPPER
    return arm & up, arm & ~up


def arm_pairs(
    mesh: Tensor,  # [N, 3] metres, rest pose
    upper: Tensor,  # [N] bool
    lower: Tensor,  # [N] bool
) -> ArmPairs:
    """For each lower vertex the nearest upper ones within a slice of the arm; made once.

    All have as many: 50, or as few as the one with the fewest has. Those with none are left out.
    """
    up, low = torch.nonzero(upper)[:, 0], torch.nonzero(lower)[:, 0]
    most = min(ARM_NEIGHBOURS, len(up))
    kept, found, fewest = [low[:0]], [up.new_zeros(0, most)], most
    for rows in low.split(CHUNK) if most else ():
        near = (mesh[rows, None, 0] - mesh[None, up, 0]).abs() < ARM_SLICE
        has = near.any(1)
        rows, near = rows[has], near[has]
        away = torch.cdist(mesh[rows], mesh[up], compute_mode="donot_use_mm_for_euclid_dist")
        order = away.masked_fill(~near, torch.inf).topk(most, largest=False).indices
        kept.append(rows)
        found.append(up[order])
        fewest = min([fewest, *near.sum(1).tolist()])
    return ArmPairs(torch.cat(kept), torch.cat(found)[:, :fewest])


def arm_colour(
    colours: Tensor,  # [N, 3]
    pairs: ArmPairs,
) -> Tensor:  # [L, 3]
    """Squared distance of the arm's lower side, which few frames show, to the upper side over it.

    The upper side gets no gradient.
    """
    wanted = colours[pairs.upper].mean(1).detach()
    return (colours[pairs.lower] - wanted).square()


def joint_asymmetry(
    joint_offset: Tensor,  # [55, 3] metres
) -> Tensor:  # [P], one per pair of joints
    """How far the offsets of the right joints are from the mirrored ones of the left."""
    right = [j for j, other in enumerate(MIRROR) if other < j]
    left = [MIRROR[j] for j in right]
    difference = joint_offset[right] - joint_offset[left] * joint_offset.new_tensor([-1, 1, 1])
    return difference.abs().sum(-1)
