"""Rotations: round trips, gradients at zero, and parity with published numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.geometry import rotation as rot
from tests.fill import seed_of, tensor

TOLERANCE = 1e-5  # float32 forward values


def golden(root: Path, name: str) -> dict[str, torch.Tensor]:
    with np.load(root / "avatar" / f"{name}.npz") as archive:
        return {key: torch.from_numpy(archive[key]) for key in archive.files}


def some_rotations(count: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, 3, generator=generator, dtype=torch.float64)


def test_rotations_match_published_numbers(golden_root: Path) -> None:
    want = golden(golden_root, "rotations")
    angles = want["axis_angle"]
    matrix = rot.rodrigues(angles)
    torch.testing.assert_close(matrix, want["matrix"], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(matrix, want["rodrigues"], atol=TOLERANCE, rtol=0)
    quaternion = rot.matrix_to_quaternion(want["matrix"])
    torch.testing.assert_close(quaternion, want["quat"], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(
        rot.quaternion_to_matrix(want["quat"]), want["matrix"], atol=TOLERANCE, rtol=0
    )
    torch.testing.assert_close(rot.matrix_to_rows6(want["matrix"]), want["rot6d"], atol=0, rtol=0)
    torch.testing.assert_close(
        rot.rows6_to_matrix(want["rot6d"]), want["matrix"], atol=TOLERANCE, rtol=0
    )
    back = rot.matrix_to_axis_angle(want["matrix"])
    # float32 matrices hold an angle near pi to about 1e-3 only: compare the turns they stand for
    torch.testing.assert_close(
        rot.rodrigues(back), rot.rodrigues(want["axis_angle_back"]), atol=2e-5, rtol=0
    )


def test_raw_rows_match_published_numbers(golden_root: Path) -> None:
    want = golden(golden_root, "rotations")["matrix_from_raw6d"]
    rows = tensor("rot.raw6d", (len(want), 6), seed_of(golden_root / "avatar"))
    torch.testing.assert_close(rot.rows6_to_matrix(rows), want, atol=TOLERANCE, rtol=0)


def test_conversions_come_back() -> None:
    angles = torch.nn.functional.normalize(some_rotations(200), dim=-1)
    angles = angles * torch.linspace(0, 3.1, 200, dtype=torch.float64)[:, None]
    quaternion = rot.axis_angle_to_quaternion(angles)
    matrix = rot.rodrigues(angles)
    torch.testing.assert_close(rot.quaternion_to_matrix(quaternion), matrix)
    torch.testing.assert_close(rot.quaternion_to_axis_angle(quaternion), angles, atol=1e-7, rtol=0)
    torch.testing.assert_close(rot.matrix_to_axis_angle(matrix), angles, atol=1e-7, rtol=0)
    torch.testing.assert_close(rot.rows6_to_matrix(rot.matrix_to_rows6(matrix)), matrix)


def test_quaternion_product_is_the_product_of_turns() -> None:
    a, b = (rot.axis_angle_to_quaternion(some_rotations(20, seed)) for seed in (1, 2))
    product = rot.quaternion_to_matrix(rot.quaternion_multiply(a, b))
    torch.testing.assert_close(product, rot.quaternion_to_matrix(a) @ rot.quaternion_to_matrix(b))


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-4, 1.0, 3.0])
def test_rodrigues_gradients_are_right_also_at_zero(scale: float) -> None:
    angles = some_rotations(3, scale=scale).requires_grad_()
    assert torch.autograd.gradcheck(rot.rodrigues, angles)
    assert torch.autograd.gradcheck(rot.axis_angle_to_quaternion, angles)


def test_all_forms_of_rodrigues_agree() -> None:
    for scale in (1e-3, 0.3, 3.0):
        angles = some_rotations(50, scale=scale)
        want = rot.rodrigues(angles)
        torch.testing.assert_close(rot.rodrigues_published(angles), want, atol=1e-7, rtol=0)
        found = torch.from_numpy(rot.rodrigues_array(angles.numpy()))
        torch.testing.assert_close(found, want, atol=1e-12, rtol=0)
    none = torch.zeros(1, 3, dtype=torch.float64)
    assert torch.equal(rot.rodrigues(none)[0], torch.eye(3, dtype=torch.float64))
    assert np.array_equal(rot.rodrigues_array(none.numpy())[0], np.eye(3))


@pytest.mark.parametrize("axis", range(3))
def test_turns_about_an_axis_are_axis_angles(axis: int) -> None:
    angles = np.linspace(-3, 3, 7)
    vectors = torch.from_numpy(angles[:, None] * np.eye(3)[axis])
    np.testing.assert_allclose(
        rot.axis_rotation(axis, angles), rot.rodrigues(vectors).numpy(), atol=1e-15
    )


def test_the_shortest_rotation_turns_about_the_common_normal() -> None:
    generator = np.random.default_rng(0)
    for a, b in generator.normal(size=(20, 2, 3)):
        turn = rot.shortest_rotation(a, b)
        np.testing.assert_allclose(turn @ a / np.linalg.norm(a), b / np.linalg.norm(b), atol=1e-12)
        np.testing.assert_allclose(turn @ np.cross(a, b), np.cross(a, b), atol=1e-12)
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)


def test_the_sign_of_a_quaternion_is_a_choice() -> None:
    matrix = rot.rodrigues(some_rotations(100))
    plain, positive = (rot.matrix_to_quaternion(matrix, positive=p) for p in (False, True))
    assert (positive[:, 0] >= 0).all() and (plain[:, 0] < 0).any()
    assert torch.equal(plain.abs(), positive.abs())
    largest = plain.abs().argmax(-1, keepdim=True)
    assert (plain.take_along_dim(largest, -1) > 0).all()
    torch.testing.assert_close(rot.quaternion_to_matrix(plain), matrix)


def test_a_quaternion_taken_as_it_is_scales_what_is_not_identity() -> None:
    quaternion = rot.axis_angle_to_quaternion(some_rotations(5))
    eye = torch.eye(3, dtype=torch.float64)
    once = rot.quaternion_to_matrix(quaternion, normalise=False)
    thrice = rot.quaternion_to_matrix(3 * quaternion, normalise=False)
    torch.testing.assert_close(once, rot.quaternion_to_matrix(quaternion))
    torch.testing.assert_close(thrice - eye, 9 * (once - eye))


def test_two_columns_come_back_to_their_rotation() -> None:
    matrix = rot.rodrigues(some_rotations(50))
    first, second = matrix[..., 0], matrix[..., 1]
    six = torch.cat([2 * first, 0.5 * second + 0.7 * first], -1)
    found = rot.columns6_to_matrix(six)
    torch.testing.assert_close(found, matrix)
