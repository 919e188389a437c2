"""The layers as a closed mesh."""

from __future__ import annotations

import numpy as np
import pytest

from svad.geometry.camera import photo_camera
from svad.relief.build import Relief
from svad.relief.mesh import joined_meshes, sheet_mesh
from tests.relief.people import directed_edges, simple_sheet

CAMERA = photo_camera(64, 48)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_every_edge_of_a_round_sheet_is_shared_by_two_faces(stride: int) -> None:
    _, faces, _, _ = sheet_mesh(simple_sheet(), CAMERA, stride)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all()
    there, back = directed_edges(faces)
    np.testing.assert_array_equal(there, back)  # neighbours turn the same way


def test_faces_look_outward() -> None:
    xyz, faces, _, _ = sheet_mesh(simple_sheet(), CAMERA, 1)
    a, b, c = (xyz[faces[:, k]].astype(np.float64) - xyz.mean(0) for k in range(3))
    assert np.einsum("fi,fi->", a, np.cross(b, c)) > 0


def test_sheets_of_a_person_are_closed(relief: Relief) -> None:
    for sheet in relief.sheets:
        xyz, faces, rgb, weights = sheet_mesh(sheet, relief.camera, 2)
        assert len(faces) > 100
        there, back = directed_edges(faces)
        np.testing.assert_array_equal(there, back)
        assert len(xyz) == len(rgb) == len(weights) == faces.max() + 1
        assert set(np.unique(faces)) == set(range(len(xyz)))  # no vertex without a face
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-3)


def test_front_and_back_keep_their_colours() -> None:
    sheet = simple_sheet()
    xyz, _, rgb, _ = sheet_mesh(sheet, CAMERA, 2)
    depth = CAMERA.project(xyz)[:, 2]
    n = len(xyz) // 2
    assert (depth[:n] < depth[n:]).all()
    np.testing.assert_allclose(rgb[:n], np.broadcast_to(sheet.near_rgb[10, 10], (n, 3)))
    np.testing.assert_allclose(rgb[n:], np.broadcast_to(sheet.far_rgb[10, 10], (n, 3)))


def test_joined_meshes_point_at_their_own_vertices() -> None:
    one, two = (sheet_mesh(simple_sheet(), CAMERA, s) for s in (1, 2))
    xyz, faces, rgb, weights = joined_meshes([one, two])
    assert len(xyz) == len(rgb) == len(weights) == len(one[0]) + len(two[0])
    np.testing.assert_array_equal(xyz[faces[len(one[1]) :]], two[0][two[1]])
