"""Meshes: normals, interpolation and closest points against plain references."""

from __future__ import annotations

import numpy as np

from svad.body.free import load_free_body
from svad.geometry.surface import closest_on_mesh, face_normals, interpolate, vertex_normals


def patch() -> tuple[np.ndarray, np.ndarray]:
    """A wavy sheet that looks upward: vertices [64, 3] and faces [98, 3]."""
    x, y = np.meshgrid(np.arange(8.0), np.arange(8.0))
    points = np.stack([x, y, 0.3 * np.sin(x + 0.7 * y)], -1).reshape(-1, 3)
    at = np.arange(64).reshape(8, 8)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    return points, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def test_face_normals_are_square_to_their_edges_and_twice_the_area() -> None:
    points, faces = patch()
    normals = face_normals(points, faces)
    for normal, (a, b, c) in zip(normals, points[faces], strict=True):
        np.testing.assert_allclose(normal @ np.stack([b - a, c - a, c - b], 1), 0, atol=1e-12)
        base, side = b - a, c - a
        height = side - base * (side @ base) / (base @ base)
        area = np.linalg.norm(base) * np.linalg.norm(height) / 2
        np.testing.assert_allclose(np.linalg.norm(normal), 2 * area)
    assert (normals[:, 2] > 0).all()


def test_vertex_normals_are_the_sums_of_their_faces() -> None:
    points, faces = patch()
    points = np.concatenate([points, [[9.0, 9.0, 9.0]]])  # a vertex without a face
    want = np.zeros_like(points)
    for normal, corners in zip(face_normals(points, faces), faces, strict=True):
        for corner in corners:
            want[corner] += normal
    want[:-1] /= np.linalg.norm(want[:-1], axis=1, keepdims=True)
    np.testing.assert_allclose(vertex_normals(points, faces), want, atol=1e-12)
    single = vertex_normals(points.astype(np.float32), faces)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, want, atol=1e-6)


def test_interpolation_is_exact_for_what_is_linear() -> None:
    points, faces = patch()
    shares = np.random.default_rng(0).dirichlet((1, 1, 1), len(faces))
    at = interpolate(points, faces, shares)
    np.testing.assert_allclose(
        interpolate(points @ [[1], [2], [3]], faces, shares), at @ [[1], [2], [3]]
    )
    np.testing.assert_allclose(
        interpolate(points, faces, np.eye(3)[[1] * len(faces)]), points[faces[:, 1]]
    )


def test_closest_points_lie_on_the_mesh() -> None:
    body = load_free_body()
    faces, vertices = body.faces.numpy()[:2000], body.template.numpy()
    generator = np.random.default_rng(3)
    ids, shares = generator.integers(0, 2000, 40), generator.dirichlet((1, 1, 1), 40)
    on = interpolate(vertices, faces[ids], shares)
    triangle, weights = closest_on_mesh(on, vertices, faces)
    again = interpolate(vertices, faces[triangle], weights)
    assert np.abs(again - on).max() < 1e-6
    assert (weights >= 0).all() and np.allclose(weights.sum(1), 1)


def test_no_point_of_the_mesh_is_closer() -> None:
    points, faces = patch()
    generator = np.random.default_rng(1)
    away = generator.uniform((-2, -2, -3), (9, 9, 3), (30, 3))  # beside the sheet too
    triangle, weights = closest_on_mesh(away, points, faces)
    found = np.linalg.norm(interpolate(points, faces[triangle], weights) - away, axis=1)
    shares = generator.dirichlet((0.5, 0.5, 0.5), 300)
    everywhere = (points[faces][:, None] * shares[..., None]).sum(2).reshape(-1, 3)
    others = np.linalg.norm(everywhere[None] - away[:, None], axis=2).min(1)
    assert (found <= others + 1e-9).all() and (others - found).max() < 0.2
