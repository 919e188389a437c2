"""The mesh that the published head detector puts into the picture: input of the golden runs.

The published tracker takes boxes, and a mesh in FLAME's parameters, from a detector that is handed
out as a program. Programs in weight files are not run: the head is taken from the landmarks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from svad.body.flame import Flame
from svad.geometry.rotation import columns6_to_matrix

LIFT = 0.05  # metres the detector's mesh lies in front of its origin
SMALLEST = 1e-8  # scale


@dataclass(frozen=True)
class Heads:
    """Heads in the detector's parameters; B heads."""

    shape: Tensor  # [B, 300]
    expression: Tensor  # [B, 100]
    pose: Tensor  # [B, 6] axis-angle of head (zero) and jaw
    six: Tensor  # [B, 6] rotation, see `columns6_to_matrix`
    translation: Tensor  # [B, 3] px of the letterbox
    scale: Tensor  # [B, 1] px per metre

    @classmethod
    def of(cls, values: Mapping[str, Tensor]) -> Heads:
        """From a record by the published names."""
        return cls(
            shape=values["shapecode"], expression=values["expcode"], pose=values["posecode"],
            six=values["transform.rotation_6d"], translation=values["transform.translation"],
            scale=values["transform.scale"],
        )  # fmt: skip


def project_heads(
    flame: Flame,
    heads: Heads,  # B
    padding: Tensor,  # [B, 2] px of the letterbox
    scale: Tensor,  # [B] letterbox px per px
) -> tuple[Tensor, Tensor]:  # [B, V, 2] and [B, 70, 2] px
    """Vertices and landmarks (with eyelids) of detected heads in the picture."""
    rest = flame.express(flame.identity(heads.shape), heads.expression)
    vertices = flame.pose(rest, heads.pose, torch.zeros_like(heads.pose), scale=1.0)
    vertices = vertices + vertices.new_tensor([0.0, 0.0, LIFT])
    turns = columns6_to_matrix(heads.six)

    def placed(points: Tensor) -> Tensor:
        points = points @ turns.transpose(-1, -2) * heads.scale.clamp(min=SMALLEST)[:, None]
        points = (points + heads.translation[:, None])[..., :2]
        return (points - padding[:, None]) / scale[:, None, None]

    return placed(vertices), placed(flame.landmarks(vertices, eyelids=True))


def share_identity(shape: Tensor) -> Tensor:  # [B, 300] -> [B, 300]
    """One identity for all frames of a video: their mean."""
    return shape.mean(0, keepdim=True).expand_as(shape)
