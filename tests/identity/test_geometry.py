"""Crops, letterbox, alignments and rotations, against golden values and by property."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.geometry.boxes import crop, cut, letterbox
from svad.geometry.rotation import (
    columns6_to_matrix,
    matrix_to_rows6,
    rodrigues,
    rodrigues_published,
    rows6_to_matrix,
)
from svad.geometry.similarity import fit_similarity
from svad.identity import geometry
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
        case.check("crop_raw", crop(image, box))
        for size in (40, 96):
            case.check(f"crop_resized_{size}", cut(image, box, size))
        sizes = {
            "224_1p25": (geometry.EXPRESSION_CROP, geometry.EXPRESSION_AROUND),
            "320_2p0": (geometry.IDENTITY_CROP, geometry.IDENTITY_AROUND),
        }
        for name, (size, around) in sizes.items():
            found = cut(image, geometry.face_crop_box(face, around), size)
            case.check(f"emica_crop_{name}_sub", found[:, 5::16, 5::16])


def test_parity_of_the_letterbox(golden: list[Case]) -> None:
    for case in golden:
        numbers = []
        for height, width in case.inputs["letterbox_sizes"].tolist():
            picture = case.inputs[f"letterbox {height}x{width}"]
            found, padding, scale = letterbox(picture, geometry.LETTERBOX, geometry.GREY)
            case.check(f"letterbox_{height}x{width}_sub", found[:, 7::40, 9::40] / 255)
            numbers.append([*padding, scale])
        case.check("letterbox_padx_pady_scale", torch.tensor(numbers))


def test_parity_of_the_alignments(golden: list[Case]) -> None:
    for case in golden:
        target = np.array(geometry.ARCFACE)
        case.check("arcface_M", fit_similarity(case.inputs["kps5"].numpy(), target))
        case.check("lmk98_to_70_index", torch.tensor(geometry.FROM_98))


def test_parity_of_the_rotations(golden_root: Path) -> None:
    for case in cases(golden_root, "rotations*"):
        vectors, six = case.inputs["aa"], case.inputs["six"]
        case.check("matrix", rodrigues(vectors))
        case.check("rodrigues", rodrigues_published(vectors))
        case.check("six_from_matrix", matrix_to_rows6(rodrigues(vectors)))
        case.check("matrix_from_six_rows", rows6_to_matrix(six))
        case.check("matrix_from_six_cols", columns6_to_matrix(six))


def test_an_aligned_face_has_its_points_in_place() -> None:
    rows, columns = torch.meshgrid(torch.arange(200.0), torch.arange(160.0), indexing="ij")
    points = np.array(geometry.ARCFACE) * 1.3 + [4, 20]
    found = geometry.warp_face(torch.stack([columns, rows, rows]), points)
    x, y = (int(v) for v in geometry.ARCFACE[2])
    assert torch.allclose(found[:2, y, x], torch.tensor([x * 1.3 + 4, y * 1.3 + 20]), atol=0.1)
