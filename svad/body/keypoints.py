"""Where tracked key points lie on a body: linear tables over a few vertices and the joints."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from svad.body.model import BodyModel

_FINGERS = {"left": 25, "right": 40}  # first finger joint; order index, middle, pinky, ring, thumb
_HAND_ORDER = (4, 0, 1, 3, 2)  # thumb, index, middle, ring, pinky
_WRIST = {"left": 20, "right": 21}


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
    nose, right_eye, left_eye, right_ear, left_ear = vertex[:5]
    rows: list[list[tuple[int, float]] | int] = [nose, left_eye, right_eye, left_ear, right_ear]
    rows += [16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]
    rows += vertex[5:11]
    rows += _on_faces(body, body.landmark_faces, body.landmark_weights)
    for side, tips in (("left", vertex[11:16]), ("right", vertex[16:21])):
        rows.append(_WRIST[side])
        for finger, place in enumerate(_HAND_ORDER):
            first = _FINGERS[side] + 3 * place
            rows += [first, first + 1, first + 2, tips[finger]]
    return _table(body, rows)


def mediapipe_body(body: BodyModel) -> PointTable:
    """The 33 points of mediapipe's body landmarks."""
    mesh = _on_faces(body, body.mesh_faces, body.mesh_weights)
    vertex = [[(i, 1.0)] for i in body.keypoints.tolist()]
    rows: list[list[tuple[int, float]] | int] = [vertex[0]]
    rows += [mesh[362], vertex[2], mesh[263], mesh[133], vertex[1], mesh[33]]
    rows += [vertex[4], vertex[3], mesh[291], mesh[61]]
    rows += [16, 17, 18, 19, 20, 21]  # shoulders, elbows, wrists
    rows += [31, 46, 25, 40, 38, 53]  # pinky and index knuckles, thumb joint
    rows += [1, 2, 4, 5, 7, 8]  # hips, knees, ankles
    rows += [vertex[7], vertex[10], vertex[5], vertex[8]]  # heels, big toes
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


def _table(body: BodyModel, rows: list[list[tuple[int, float]] | int]) -> PointTable:
    """A row is a joint, or a list of (vertex, weight)."""
    used = sorted({vertex for row in rows if not isinstance(row, int) for vertex, _ in row})
    place = {vertex: i for i, vertex in enumerate(used)}
    matrix = torch.zeros(len(rows), len(used) + 55)
    for i, row in enumerate(rows):
        if isinstance(row, int):
            matrix[i, len(used) + row] = 1
        else:
            for vertex, weight in row:
                matrix[i, place[vertex]] += weight
    return PointTable(torch.tensor(used), matrix)
