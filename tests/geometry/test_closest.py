"""The closest point of a mesh."""

from __future__ import annotations

import numpy as np

from svad.body.free import load_free_body
from svad.geometry.closest import closest_on_mesh


def test_closest_points_lie_on_the_mesh() -> None:
    body = load_free_body()
    faces, vertices = body.faces.numpy()[:2000], body.template.numpy()
    generator = np.random.default_rng(3)
    ids, shares = generator.integers(0, 2000, 40), generator.dirichlet((1, 1, 1), 40)
    on = np.einsum("nk,nkc->nc", shares, vertices[faces[ids]])
    triangle, weights = closest_on_mesh(on, vertices, faces)
    again = np.einsum("nk,nkc->nc", weights, vertices[faces[triangle]])
    assert np.abs(again - on).max() < 1e-6
    assert (weights >= 0).all() and np.allclose(weights.sum(1), 1)


def test_no_sample_of_the_surface_is_nearer() -> None:
    generator = np.random.default_rng(4)
    vertices, faces = generator.standard_normal((24, 3)), generator.integers(0, 24, (30, 3))
    faces = faces[[len(set(face)) == 3 for face in faces]]
    points = 2 * generator.standard_normal((10, 3))
    triangle, weights = closest_on_mesh(points, vertices, faces)
    found = np.einsum("nk,nkc->nc", weights, vertices[faces[triangle]])
    shares = generator.dirichlet((1, 1, 1), 2000)
    samples = np.einsum("sk,fkc->fsc", shares, vertices[faces]).reshape(-1, 3)
    nearest = np.linalg.norm(points[:, None] - samples, axis=2).min(1)
    assert (np.linalg.norm(points - found, axis=1) <= nearest + 1e-9).all()
