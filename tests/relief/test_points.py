"""Oriented Gaussians from sheets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.geometry.camera import photo_camera
from svad.geometry.rotation import quaternion_to_matrix
from svad.relief.points import (
    BACK,
    FRONT,
    LONGEST,
    OPAQUE,
    RIM,
    SIGMA,
    Sheet,
    joined,
    oriented,
    sheet_pixels,
    sheet_points,
    tangents,
)
from tests.relief.people import simple_sheet

CAMERA = photo_camera(64, 48)


def rotations(quats: np.ndarray) -> np.ndarray:  # [P, 4] -> [P, 3, 3]
    return quaternion_to_matrix(torch.from_numpy(quats)).numpy()


def steps(count: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Surface steps tx, ty [P, 3] of 1 to 4 grid steps that are far from parallel."""
    random = np.random.default_rng(0)
    step = random.uniform(0.002, 0.02, count).astype(np.float32)
    basis = np.linalg.qr(random.standard_normal((count, 3, 3)))[0].astype(np.float32)
    angle = random.uniform(np.pi / 3, 2 * np.pi / 3, count)[:, None]
    tx = basis[:, 0] * (step * random.uniform(1, 4, count))[:, None]
    ty = np.cos(angle) * basis[:, 0] + np.sin(angle) * basis[:, 1]
    return tx, ty * (step * random.uniform(1, 4, count))[:, None], step


def test_covariance_in_the_surface_is_that_of_the_two_steps() -> None:
    tx, ty, step = steps()
    scales, quats = oriented(tx, ty, step)
    r = rotations(quats)
    flat = scales * (1, 1, 0)  # without the thickness
    found = np.einsum("pij,pj,pkj->pik", r, flat**2, r)
    outer = np.einsum("pi,pj->pij", tx, tx) + np.einsum("pi,pj->pij", ty, ty)
    np.testing.assert_allclose(found / step[:, None, None] ** 2, SIGMA**2 * outer
                               / step[:, None, None] ** 2, atol=2e-3)  # fmt: skip


def test_orientation_is_a_unit_rotation_with_the_thin_axis_along_the_normal() -> None:
    tx, ty, step = steps()
    scales, quats = oriented(tx, ty, step)
    np.testing.assert_allclose(np.linalg.norm(quats, axis=1), 1, atol=1e-5)
    r = rotations(quats)
    np.testing.assert_allclose(np.linalg.det(r), 1, atol=1e-4)
    assert np.abs(np.einsum("pi,pi->p", r[:, :, 2], tx) / step).max() < 1e-3
    assert np.abs(np.einsum("pi,pi->p", r[:, :, 2], ty) / step).max() < 1e-3
    assert (scales[:, 2] < scales[:, 1]).all() and (scales[:, 1] <= scales[:, 0] + 1e-7).all()


def test_degenerate_steps_still_give_splats_of_a_sensible_size() -> None:
    step = np.full(4, 0.01, np.float32)
    tx = np.array([[0, 0, 0], [1, 0, 0], [0.01, 0, 5], [0.01, 0, 0]], np.float32)
    ty = np.array([[0, 0, 0], [1, 0, 0], [0, 0.01, 0], [0, 0, 0]], np.float32)
    scales, quats = oriented(tx, ty, step)
    assert np.isfinite(scales).all() and np.isfinite(quats).all()
    np.testing.assert_allclose(np.linalg.norm(quats, axis=1), 1, atol=1e-5)
    assert (scales > 0).all() and scales.max() <= SIGMA * LONGEST * 0.01 + 1e-6


def test_tangents_of_a_plane_are_exact_up_to_the_edge() -> None:
    rows, columns = np.indices((12, 15)).astype(np.float32)
    xyz = np.stack([columns, -rows, 0.5 * columns + 0.25 * rows], -1)
    mask = np.random.default_rng(0).random((12, 15)) < 0.8
    mask[:3, :3] = True
    tx, ty = tangents(xyz, mask)
    assert tx.shape == ty.shape == (mask.sum(), 3)
    for found, true in ((tx, (1, 0, 0.5)), (ty, (0, -1, 0.25))):
        known = np.linalg.norm(found, axis=1) > 0  # all but lone pixels
        assert known.mean() > 0.8
        np.testing.assert_allclose(found[known] - true, 0, atol=1e-6)


@pytest.fixture
def sheet() -> Sheet:
    return simple_sheet()


def test_front_and_back_lie_on_the_pixels_at_their_depth(sheet: Sheet) -> None:
    points = sheet_points(sheet, CAMERA)
    n = int(sheet.mask.sum())
    for side, depth, rgb in (
        (FRONT, sheet.near, sheet.near_rgb),
        (BACK, sheet.far, sheet.far_rgb),
    ):
        mine = points.select(points.side == side)
        assert len(mine) == n
        pixels = CAMERA.project(mine.xyz)
        np.testing.assert_allclose(pixels[:, :2], sheet_pixels(sheet)[sheet.mask], atol=1e-3)
        np.testing.assert_allclose(pixels[:, 2], depth[sheet.mask], atol=1e-4)
        np.testing.assert_allclose(mine.pixel, pixels[:, :2], atol=1e-3)
        np.testing.assert_array_equal(mine.rgb, rgb[sheet.mask])


def test_an_edge_over_other_layers_has_no_back(sheet: Sheet) -> None:
    lap = sheet.mask & (np.arange(32) < 8)
    whole, points = sheet_points(sheet, CAMERA), sheet_points(replace(sheet, lap=lap), CAMERA)
    there = lap[tuple(np.floor(points.pixel - sheet.origin).astype(int).T[::-1])]
    assert (points.side[there] == FRONT).all()
    assert (points.side == FRONT).sum() == (whole.side == FRONT).sum()
    assert (points.side == BACK).sum() == (sheet.mask & ~lap).sum()
    rim = points.pixel[points.side == RIM, 0] - sheet.origin[0]
    assert 8 < rim.min() < 10  # closed where the back ends


def test_only_own_pixels_of_the_front_are_seen(sheet: Sheet) -> None:
    points = sheet_points(sheet, CAMERA)
    assert (points.side[points.seen] == FRONT).all()
    assert points.seen.sum() == (sheet.own & sheet.mask).sum() < sheet.mask.sum()
    assert (points.layer == sheet.layer).all()


def test_rim_closes_the_gap_between_front_and_back(sheet: Sheet) -> None:
    points = sheet_points(sheet, CAMERA)
    rim = points.select(points.side == RIM)
    assert len(rim) > 100
    depth = CAMERA.project(rim.xyz)[:, 2]
    assert depth.min() > sheet.near[sheet.mask].min() and depth.max() < sheet.far[sheet.mask].max()
    columns, counts = np.unique(rim.pixel, axis=0, return_counts=True)
    x, y = (columns - np.array(sheet.origin)).astype(int).T
    gap = (sheet.far - sheet.near)[y, x]
    assert (gap / (counts + 1) < 2.1 * sheet.near.max() / CAMERA.focal[1]).all()  # no holes
    np.testing.assert_allclose(rim.weights.sum(1), 1, atol=1e-5)


def test_splats_are_unit_opaque_and_finite(sheet: Sheet) -> None:
    points = sheet_points(sheet, CAMERA)
    np.testing.assert_allclose(np.linalg.norm(points.quats, axis=1), 1, atol=1e-4)
    assert (points.scales > 0).all() and (points.opacity == OPAQUE).all()
    assert np.isfinite(points.xyz).all()


def test_joined_keeps_order_and_select_undoes_it(sheet: Sheet) -> None:
    one = sheet_points(sheet, CAMERA)
    two = joined([one, one.select(one.side == BACK)])
    assert len(two) == len(one) + int(sheet.mask.sum())
    np.testing.assert_array_equal(two.select(np.arange(len(one))).xyz, one.xyz)
