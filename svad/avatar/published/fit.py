"""Finds out whether a snapshot was trained on a body, and how its mouth was closed."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from svad.avatar.published.buffers import Buffers, levels_of, position_code, refined
from svad.avatar.published.layer import BodyLayer
from svad.body.smplx_file import CAVITY, PUBLISHED_VERTICES
from svad.body.subdivide import Subdivision, subdivide
from svad.core.errors import SvadError

SAME_PLACE = 1e-3  # metres; bodies of two versions of a file differ by less, two bodies by more
SAME_WEIGHT = 1e-3
SAME_MIDDLE = 1e-6  # metres, of midpoints computed twice


class OtherBody(SvadError):
    """An avatar was trained on another body than the one it is to stand on."""


def plans_for(
    buffers: Buffers,
    layer: BodyLayer,
    ring: tuple[int, ...] | None = None,  # vertices around the open mouth; None = as published
) -> tuple[Subdivision, ...]:
    """The subdivisions by which tables were made of a body.

    They begin with the body's own vertices. Where the body stands is of no account. Raises
    `OtherBody` if they were made of another.
    """
    count, gaussians = len(layer.template), len(buffers.weights)
    if gaussians <= count:
        raise _other(f"it has {gaussians} Gaussians, the body {count} vertices")
    if (buffers.weights[:count] - layer.weights).abs().amax() > SAME_WEIGHT:
        raise _other("its skinning weights are not those of the body")
    away = buffers.position_code[:count] - position_code(layer)
    if (away - away.mean(0)).abs().amax() > SAME_PLACE:
        raise _other("its rest shape is not that of the body")
    plans = _plans(buffers.position_code, layer, ring)
    if plans is None:
        raise _other("its Gaussians do not stand on the body's mesh, subdivided twice")
    return plans


def _other(reason: str) -> OtherBody:
    return OtherBody(
        f"The snapshot was trained on another body: {reason}. Use the SMPL-X file of the gender "
        "that it was trained with (--body)."
    )


def _plans(
    code: Tensor,  # [N, 3]
    layer: BodyLayer,
    ring: tuple[int, ...] | None,
) -> tuple[Subdivision, ...] | None:
    """What subdivides the body's part of `code` into all of it.

    The published training closes the mouth by triangles that are not stored. Which ones shows in
    the order of the midpoints.
    """
    faces, count = layer.faces, len(layer.template)
    if ring is None:
        ring = CAVITY if count == PUBLISHED_VERTICES else ()
    for mesh in (faces, torch.cat([faces, mouth(faces, ring, code)])):
        plans = levels_of(mesh, count)
        if count + sum(len(plan.edges) for plan in plans) == len(code):
            again = refined(plans, code[:count])
            return plans if (again - code).abs().amax() < SAME_MIDDLE else None
    return None


def mouth(
    faces: Tensor,  # [F, 3] int64
    ring: tuple[int, ...],  # R vertices in order around a hole
    code: Tensor,  # [N, 3] metres, the subdivided mesh without the hole
) -> Tensor:  # [R - 2, 3] int64, or none
    """The triangles that closed a hole before the mesh was subdivided.

    Midpoints follow the vertices in the order of their edges. One diagonal of the hole has as many
    places to be as there are diagonals before it.
    """
    size, count = len(ring), int(faces.amax()) + 1
    known = subdivide(faces, count).edges
    rank = known[:, 0] * count + known[:, 1]  # in order
    sides = {(i, i + 1) for i in range(size - 1)} | {(0, size - 1)}
    for i, j in set(combinations(range(size), 2)) - sides:
        low, high = sorted((ring[i], ring[j]))
        before = int(torch.searchsorted(rank, low * count + high))
        places = code[count + before : count + before + size - 3]
        middle = (code[low] + code[high]) / 2
        if len(places) and (places - middle).abs().amax(1).amin() < SAME_MIDDLE:
            sides.add((i, j))
    triples = combinations(range(size), 3)
    found = [t for t in triples if all(pair in sides for pair in combinations(t, 2))]
    triangles = torch.tensor([[ring[i] for i in t] for t in found], dtype=torch.int64).view(-1, 3)
    if size:  # neighbouring triangles run along a shared edge in opposite ways
        ahead = (faces == ring[0]) & (faces.roll(-1, 1) == ring[1])
        triangles = triangles.flip(1) if ahead.any() else triangles
    return triangles
