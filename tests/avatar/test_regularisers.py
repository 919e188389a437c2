"""Regularisers: what must hold for any mesh and any avatar."""

from __future__ import annotations

import torch

from svad.avatar.regularisers import (
    arm_colour,
    arm_pairs,
    arm_sides,
    hand_colour,
    inward_of_hand,
    joint_asymmetry,
    laplacian,
    laplacian_change,
    mesh_laplacian,
    mesh_neighbours,
    region_weights,
    weighted,
)
from svad.body.free import load_free_body
from svad.body.skeleton import Joint


def test_the_mesh_laplacian_is_that_of_a_plain_loop() -> None:
    body = load_free_body()
    count, random = len(body.template), torch.Generator().manual_seed(0)
    values = torch.randn(count, 4, generator=random)
    found = mesh_laplacian(values, mesh_neighbours(body.faces, count))
    adjacent: dict[int, set[int]] = {}
    for a, b, c in body.faces.tolist():
        for vertex, others in ((a, (b, c)), (b, (a, c)), (c, (a, b))):
            adjacent.setdefault(vertex, set()).update(others)
    for vertex in range(0, count, 97):
        ring = sorted(adjacent[vertex])[:10]
        torch.testing.assert_close(found[vertex], values[vertex] - values[ring].mean(0))


def test_a_vertex_without_edges_has_no_roughness() -> None:
    near = mesh_neighbours(torch.tensor([[0, 1, 2]]), 4)
    rough = mesh_laplacian(torch.tensor([[1.0], [2], [4], [9]]), near)
    torch.testing.assert_close(rough, torch.tensor([[-2.0], [-0.5], [2.5], [0]]))


def test_neighbours_beyond_the_most_are_left_out() -> None:
    rim = torch.arange(1, 13)
    fan = torch.stack([torch.zeros(12, dtype=torch.int64), rim, rim.roll(-1)], 1)
    near = mesh_neighbours(fan, 13)
    assert near.ids[0].tolist() == list(range(1, 11))
    torch.testing.assert_close(near.weights.sum(1), torch.ones(13))


def test_laplacians_of_constants_vanish_and_gradients_flow() -> None:
    table = torch.tensor([[1, 2], [0, 2], [0, 1]])
    values = torch.full((3, 2), 0.3, requires_grad=True)
    assert laplacian(values, table).abs().max() < 1e-7
    near = mesh_neighbours(torch.tensor([[0, 1, 2]]), 3)
    wide = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: laplacian(v, table), wide)
    assert torch.autograd.gradcheck(lambda v: mesh_laplacian(v, near), wide)


def test_moving_everything_changes_no_laplacian() -> None:
    body = load_free_body()
    near = mesh_neighbours(body.faces, len(body.template))
    still = body.template.clone().requires_grad_()
    moved = (still + torch.tensor([0.3, -2.0, 0.1])).detach().requires_grad_()
    change = laplacian_change(moved, still, near)
    assert change.max() < 1e-11  # float32 at 2 m: 2e-7 squared, and some room
    change.sum().backward()
    assert still.grad is None and moved.grad is not None


def test_later_regions_win() -> None:
    hand = torch.tensor([True, True, False, False])
    face = torch.tensor([False, True, True, False])
    weights = region_weights(4, 1, [(hand, 0.5), (face, 7)])
    assert weights.tolist() == [0.5, 7, 7, 1]
    assert weighted(torch.ones(4, 3), weights).item() == 15.5 / 4


def test_only_offsets_out_of_the_hand_cost() -> None:
    normals = torch.tensor([[0, 0, 1.0]]).expand(3, 3)
    offsets = torch.tensor([[0, 0, -0.01], [0, 0, 0.02], [0.0, 0, 0]])
    assert inward_of_hand(offsets, normals).tolist() == [0, 1, 0]


def test_a_hand_of_one_colour_costs_nothing_and_the_mean_is_not_moved() -> None:
    colours = torch.tensor([[0.2], [0.2], [0.9], [0.5]], requires_grad=True)
    left, right = torch.tensor([1, 1, 0, 0]).bool(), torch.tensor([0, 0, 1, 1]).bool()
    cost = hand_colour(colours, (left, right))
    torch.testing.assert_close(cost[:, 0], torch.tensor([0, 0, 0.04, 0.04]))
    cost.sum().backward()
    torch.testing.assert_close(colours.grad, torch.tensor([[0], [0], [0.4], [-0.4]]))


def test_the_lower_arm_follows_the_upper_one_where_there_is_one() -> None:
    mesh = torch.tensor([[0.3, 1.1, 0], [0.301, 1.1, 0], [0.302, 1, 0], [0.7, 1, 0]])
    upper, lower = torch.tensor([1, 1, 0, 0]).bool(), torch.tensor([0, 0, 1, 1]).bool()
    pairs = arm_pairs(mesh, upper, lower)
    assert pairs.lower.tolist() == [2] and sorted(pairs.upper[0].tolist()) == [0, 1]
    colours = torch.tensor([[0.2], [0.4], [0.8], [0.1]], requires_grad=True)
    cost = arm_colour(colours, pairs)
    torch.testing.assert_close(cost.detach(), torch.tensor([[0.25]]))
    cost.sum().backward()
    assert colours.grad is not None and colours.grad[[0, 1, 3]].abs().max() == 0
    nobody = torch.zeros(4, dtype=torch.bool)
    assert len(arm_pairs(mesh, nobody, lower).lower) == 0


def test_both_arms_have_two_sides() -> None:
    body = load_free_body()
    normals = torch.zeros_like(body.template)
    normals[:, 1] = torch.where(body.template[:, 1] > body.joint_template[16, 1], 1.0, -1.0)
    upper, lower = arm_sides(body.weights, normals)
    assert not (upper & lower).any()
    for side in (upper, lower):
        assert (body.template[side, 0] > 0.1).any() and (body.template[side, 0] < -0.1).any()
    assert not (upper | lower)[body.head].any()


def test_mirrored_joints_are_symmetric() -> None:
    offset = torch.zeros(55, 3)
    offset[Joint.LEFT_KNEE] = torch.tensor([0.01, 0.02, 0.03])
    offset[Joint.RIGHT_KNEE] = torch.tensor([-0.01, 0.02, 0.03])
    assert joint_asymmetry(offset).max() == 0
    offset[Joint.RIGHT_KNEE, 1] = 0.05
    torch.testing.assert_close(joint_asymmetry(offset).sum(), torch.tensor(0.03))
