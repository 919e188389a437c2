"""Where tracked key points lie on a body: linear tables over a few vertices and the joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from svad.body.coco import FEET, FINGER_NAMES, Keypoint
from svad.body.model import BodyModel
from svad.body.skeleton import HANDS, SIDES, Joint, finger_joints

# the first of a body's 21 key point vertices; after them come the finger tips, thumb to pinky
VERTEX_POINTS = (
    *(Keypoint.NOSE, Keypoint.RIGHT_EYE, Keypoint.LEFT_EYE),
    *(Keypoint.RIGHT_EAR, Keypoint.LEFT_EAR),
    *(*FEET["left"], *FEET["right"]),
)
EARS = slice(3, 5)  # right, left
TIPS = {"left": slice(11, 16), "right": slice(16, 21)}


@dataclass(frozen=True)
class PointTable:
    """P points, each a weighted mean of vertices or joints; differentiable and cheap to pose."""

    vertices: Tensor  # [M] int64, the vertices that are needed (pass to `pose_some`)
    matrix: Tensor  # [P, M + 55]

    def points(
        self,
        vertices: Tensor,  # [..., M, 3] those vertices, or [..., V, 3] the whole mesh
        joints: Tensor,  # [..., 55, 3] in the same pose
    ) -> Tensor:  # [..., P, 3]
        """The points of a posed (or rest) body."""
        if vertices.shape[-2] != len(self.vertices):
            vertices = vertices[..., self.vertices, :]
        return self.matrix @ torch.cat([vertices, joints], -2)


def whole_body(body: BodyModel) -> PointTable:
    """The 133 points of COCO-WholeBody: body 17, feet 6, face 68, left hand 21, right hand 21."""
    key = body.keypoints.tolist()
    vertex = [[(i, 1.0)] for i in key]
    on_skin = dict(zip(VERTEX_POINTS, vertex, strict=False))
    rows: list[list[tuple[int, float]] | int] = [
        on_skin[point] if point in on_skin else Joint[point.name] for point in Keypoint
    ]
    rows += _on_faces(body, body.landmark_faces, body.landmark_weights)
    for side in SIDES:
        rows.append(HANDS[side][0])
        for finger, tip in zip(FINGER_NAMES, vertex[TIPS[side]], strict=True):
            rows += [*finger_joints(side, finger), tip]
    return _table(body, rows)


def face_mesh(body: BodyModel) -> PointTable:
    """The 478 points of mediapipe's face mesh."""
    return _table(body, _on_faces(body, body.mesh_faces, body.mesh_weights))


def _on_faces(
    body: BodyModel,
    triangles: Tensor,  # [N] int64
    weights: Tensor,  # [N, 3]
) -> list[list[tuple[int, float]]]:
    corners = body.faces[triangles].tolist()
    return [list(zip(c, w, strict=True)) for c, w in zip(corners, weights.tolist(), strict=True)]


def _table(body: BodyModel, rows: Sequence[list[tuple[int, float]] | int]) -> PointTable:
    """A row is a joint, or a list of (vertex, weight)."""
    used = sorted({vertex for row in rows if not isinstance(row, int) for vertex, _ in row})
    place = {vertex: i for i, vertex in enumerate(used)}
    matrix = torch.zeros(len(rows), len(used) + len(Joint))
    for i, row in enumerate(rows):
        if isinstance(row, int):
            matrix[i, len(used) + row] = 1
        else:
            for vertex, weight in row:
                matrix[i, place[vertex]] += weight
    return PointTable(torch.tensor(used), matrix)
