"""Chooses the head among what a head detector has found, and puts its mesh into the picture.

The published tracker takes boxes, and a mesh in FLAME's parameters, from a detector that is
handed out as a program (TorchScript). Programs in weight files are not run here: `track` takes
the head from the landmarks that the stage before has found. These functions read the numbers of
such a detector, so that tracks made elsewhere can be compared and driven on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from svad.body.flame import EXPRESSION, IDENTITY, Flame
from svad.geometry.boxes import suppress
from svad.geometry.rotation import columns6_to_matrix
from svad.identity.geometry import LETTERBOX

SCORE, OVERLAP = 0.5, 0.5  # least score; boxes that share more are one
CONSIDERED, KEPT = 1000, 100
EDGE = 5.0  # px; a box that reaches nearer to all four sides is no head
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
    def read(cls, rows: Tensor) -> Heads:  # [B, 413]
        """From the detector's rows of numbers."""
        jaw, rest = rows[:, IDENTITY + EXPRESSION :].split((3, 10), 1)
        return cls(
            shape=rows[:, :IDENTITY], expression=rows[:, IDENTITY : IDENTITY + EXPRESSION],
            pose=torch.cat([torch.zeros_like(jaw), jaw], 1), six=rest[:, :6],
            translation=rest[:, 6:9], scale=rest[:, 9:],
        )  # fmt: skip

    @classmethod
    def of(cls, values: Mapping[str, Tensor]) -> Heads:
        """From a record by the published names."""
        return cls(
            shape=values["shapecode"], expression=values["expcode"], pose=values["posecode"],
            six=values["transform.rotation_6d"], translation=values["transform.translation"],
            scale=values["transform.scale"],
        )  # fmt: skip


def kept(
    boxes: Tensor,  # [n, 4] px of the letterbox
    scores: Tensor,  # [n]
) -> Tensor:  # [k] rows, best first
    """Non-maximum suppression over all boxes that score enough."""
    rows = scores.argsort(descending=True, stable=True)[:CONSIDERED]
    rows = rows[scores[rows] >= SCORE]
    chosen = suppress(boxes[rows].cpu().numpy(), OVERLAP, limit=KEPT)
    return rows[torch.from_numpy(chosen).to(rows.device)]


def largest(
    boxes: Tensor,  # [n, 4] px of the letterbox
    scores: Tensor,  # [n]
    size: int = LETTERBOX,
) -> int | None:
    """The row of the largest head; None if there is none."""
    rows = kept(boxes, scores)
    near, far = boxes[rows, :2] < EDGE, boxes[rows, 2:] > size - EDGE
    rows = rows[~(near.all(1) & far.all(1))]
    if not len(rows):
        return None
    extent = boxes[rows, 2:] - boxes[rows, :2]
    return int(rows[extent.prod(1).argmax()])


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
