"""The mesh follows what the Gaussians have learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.model.mesh import following
from svad.types import Avatar
from tests.helpers import tiny_avatar


@pytest.fixture
def avatar() -> Avatar:
    return tiny_avatar(3000)


def changed(avatar: Avatar, **tensors: torch.Tensor) -> Avatar:
    return replace(avatar, gaussians=replace(avatar.gaussians, **tensors))


def test_without_a_change_it_stays(avatar: Avatar) -> None:
    same = following(avatar.mesh, avatar, avatar)
    np.testing.assert_array_equal(same.vertices, avatar.mesh.vertices)
    np.testing.assert_array_equal(same.colors, avatar.mesh.colors)
    assert same.faces is avatar.mesh.faces and same.joint_weights is avatar.mesh.joint_weights


def test_a_change_of_all_is_a_change_of_the_mesh(avatar: Avatar) -> None:
    g, shift = avatar.gaussians, torch.tensor([0.02, -0.01, 0.03])
    after = changed(avatar, means=g.means + shift, colors=g.colors * 0 + 0.5)
    before = changed(avatar, colors=g.colors * 0 + 0.4)
    mesh = following(avatar.mesh, before, after)
    np.testing.assert_allclose(
        mesh.vertices - avatar.mesh.vertices, shift.expand(len(mesh.vertices), 3), atol=1e-6
    )
    lighter = mesh.colors.astype(int) - avatar.mesh.colors
    assert set(np.unique(lighter[avatar.mesh.colors < 225])) <= {25, 26}  # a tenth of 255
    assert mesh.vertices.dtype == np.float32 and mesh.colors.dtype == np.uint8


def test_a_change_of_one_part_leaves_the_others(avatar: Avatar) -> None:
    g = avatar.gaussians
    head = g.means[:, 1] > 0.62
    means = g.means + 0.05 * head[:, None]
    mesh = following(avatar.mesh, avatar, changed(avatar, means=means))
    moved = np.linalg.norm(mesh.vertices - avatar.mesh.vertices, axis=1)
    y = avatar.mesh.vertices[:, 1]
    assert moved[y < 0.4].max() == 0 and moved[y > 0.75].min() > 0.05


def test_colours_stay_in_their_range(avatar: Avatar) -> None:
    white = changed(avatar, colors=torch.ones_like(avatar.gaussians.colors))
    black = changed(avatar, colors=torch.zeros_like(avatar.gaussians.colors))
    assert (following(avatar.mesh, black, white).colors == 255).all()
    assert (following(avatar.mesh, white, black).colors == 0).all()


@pytest.mark.parametrize("count", [1, 2])
def test_a_cloud_of_fewer_than_three(count: int) -> None:
    few = tiny_avatar(count)
    after = changed(few, means=few.gaussians.means + 0.5)
    mesh = following(few.mesh, few, after)
    np.testing.assert_allclose(mesh.vertices, few.mesh.vertices + 0.5, atol=1e-6)


def test_a_mesh_without_points_stays_one(avatar: Avatar) -> None:
    mesh = avatar.mesh
    empty = replace(mesh, vertices=mesh.vertices[:0], faces=mesh.faces[:0], colors=mesh.colors[:0])
    assert len(following(empty, avatar, avatar).vertices) == 0
