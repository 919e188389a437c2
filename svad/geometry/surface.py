"""Triangle meshes: normals, barycentric interpolation, the closest point on a surface."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]


def face_normals(
    points: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
) -> np.ndarray:  # [F, 3]
    """Normals as long as twice the area of their triangle, by the right-hand rule."""
    corners = points[faces]
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def vertex_normals(
    points: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
) -> np.ndarray:  # [V, 3] unit, of the points' dtype
    """Normals weighted by area; 0 where a vertex has no face with an area."""
    across = face_normals(points, faces)
    normals = np.zeros_like(points)
    for corner in faces.T:
        for axis in range(3):  # `add.at` is fast in one dimension only
            np.add.at(normals[:, axis], corner, across[:, axis])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def interpolate(
    values: np.ndarray,  # [V, C] of the vertices
    triangles: np.ndarray,  # [N, 3] vertices around each point
    weights: np.ndarray,  # [N, 3] barycentric
) -> np.ndarray:  # [N, C]
    """Vertex values at points given by barycentric coordinates."""
    return (values[triangles] * weights[..., None]).sum(1)


def closest_on_mesh(
    points: np.ndarray,  # [N, 3]
    vertices: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
    candidates: int = 80,
) -> tuple[np.ndarray, np.ndarray]:  # triangle [N], barycentric weights [N, 3]
    """Nearest surface point among the triangles whose centres are nearest."""
    corners = vertices[faces]
    # `KDTree`, the documented name, has smaller leaves: of equally near centres it finds others
    near = cKDTree(corners.mean(1)).query(points, k=min(candidates, len(faces)))[1]
    a, b, c = corners[near].transpose(2, 0, 1, 3)  # [N, k, 3] each
    best = np.full(len(points), np.inf)
    triangle, bary = np.zeros(len(points), np.int64), np.zeros((len(points), 3))
    rows = np.arange(len(points))
    for weights in _candidate_weights(points[:, None], a, b, c):
        at = weights[..., :1] * a + weights[..., 1:2] * b + weights[..., 2:] * c
        distance = np.linalg.norm(at - points[:, None], axis=2)
        distance[(weights < 0).any(2)] = np.inf
        pick = distance.argmin(1)
        better = distance[rows, pick] < best
        best = np.where(better, distance[rows, pick], best)
        triangle = np.where(better, near[rows, pick], triangle)
        bary = np.where(better[:, None], weights[rows, pick], bary)
    return triangle, bary


def _candidate_weights(
    p: np.ndarray,  # [N, 1, 3]
    a: np.ndarray,  # [N, k, 3] corners of the candidates, as b and c
    b: np.ndarray,
    c: np.ndarray,
) -> list[np.ndarray]:  # four of [N, k, 3]
    """Barycentrics of the foot on the plane, and of the nearest point on each edge."""
    u, v, w = b - a, c - a, p - a
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    wu, wv = (w * u).sum(-1), (w * v).sum(-1)
    det = np.maximum(uu * vv - uv * uv, 1e-20)
    s, t = (vv * wu - uv * wv) / det, (uu * wv - uv * wu) / det
    result = [np.stack([1 - s - t, s, t], -1)]
    for i, j, first, second in ((0, 1, a, b), (1, 2, b, c), (2, 0, c, a)):
        edge = second - first
        along = ((p - first) * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-20)
        weights = np.zeros((*along.shape, 3))
        weights[..., j] = np.clip(along, 0, 1)
        weights[..., i] = 1 - weights[..., j]
        result.append(weights)
    return result
