"""Per-Gaussian tables of a published avatar: everything of the body, subdivided twice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from svad.avatar.published.layer import JAW_TURN, BodyLayer, Identity, big_pose, posed_body
from svad.body.model import BodyModel
from svad.body.subdivide import Subdivision, subdivide
from svad.compute.moved import moved

LEVELS = 2  # midpoint subdivisions


@dataclass(frozen=True, kw_only=True)
class Buffers:
    """N Gaussians, one per vertex of the finer mesh; the body's own vertices come first."""

    position_code: Tensor  # [N, 3] metres; where the triplanes are read
    weights: Tensor  # [N, 55] skinning
    pose_dirs: Tensor  # [486, N * 3]
    expression_dirs: Tensor  # [N, 3, E]
    right_hand: Tensor  # [N] bool, as all below
    left_hand: Tensor
    face: Tensor  # the whole head with eyes and neck: it reads the head's triplane
    expressive: Tensor  # what an expression moves
    cavity: Tensor  # the inside of the mouth

    def to(self, device: torch.device | str) -> Buffers:
        """The same tables on another device."""
        return moved(self, device)

    @property
    def hands(self) -> Tensor:  # [N] bool
        """Both hands."""
        return self.left_hand | self.right_hand


def levels_of(
    faces: Tensor,  # [F, 3] int64
    count: int,  # V
    levels: int = LEVELS,
) -> tuple[Subdivision, ...]:
    """The plans of some subdivisions of a mesh, the coarsest first."""
    plans = []
    for _ in range(levels):
        plans.append(subdivide(faces, count))
        faces, count = plans[-1].faces, count + len(plans[-1].edges)
    return tuple(plans)


def refined(
    plans: tuple[Subdivision, ...],
    features: Tensor,  # [V, ...]
) -> Tensor:  # [N, ...]
    """Per-vertex values on the finest mesh."""
    for plan in plans:
        features = plan.apply(features)
    return features


def make_buffers(layer: BodyLayer, body: BodyModel, plans: tuple[Subdivision, ...]) -> Buffers:
    """The tables of a body; `body` gives the lists of vertices that make up the regions."""

    def region(ids: Tensor) -> Tensor:
        mask = torch.zeros(len(layer.template), dtype=torch.bool, device=layer.template.device)
        mask[ids] = True
        for plan in plans:
            mask = plan.apply_mask(mask)
        return mask

    code = position_code(layer)
    pose_dirs = layer.pose_dirs.view(486, -1, 3).movedim(0, 1)  # [V, 486, 3]
    return Buffers(
        position_code=refined(plans, code),
        weights=refined(plans, layer.weights),
        pose_dirs=refined(plans, pose_dirs).movedim(1, 0).reshape(486, -1),
        expression_dirs=refined(plans, layer.expression_dirs),
        right_hand=region(body.right_hand),
        left_hand=region(body.left_hand),
        face=region(body.head),
        expressive=region(body.face),
        cavity=region(body.cavity),
    )


def position_code(layer: BodyLayer) -> Tensor:  # [V, 3] metres
    """The mean person in the big pose with an open mouth."""
    pose = big_pose(layer.template, jaw=JAW_TURN)
    return posed_body(layer, Identity.neutral(layer), pose)[0]
