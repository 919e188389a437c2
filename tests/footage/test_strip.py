"""The sheet of the chosen pictures."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from svad.footage.strip import side_name, strip
from tests.footage.turning import turning

FRAME, HAND = (125, 207, 195), (125, 207, 195)


def cells(sheet: np.ndarray, columns: int, rows: int) -> list[np.ndarray]:
    """The pictures of a sheet, row by row."""
    height, width = (sheet.shape[0] + 2) // rows, (sheet.shape[1] + 2) // columns
    return [
        sheet[r * height : (r + 1) * height - 2, c * width : (c + 1) * width - 2]
        for r in range(rows)
        for c in range(columns)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 24, 60])
def test_every_picture_has_a_place_on_a_sheet_that_is_about_square(count: int):
    sheet = strip(turning(count), 640)
    assert sheet.shape[1:] == (640, 3) and sheet.dtype == np.uint8
    assert 0.3 < sheet.shape[0] / sheet.shape[1] < 3


def test_only_the_front_picture_is_framed():
    footage = turning(4)
    for front in range(4):
        sheet = strip(replace(footage, front=front), 400)
        corners = [tuple(cell[2, 2]) for cell in cells(sheet, 2, 2)]
        assert [corner == FRAME for corner in corners] == [k == front for k in range(4)]


@pytest.mark.parametrize(("yaw", "x", "y"), [(0, 0, 1), (90, -1, 0), (180, 0, -1), (-90, 1, 0)])
def test_the_hand_of_the_dial_points_where_the_person_faces(yaw: float, x: int, y: int):
    footage = replace(turning(2), front=1, yaw=np.float32([math.radians(yaw), 0]))
    cell = cells(strip(footage, 400), 2, 1)[0]
    hand = np.argwhere((cell == HAND).all(2))
    off = hand.mean(0) - (cell.shape[0] - 28, cell.shape[1] - 28)  # the dial's middle
    assert np.dot(off[::-1], (x, y)) > 5


def test_who_is_seen_from_their_left_faces_the_left_edge():
    """The drawn figure's red nose and the dial agree on the side."""
    footage = turning(4)
    assert math.isclose(footage.yaw[1], math.pi / 2, abs_tol=1e-6)
    red = (footage.rgb[1].astype(int) @ (1, -1, -1)) > 60
    assert np.argwhere(red)[:, 1].mean() < footage.rgb.shape[2] / 2


def test_the_person_is_cut_out_large_wherever_they_stand():
    footage = turning(2, 150, 200)
    wide = np.full((2, 200, 900, 3), 90, np.uint8)
    matte, points = np.zeros((2, 200, 900), np.uint8), footage.keypoints.copy()
    for k, x in enumerate((20, 700)):
        wide[k, :, x : x + 150], matte[k, :, x : x + 150] = footage.rgb[k], footage.matte[k]
        points[k, :, 0] += x
    moved = replace(footage, rgb=wide, matte=matte, keypoints=points)
    for one, other in zip(
        cells(strip(footage, 400), 2, 1), cells(strip(moved, 400), 2, 1), strict=True
    ):
        assert cv2.absdiff(one[20:-60, 20:-20], other[20:-60, 20:-20]).mean() < 12


def test_a_picture_in_which_nobody_was_found_is_shown_whole():
    footage = turning(3)
    empty = replace(footage, matte=0 * footage.matte, keypoints=0 * footage.keypoints, front=1)
    assert strip(empty, 300).shape[1] == 300


def test_sides_have_names():
    names = {0: "front", 8: "front", 90: "left", -90: "right", 180: "back", -175: "back"}
    names |= {45: "left 45", -135: "right 135", 370: "front"}
    assert {k: side_name(math.radians(k)) for k in names} == names
