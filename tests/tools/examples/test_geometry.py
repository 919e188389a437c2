"""Tests of the fields, meshes and cloth the example people wear."""

from __future__ import annotations

import numpy as np
import pytest

from svad.geometry.surface import vertex_normals
from tools.examples.cloth import Fabric, border, drape, edges_of, opposite_pairs
from tools.examples.figure import subdivide
from tools.examples.noise import cloud, noise, smoothstep
from tools.examples.volume import (
    Grid,
    closed,
    cut,
    empty_grid,
    largest_part,
    measure,
    surface,
    tube,
)


def sphere(radius: float = 0.1, step: float = 0.01) -> Grid:
    """Signed distance of a ball at the origin."""
    grid = empty_grid(np.full(3, -0.16), np.full(3, 0.16), step)
    return grid.with_values(np.linalg.norm(grid.points(), axis=-1) - radius)


def sheet(side: int = 12, size: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """A flat square at height 0.14."""
    line = np.linspace(-size / 2, size / 2, side)
    x, z = np.meshgrid(line, line)
    points = np.stack([x.ravel(), np.full(side * side, 0.14), z.ravel()], 1)
    at = np.arange(side * side).reshape(side, side)
    a, b, c, d = at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]
    return points, np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)]
    )


def test_surface_of_a_ball_is_closed_and_faces_outward():
    vertices, faces = surface(sphere())
    radius = np.linalg.norm(vertices, axis=1)
    assert abs(radius - 0.1).max() < 0.002  # a fifth of a cell
    assert len(border(faces)) == 0
    assert (vertex_normals(vertices, faces) * vertices).sum(1).min() > 0


def test_measure_finds_the_distance_of_a_ball():
    vertices, faces = surface(sphere(step=0.006))
    grid = measure(sphere(), vertices, vertex_normals(vertices, faces))
    near = np.abs(sphere().values) < 0.04
    assert np.abs(grid.values - sphere().values)[near].max() < 0.003
    assert grid.values[0, 0, 0] > 0 > grid.values[16, 16, 16]


def test_closing_bridges_a_gap_but_not_a_wide_one():
    grid = empty_grid(np.array([-0.2, -0.1, -0.1]), np.array([0.2, 0.1, 0.1]), 0.01)
    for half, bridged in ((0.06, True), (0.12, False)):
        ends = np.array([[-half, -1, 0], [-half, 1, 0]]), np.array([[half, -1, 0], [half, 1, 0]])
        posts = [tube(grid.points(), end, np.full(2, 0.05)) for end in ends]
        filled = closed(grid.with_values(np.minimum(*posts)), 0.03)
        assert (filled.values[20, 10, 10] < 0.005) == bridged


def test_cut_leaves_one_clean_edge():
    vertices, faces = surface(sphere())
    half, faces, (height,) = cut(vertices, faces, vertices[:, 1] - 0.02, (vertices[:, 1:2],))
    rim = np.unique(border(faces))
    assert half[:, 1].min() > 0.02 - 0.003
    assert np.abs(half[rim, 1] - 0.02).max() < 0.003
    np.testing.assert_allclose(height[:, 0], half[:, 1], atol=1e-9)
    assert len(largest_part(half, faces)[0]) == len(half)


def test_cloth_falls_on_the_ball_and_stays_outside():
    points, faces = sheet()
    held = np.zeros(len(points))
    held[0] = 1.0
    settled = drape(points, faces, sphere(), Fabric(), held=held, seconds=0.4)
    assert np.isfinite(settled).all()
    assert np.linalg.norm(settled, axis=1).min() > 0.1  # the gap is kept
    assert settled[:, 1].mean() < points[:, 1].mean() - 0.01
    np.testing.assert_allclose(settled[0], points[0], atol=1e-9)
    edges = edges_of(faces)
    before, after = (
        np.linalg.norm(p[edges[:, 0]] - p[edges[:, 1]], axis=1) for p in (points, settled)
    )
    assert (after / before).max() < 1.25  # threads hardly stretch


def test_opposite_pairs_of_a_square():
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    assert sorted(opposite_pairs(faces)[0]) == [1, 3]
    assert len(border(faces)) == 4


def test_subdivision_keeps_a_ball_round_and_splits_values():
    vertices, faces = surface(sphere(step=0.02))
    finer, split, (value,) = subdivide(vertices, faces, (vertices[:, :1],))
    assert len(split) == 4 * len(faces)
    assert len(finer) == len(vertices) + len(edges_of(faces))
    assert abs(np.linalg.norm(finer, axis=1) - 0.1).max() < 0.008  # Loop surfaces shrink a little
    assert np.abs(value[:, 0] - finer[:, 0]).max() < 0.008


@pytest.mark.parametrize("field", [lambda p: noise(p, 0.1), lambda p: cloud(p, 0.1, 3)])
def test_noise_is_bounded_smooth_and_repeatable(field):
    points = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    values = field(points)
    assert np.abs(values).max() <= 1 and values.std() > 0.1
    np.testing.assert_array_equal(values, field(points))
    assert np.abs(field(points + 1e-4) - values).max() < 0.02


def test_smoothstep_works_in_both_directions():
    x = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(smoothstep(0, 1, x), [0, 0.5, 1])
    np.testing.assert_allclose(smoothstep(1, 0, x), [1, 0.5, 0])
