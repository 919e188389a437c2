"""Crops, letterbox, alignments and rotations, against golden values and by property."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.flame import rodrigues
from svad.identity import geometry
from svad.identity.rotations import (
    axis_angle_to_matrix,
    columns_to_matrix,
    matrix_to_rows,
    rows_to_matrix,
)
from tests.identity.golden import Case, cases


@pytest.fixture
def golden(golden_root: Path) -> list[Case]:
    return cases(golden_root, "geometry*")


def test_parity_of_the_boxes(golden: list[Case]) -> None:
    for case in golden:
        boxes = case.inputs["boxes"].numpy()
        for name, rule in {
            "crop165": geometry.head_crop_box,
            "lmk138": geometry.landmark_crop_box,
        }.items():
            case.check(name, torch.tensor([rule(box) for box in boxes]))


def test_parity_of_the_crops(golden: list[Case]) -> None:
    for case in golden:
        image, face = case.inputs["image"], case.inputs["fan_box"].numpy()
        box = geometry.head_crop_box(case.inputs["crop_source_box"].numpy())
        case.check("crop_box", torch.tensor(box))
        case.check("crop_raw", geometry.crop(image, box))
        for size in (40, 96):
            case.check(f"crop_resized_{size}", geometry.cut(image, box, size))
        sizes = {
            "224_1p25": (geometry.EXPRESSION_CROP, geometry.EXPRESSION_AROUND),
            "320_2p0": (geometry.IDENTITY_CROP, geometry.IDENTITY_AROUND),
        }
        for name, (size, around) in sizes.items():
            found = geometry.cut(image, geometry.face_crop_box(face, around), size)
            case.check(f"emica_crop_{name}_sub", found[:, 5::16, 5::16])


def test_parity_of_the_letterbox(golden: list[Case]) -> None:
    for case in golden:
        numbers = []
        for height, width in case.inputs["letterbox_sizes"].tolist():
            picture = case.inputs[f"letterbox {height}x{width}"]
            found, padding, scale = geometry.letterbox(picture)
            case.check(f"letterbox_{height}x{width}_sub", found[:, 7::40, 9::40])
            numbers.append([*padding, scale])
        case.check("letterbox_padx_pady_scale", torch.tensor(numbers))


def test_parity_of_the_alignments(golden: list[Case]) -> None:
    for case in golden:
        target = np.array(geometry.ARCFACE)
        case.check("arcface_M", geometry.similarity(case.inputs["kps5"].numpy(), target))
        case.check("lmk98_to_70_index", torch.tensor(geometry.FROM_98))


def test_parity_of_the_rotations(golden_root: Path) -> None:
    for case in cases(golden_root, "rotations*"):
        vectors, six = case.inputs["aa"], case.inputs["six"]
        case.check("matrix", axis_angle_to_matrix(vectors))
        case.check("rodrigues", rodrigues(vectors))
        case.check("six_from_matrix", matrix_to_rows(axis_angle_to_matrix(vectors)))
        case.check("matrix_from_six_rows", rows_to_matrix(six))
        case.check("matrix_from_six_cols", columns_to_matrix(six))


def test_a_crop_is_the_picture_where_there_is_one() -> None:
    image = torch.arange(1.0, 21.0).reshape(1, 4, 5)
    found = geometry.crop(image, (-2, -1, 7, 6))
    assert found.shape == (1, 7, 9) and torch.equal(found[:, 1:5, 2:7], image)
    assert found.sum() == image.sum()
    assert torch.equal(geometry.crop(image, (1, 1, 3, 4)), image[:, 1:4, 1:3])
    for box in ((-9, -9, -2, -3), (6, 5, 9, 9), (-9, 1, -1, 3)):
        outside = geometry.crop(image, box)
        assert outside.shape == (1, box[3] - box[1], box[2] - box[0]) and not outside.any()


def test_a_similarity_is_found_again() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6, 2)) * 30
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    found = geometry.similarity(points, points @ turn.T + [5, -3])
    assert np.allclose(found, np.column_stack([turn, [5, -3]]))


def test_an_aligned_face_has_its_points_in_place() -> None:
    rows, columns = torch.meshgrid(torch.arange(200.0), torch.arange(160.0), indexing="ij")
    points = np.array(geometry.ARCFACE) * 1.3 + [4, 20]
    found = geometry.warp_face(torch.stack([columns, rows, rows]), points)
    x, y = (int(v) for v in geometry.ARCFACE[2])
    assert torch.allclose(found[:2, y, x], torch.tensor([x * 1.3 + 4, y * 1.3 + 20]), atol=0.1)


def test_five_points_are_those_of_the_face() -> None:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = (10, 20), (40, 20), (25, 35)
    points[48], points[54] = (15, 50), (35, 50)
    assert geometry.five_points(points).tolist() == [
        [10, 20],
        [40, 20],
        [25, 35],
        [15, 50],
        [35, 50],
    ]
