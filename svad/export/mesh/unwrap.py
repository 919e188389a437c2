"""Lays the surface of a mesh out flat: charts and texture coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.body.skeleton import HEAD_JOINTS
from svad.export.mesh.transfer import dense_weights
from svad.types import SkinnedMesh

PADDING = 10  # px around every chart at `SIDE`
SIDE = 2048  # px
DENSER = 2.0  # times as many pixels per metre on the head


@dataclass(frozen=True)
class Unwrapped:
    """Corners of triangles in the picture; a vertex at a seam has several."""

    vertex: np.ndarray  # [U] which vertex of the mesh each is
    faces: np.ndarray  # [F, 3] int32, in the mesh's order of faces
    uv: np.ndarray  # [U, 2] float32 in 0..1; v grows downward, as in glTF


def unwrapped(mesh: SkinnedMesh) -> Unwrapped:
    """Charts by xatlas, with the head at `DENSER` times the density of the rest."""
    import xatlas

    head = dense_weights(mesh)[:, list(HEAD_JOINTS)].sum(1)
    points = mesh.vertices.astype(np.float32)
    if (head > 0.5).any():
        middle = points[head > 0.5].mean(0)
        points = points + ((DENSER - 1) * head[:, None] * (points - middle)).astype(np.float32)
    atlas = xatlas.Atlas()
    atlas.add_mesh(np.ascontiguousarray(points), np.ascontiguousarray(mesh.faces, np.uint32))
    packing = xatlas.PackOptions()
    packing.resolution, packing.padding, packing.bilinear = SIDE, PADDING, True
    atlas.generate(xatlas.ChartOptions(), packing)
    vertex, faces, uv = atlas[0]
    return Unwrapped(vertex.astype(np.int64), faces.astype(np.int32), uv.astype(np.float32))
