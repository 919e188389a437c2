"""What a pose changes beyond turning limbs: nothing at first, then the same one by one and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.correctives import changes, corrected, new_correctives
from svad.body.skin import pose_gaussians, select_gaussians
from svad.storage import load, save
from svad.types import Avatar, Correctives, Pose
from tests.helpers import one_pose, tiny_avatar

COUNT = 400


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(COUNT)


def learned(count: int = COUNT, seed: int = 0) -> Correctives:
    """A network that has learned something."""
    fresh = new_correctives(count, hidden=6, coefficients=3)
    random = torch.Generator().manual_seed(seed)
    return replace(fresh, basis=0.05 * torch.randn(3, count, 7, generator=random))


def turned(seed: int, expression: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)) -> Pose:
    random = np.random.default_rng(seed)
    return one_pose(random.normal(0, 0.4, (55, 3)), random.normal(0, 1, 3), expression)


def test_a_new_network_changes_nothing_to_the_bit(avatar: Avatar) -> None:
    fresh = replace(avatar, correctives=new_correctives(COUNT))
    for pose in (turned(0)[0], Pose.cat([turned(0), turned(1)])):
        with_it, without = pose_gaussians(fresh, pose), pose_gaussians(avatar, pose)
        for name in ("means", "scales", "quats", "opacities", "colors"):
            mine, theirs = torch.broadcast_tensors(getattr(with_it, name), getattr(without, name))
            assert torch.equal(mine, theirs), name


def test_a_pose_at_rest_asks_for_no_change() -> None:
    still = one_pose(np.zeros((55, 3)))[0]
    assert changes(learned(), still).abs().max() == 0  # tanh of nothing, without a bias


def test_frames_together_are_as_one_by_one(avatar: Avatar) -> None:
    with_it = replace(avatar, correctives=learned())
    poses = Pose.cat([turned(seed) for seed in range(3)])
    together = pose_gaussians(with_it, poses)
    for frame in range(3):
        alone = pose_gaussians(with_it, poses[frame])
        for name in ("means", "scales", "quats", "opacities", "colors"):
            # float32; a batch is multiplied in another order
            mine = getattr(together, name)[frame]
            torch.testing.assert_close(mine, getattr(alone, name), atol=2e-6, rtol=0)


def test_it_depends_on_the_body_alone() -> None:
    pose = turned(2)[0]
    rotations = pose.rotations.clone()
    rotations[[0, *range(22, 55)]] += 1.0  # where the person faces, hands and face
    other = Pose(rotations, pose.translation + 3, pose.expression + 1)
    assert torch.equal(changes(learned(), pose), changes(learned(), other))
    rotations[16] += 0.1
    other = replace(other, rotations=rotations)
    assert not torch.equal(changes(learned(), pose), changes(learned(), other))


def test_a_turn_by_more_than_a_half_is_the_turn_back() -> None:
    """Features are those of rotations, not of the numbers that say them."""
    pose = turned(3)[0]
    rotations = pose.rotations.clone()
    angle = rotations[4].norm()
    rotations[4] *= (angle - 2 * torch.pi) / angle
    torch.testing.assert_close(
        changes(learned(), pose), changes(learned(), replace(pose, rotations=rotations)),
        atol=1e-6, rtol=0,
    )  # fmt: skip


def test_each_number_goes_where_it_belongs(avatar: Avatar) -> None:
    network, pose = learned(), turned(4)[0]
    change, rest = changes(network, pose), avatar.gaussians
    made = corrected(rest, network, pose)
    torch.testing.assert_close(made.means - rest.means, change[:, :3], atol=1e-6, rtol=0)
    torch.testing.assert_close(made.scales / rest.scales, change[:, 3:4].exp().expand(-1, 3))
    torch.testing.assert_close(made.colors, (rest.colors + change[:, 4:]).clamp(0, 1))
    assert made.quats is rest.quats and made.opacities is rest.opacities


def test_a_choice_of_gaussians_keeps_what_is_theirs(avatar: Avatar) -> None:
    with_it = replace(avatar, correctives=learned())
    index = torch.tensor([390, 3, 17, 250, 42])
    few = select_gaussians(with_it, index)
    pose = turned(5, (0.7, 0.0, 0.3, 0.0))[0]
    whole, part = pose_gaussians(with_it, pose), pose_gaussians(few, pose)
    for name in ("means", "scales", "quats", "opacities", "colors"):
        torch.testing.assert_close(
            getattr(part, name), getattr(whole, name)[index], atol=2e-6, rtol=0
        )
    without = select_gaussians(avatar, index)
    assert without.correctives is None


def test_a_face_that_is_left_out_moves_nobody_else(avatar: Avatar) -> None:
    ids = avatar.expression_ids
    index = torch.cat(
        [ids[::2].flip(0), torch.arange(COUNT)[~torch.isin(torch.arange(COUNT), ids)]]
    )
    few = select_gaussians(avatar, index)
    assert len(few.expression_ids) == len(ids[::2])
    pose = turned(6, (1.0, 0.5, 0.0, 0.2))[0]
    whole, part = pose_gaussians(avatar, pose), pose_gaussians(few, pose)
    torch.testing.assert_close(part.means, whole.means[index], atol=2e-6, rtol=0)


def test_expression_and_pose_add_up_at_rest(avatar: Avatar) -> None:
    """Both move the rest points, before limbs are turned; neither hides the other."""
    with_it = replace(avatar, correctives=learned())
    smile = (0.8, 0.4, 0.0, 0.0)
    pose, plain = turned(7, smile)[0], turned(7)[0]
    rest = corrected(avatar.gaussians, with_it.correctives, pose)
    baked = replace(avatar, gaussians=rest)
    expected = pose_gaussians(baked, pose)
    torch.testing.assert_close(pose_gaussians(with_it, pose).means, expected.means)
    moved = (expected.means - pose_gaussians(with_it, plain).means).norm(dim=1)
    ids = avatar.expression_ids
    assert moved[ids].max() > 1e-3
    away = torch.ones(COUNT, dtype=torch.bool)
    away[ids] = False
    assert moved[away].max() == 0


def test_the_pose_has_a_gradient_through_it(avatar: Avatar) -> None:
    network = learned()
    rotations = turned(8)[0].rotations.requires_grad_()
    pose = Pose(rotations, torch.zeros(3), torch.zeros(4))
    (found,) = torch.autograd.grad(changes(network, pose).square().sum(), rotations)
    assert found[1:22].abs().amax(1).min() > 0 and found[22:].abs().max() == 0


def test_a_stored_avatar_comes_back_with_it(avatar: Avatar, tmp_path: Path) -> None:
    with_it = replace(avatar, correctives=learned())
    save(with_it, tmp_path / "avatar.safetensors")
    back = load(Avatar, tmp_path / "avatar.safetensors")
    assert back.correctives is not None
    for name in ("hidden", "hidden_bias", "output", "basis"):
        assert torch.equal(getattr(back.correctives, name), getattr(with_it.correctives, name))
    save(avatar, tmp_path / "plain.safetensors")
    assert load(Avatar, tmp_path / "plain.safetensors").correctives is None
