"""The z-buffer: nearest and farthest surface, and where on its faces they are."""

from __future__ import annotations

import numpy as np
import pytest

from svad.geometry.zbuffer import draw

BOX = np.array([[x, y, z] for z in (2.0, 5.0) for y in (4.0, 20.0) for x in (6.0, 30.0)])
BOX_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 7, 5], [4, 6, 7], [0, 5, 1], [0, 4, 5],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


def test_box_has_its_front_near_and_its_back_far() -> None:
    maps = draw(BOX.astype(np.float32), BOX_FACES, 24, 40)
    expected = np.zeros((24, 40), bool)
    expected[4:20, 6:30] = True  # pixel centres inside the box
    np.testing.assert_array_equal(maps.covered, expected)
    np.testing.assert_allclose(maps.near[expected], 2.0, atol=1e-5)
    np.testing.assert_allclose(maps.far[expected], 5.0, atol=1e-5)
    assert np.isposinf(maps.near[~expected]).all() and np.isneginf(maps.far[~expected]).all()
    assert (maps.near_face[~expected] == -1).all() and (maps.far_face[~expected] == -1).all()
    assert set(np.unique(maps.near_face[expected])) == {0, 1}
    assert set(np.unique(maps.far_face[expected])) == {2, 3}


@pytest.mark.parametrize("far", [False, True])
def test_barycentrics_lead_back_to_the_pixel(far: bool) -> None:
    maps = draw(BOX.astype(np.float32), BOX_FACES, 24, 40)
    bary = maps.far_bary if far else maps.near_bary
    np.testing.assert_allclose(bary[maps.covered].sum(-1), 1, atol=1e-5)
    assert bary[maps.covered].min() >= 0
    position = maps.values(BOX_FACES, BOX, far=far)
    rows, columns = np.indices(maps.covered.shape)
    hit = maps.covered
    np.testing.assert_allclose(position[hit][:, 0], columns[hit] + 0.5, atol=1e-4)
    np.testing.assert_allclose(position[hit][:, 1], rows[hit] + 0.5, atol=1e-4)
    np.testing.assert_array_equal(position[~hit], 0)


def test_depth_of_a_slanted_plane_is_linear_in_the_picture() -> None:
    corners = np.array([[0, 0, 1], [16, 0, 5], [0, 16, 3], [16, 16, 7]], np.float32)
    maps = draw(corners, np.array([[0, 1, 2], [1, 3, 2]]), 16, 16)
    rows, columns = np.indices((16, 16)) + 0.5
    assert maps.covered.all()
    np.testing.assert_allclose(maps.near, 1 + columns / 4 + rows / 8, atol=1e-4)
    np.testing.assert_array_equal(maps.near, maps.far)


def test_order_and_sense_of_rotation_do_not_matter() -> None:
    points = BOX.astype(np.float32)
    maps = draw(points, BOX_FACES, 24, 40)
    turned = draw(points, BOX_FACES[::-1, ::-1], 24, 40)
    np.testing.assert_allclose(maps.near, turned.near)
    np.testing.assert_allclose(maps.far, turned.far)


def test_what_cannot_be_drawn_is_left_out() -> None:
    outside = BOX + (100, 0, 0)
    behind = BOX * (1, 1, -1)
    flat = BOX * (1, 0, 1)
    for points in (outside, behind, flat):
        assert not draw(points.astype(np.float32), BOX_FACES, 24, 40).covered.any()


def test_what_sticks_out_of_the_picture_is_cut() -> None:
    maps = draw((BOX - (20, 10, 0)).astype(np.float32), BOX_FACES, 24, 40)
    expected = np.zeros((24, 40), bool)
    expected[:10, :10] = True
    np.testing.assert_array_equal(maps.covered, expected)


def test_crop_is_a_part_of_all_maps() -> None:
    maps = draw(BOX.astype(np.float32), BOX_FACES, 24, 40)
    box = np.s_[3:10, 5:17]
    part = maps.crop(box)
    np.testing.assert_array_equal(part.near, maps.near[box])
    np.testing.assert_array_equal(
        part.values(BOX_FACES, BOX, far=True), maps.values(BOX_FACES, BOX, far=True)[box]
    )
