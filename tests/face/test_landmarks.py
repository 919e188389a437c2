"""Face landmarks: the parts fill the 68, and names lie on the body's face where they say."""

from __future__ import annotations

import numpy as np
import pytest

from svad.body.free import load_free_body
from svad.face import landmarks as lm
from svad.face.landmarks import Ibug, MeshPoint


@pytest.fixture(scope="module")
def mesh() -> np.ndarray:  # [478, 3] metres, x to the person's left, y up
    body = load_free_body()
    return body.mesh_points(body.template).numpy()


@pytest.fixture(scope="module")
def points() -> np.ndarray:  # [68, 3]
    body = load_free_body()
    return body.landmarks(body.template).numpy()


def test_the_parts_fill_all_points_once() -> None:
    nose = slice(lm.BROWS.stop, lm.EYES.start)
    parts = (lm.CONTOUR, lm.RIGHT_BROW, lm.LEFT_BROW, nose, lm.RIGHT_EYE, lm.LEFT_EYE)
    rows = [row for part in (*parts, lm.OUTER_LIPS, lm.INNER_LIPS) for row in range(lm.IBUG)[part]]
    assert rows == list(range(lm.IBUG))
    assert len(lm.MESH_OF_IBUG) == len(set(lm.MESH_OF_IBUG)) == lm.IBUG
    assert max(lm.MESH_OF_IBUG) < lm.SKIN.stop


def test_both_orders_name_the_same_places() -> None:
    same = ("RIGHT_EYE_OUTER", "RIGHT_EYE_INNER", "LEFT_EYE_INNER", "LEFT_EYE_OUTER", "CHIN")
    for name in (*same, "MOUTH_RIGHT", "MOUTH_LEFT", "NOSE_BASE"):
        assert lm.MESH_OF_IBUG[Ibug[name]] == MeshPoint[name], name


def test_sides_are_the_persons_own(mesh: np.ndarray, points: np.ndarray) -> None:
    for right, left in lm.SYMMETRIC:
        np.testing.assert_allclose(mesh[right] * (-1, 1, 1), mesh[left], atol=2e-3)
        assert mesh[left, 0] > 0.01
    assert points[lm.RIGHT_EYE, 0].max() < 0 < points[lm.LEFT_EYE, 0].min()
    assert points[lm.RIGHT_BROW, 0].max() < 0 < points[lm.LEFT_BROW, 0].min()
    assert mesh[MeshPoint.RIGHT_IRIS, 0] < 0 < mesh[MeshPoint.LEFT_IRIS, 0]


def test_names_follow_each_other_down_the_face(mesh: np.ndarray, points: np.ndarray) -> None:
    names = ("NOSE_BRIDGE", "NOSE_MIDDLE", "NOSE_TIP", "NOSE_BASE", "MOUTH_LEFT", "CHIN")
    assert (np.diff(points[[Ibug[name] for name in names], 1]) < 0).all()
    names = ("FOREHEAD", "NOSE_TIP", "NOSE_BASE", "UPPER_LIP", "INNER_LOWER_LIP", "CHIN")
    assert (np.diff(mesh[[MeshPoint[name] for name in names], 1]) < 0).all()
    assert np.argmin(points[lm.CONTOUR, 1]) == Ibug.CHIN


@pytest.mark.parametrize(
    ("lids", "eye"), [(lm.RIGHT_LIDS, lm.EYE_CORNERS[0]), (lm.LEFT_LIDS, lm.EYE_CORNERS[1])]
)
def test_lids_run_from_the_outer_corner_inward(
    mesh: np.ndarray, lids: tuple[tuple[int, ...], ...], eye: tuple[int, int]
) -> None:
    upper, lower, crease = (mesh[list(rim)] for rim in lids)
    outer, inner = mesh[list(eye)]
    for rim in (upper, lower):
        along = (rim - outer) @ (inner - outer)
        assert (np.diff(along) > 0).all() and along[0] > 0
    assert (crease[1:-1, 1] > upper[1:-1, 1]).all() and (upper[1:-1, 1] > lower[1:-1, 1]).all()


def test_five_points_are_those_of_the_face() -> None:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = (10, 20), (40, 20), (25, 35)
    points[48], points[54] = (15, 50), (35, 50)
    expected = [[10, 20], [40, 20], [25, 35], [15, 50], [35, 50]]
    assert lm.five_points(points).tolist() == expected
