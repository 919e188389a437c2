"""Facial expression directions for points of the photo's face."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from svad.body.depth import draw
from svad.body.model import BodyModel
from svad.relief.head import face_triangles


def landmark_directions(body: BodyModel) -> np.ndarray:  # [468, E, 3] metres per unit
    """How the body's expressions move each point of the face mesh."""
    corners = body.faces[body.mesh_faces[:468]]  # [468, 3]
    dirs = body.expression_dirs[corners]  # [468, 3, 3, E]
    mixed = (dirs * body.mesh_weights[:468, :, None, None]).sum(1)  # [468, 3, E]
    return mixed.permute(0, 2, 1).numpy().astype(np.float32)


class ExpressionField:
    """Directions as a function of the position in the photo, through the face mesh's triangles."""

    def __init__(self, face: np.ndarray, directions: np.ndarray, density: int = 2) -> None:
        self.face = face[:468]
        self.directions = directions
        self.density = density
        self.width = float(np.ptp(self.face[:, 0]))
        self.origin = np.floor(self.face[:, :2].min(0)) - 2
        size = np.ceil((self.face[:, :2].max(0) + 3 - self.origin) * density).astype(int)
        points = self.face.copy()
        points[:, :2] = (points[:, :2] - self.origin) * density
        points[:, 2] += 10 * self.width
        self.maps = draw(points, face_triangles(), int(size[1]), int(size[0]))
        self.tree = cKDTree(self.face[:, :2])

    def __call__(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices [K] of the pixels [P, 2] that move, and their directions [K, E, 3] float16."""
        grid = np.floor((pixels - self.origin) * self.density).astype(int)
        h, w = self.maps.near_face.shape
        framed = (grid >= 0).all(1) & (grid[:, 0] < w) & (grid[:, 1] < h)
        column, row = grid[:, 0].clip(0, w - 1), grid[:, 1].clip(0, h - 1)
        face = np.where(framed, self.maps.near_face[row, column], -1)
        inside = np.flatnonzero(face >= 0)
        corners = face_triangles()[face[inside]]
        bary = self.maps.near_bary[row[inside], column[inside]]
        mine = np.einsum("pk,pkec->pec", bary, self.directions[corners])
        reach = 0.16 * self.width
        distance, nearest = self.tree.query(pixels, distance_upper_bound=reach)
        around = np.flatnonzero((face < 0) & np.isfinite(distance))
        fade = np.clip(1 - distance[around] / reach, 0, 1)[:, None, None] ** 2
        theirs = self.directions[nearest[around]] * fade
        index = np.concatenate([inside, around])
        return index.astype(np.int64), np.concatenate([mine, theirs]).astype(np.float16)
