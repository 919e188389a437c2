"""The compiled pose of a cloud against the plain one: the same points, the same gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.body.skin import RIGID, pose_gaussians
from svad.body.skin_fast import pose_cloud
from svad.types import Avatar, Pose
from tests.helpers import PARENTS, one_pose, tiny_avatar

COUNT = 1500
NAMES = ("means", "rotations", "translation", "joints")
EXTREMES = {
    "zero": 0.0,
    "tiny": 1e-7,
    "just above the series": 1.2e-4,
    "near pi": np.pi - 1e-3,
    "beyond pi": np.pi + 0.4,
    "nearly around": 2 * np.pi - 0.3,
}


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    """Turned splats, and every weight at least a little: four joints and more than one way."""
    plain = tiny_avatar(COUNT)
    random = torch.Generator().manual_seed(2)
    quats = torch.nn.functional.normalize(torch.randn(COUNT, 4, generator=random), dim=1)
    ids = torch.randint(0, 55, (COUNT, 4), generator=random)
    weights = torch.rand(COUNT, 4, generator=random) * torch.tensor([4.0, 2, 1, 1])
    near = torch.arange(COUNT) % 3 > 0  # most points hang on neighbouring joints as usual
    ids[near], weights[near] = plain.joint_ids[near], plain.joint_weights[near]
    weights /= weights.sum(1, keepdim=True)
    gaussians = replace(plain.gaussians, quats=quats)
    return replace(plain, gaussians=gaussians, joint_ids=ids, joint_weights=weights)


def turned(seed: int, size: float = 0.5) -> Pose:
    random = np.random.default_rng(seed)
    return one_pose(random.normal(0, size, (55, 3)), random.normal(0, 1, 3))[0]


def leaves(avatar: Avatar, pose: Pose, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """What has a gradient, in the order of NAMES."""
    values = avatar.gaussians.means, pose.rotations, pose.translation, avatar.joints
    return [value.detach().to(dtype).clone().requires_grad_() for value in values]


def fast(avatar: Avatar, values: list[Tensor], rigid: float) -> tuple[Tensor, Tensor]:
    means, rotations, translation, joints = values
    return pose_cloud(
        means, avatar.gaussians.quats, avatar.joint_ids, avatar.joint_weights, joints, PARENTS,
        rotations, translation, rigid=rigid,
    )  # fmt: skip


def plain(avatar: Avatar, values: list[Tensor], rigid: float) -> tuple[Tensor, Tensor]:
    means, rotations, translation, joints = values
    g, dtype = avatar.gaussians, means.dtype
    gaussians = replace(g, means=means, quats=g.quats.to(dtype))
    weights = avatar.joint_weights.to(dtype)
    a = replace(avatar, gaussians=gaussians, joint_weights=weights, joints=joints)
    posed = pose_gaussians(a, Pose(rotations, translation, torch.zeros(4)), rigid=rigid)
    return posed.means, posed.quats


def pulls(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Gradients from above, of points and of quaternions."""
    random = torch.Generator().manual_seed(7)
    shapes = (COUNT, 3), (COUNT, 4)
    return tuple(torch.randn(s, generator=random, dtype=torch.float64).to(dtype) for s in shapes)


def gradients(made: tuple[Tensor, Tensor], values: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(made, values, pulls(values[0].dtype)))


def require_same(avatar: Avatar, pose: Pose, rigid: float = RIGID, slack: float = 1.0) -> None:
    """Points, quaternions and gradients against torch's own in float64.

    float32 at metre scale has an error of 1e-7 per step; sums of a thousand gradients one of 1e-5
    of the largest.
    """
    ours, theirs = leaves(avatar, pose), leaves(avatar, pose, torch.float64)
    made, expected = fast(avatar, ours, rigid), plain(avatar, theirs, rigid)
    for mine, true in zip(made, expected, strict=True):
        torch.testing.assert_close(mine.double(), true, atol=2e-6 * slack, rtol=0)
    found, wanted = gradients(made, ours), gradients(expected, theirs)
    for name, mine, true in zip(NAMES, found, wanted, strict=True):
        scale = max(1.0, true.abs().max().item())
        torch.testing.assert_close(
            mine.double(),
            true,
            atol=2e-5 * slack * scale,
            rtol=0,
            msg=lambda m, n=name: f"{n}: {m}",
        )


@pytest.mark.parametrize("rigid", [0.0, RIGID, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_points_and_gradients_are_those_of_pose_gaussians(
    avatar: Avatar, rigid: float, seed: int
) -> None:
    require_same(avatar, turned(seed), rigid)


@pytest.mark.parametrize("angle", EXTREMES.values(), ids=EXTREMES.keys())
def test_rotations_of_every_size(avatar: Avatar, angle: float) -> None:
    """Beyond pi a rotation's quaternion changes its sign, and with it the way that is taken."""
    random = np.random.default_rng(5)
    axes = random.normal(size=(55, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    spread = random.integers(0, 2, (55, 1))  # not all of them: opposite ones cancel each other
    turns = axes * np.where(spread, angle, 0.3)
    still = tiny_avatar(COUNT)  # joints next to each other: far ones blend to next to nothing
    quats = replace(still, gaussians=replace(still.gaussians, quats=avatar.gaussians.quats))
    require_same(quats, one_pose(turns, (0.1, 0.2, -3.0))[0], slack=5.0)


def test_the_rest_pose_has_a_gradient_too(avatar: Avatar) -> None:
    require_same(avatar, one_pose(np.zeros((55, 3)))[0])


def test_joints_without_weight_do_not_matter(avatar: Avatar) -> None:
    weights = torch.zeros(COUNT, 4)
    weights[:, 0] = 1
    one = replace(avatar, joint_weights=weights)
    ids = avatar.joint_ids.clone()
    ids[:, 1:] = 0
    other = replace(one, joint_ids=ids)
    require_same(one, turned(3))
    values = leaves(one, turned(3))
    for mine, theirs in zip(fast(one, values, RIGID), fast(other, values, RIGID), strict=True):
        assert torch.equal(mine, theirs)


def test_a_point_without_any_weight_stays_finite(avatar: Avatar) -> None:
    lost = replace(avatar, joint_weights=avatar.joint_weights.index_fill(0, torch.tensor([4]), 0))
    values = leaves(lost, turned(1))
    made = fast(lost, values, RIGID)
    assert all(m.isfinite().all() for m in made)
    assert all(g.isfinite().all() for g in gradients(made, values))


def test_gradients_are_slopes_of_the_values() -> None:
    """Central differences of the float64 statement, which `require_same` ties the loops to."""
    tiny = tiny_avatar(6)
    pose = turned(9)
    values = leaves(tiny, pose, torch.float64)
    assert torch.autograd.gradcheck(
        lambda *v: plain(tiny, list(v), RIGID), values, eps=1e-6, atol=1e-6
    )
    ours = leaves(tiny, pose)
    weights = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    found = torch.autograd.grad((fast(tiny, ours, RIGID)[0] * weights).sum(), ours)
    for at, value in enumerate(values):
        slopes = torch.zeros_like(value)
        for k in range(value.numel()):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [v.detach().clone() for v in values]
                moved[at].view(-1)[k] += step
                ends.append((plain(tiny, moved, RIGID)[0] * weights).sum())
            slopes.view(-1)[k] = (ends[0] - ends[1]) / 2e-6
        # float32 sums of eighteen products
        torch.testing.assert_close(found[at].double(), slopes, atol=2e-5, rtol=1e-4)


def test_same_bits_on_one_and_two_threads(avatar: Avatar) -> None:
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            values = leaves(avatar, turned(2))
            made = fast(avatar, values, RIGID)
            results.append([*made, *gradients(made, values)])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_a_gradient_that_nobody_asks_for_is_not_needed(avatar: Avatar) -> None:
    """Points alone, quaternions alone, and a cloud that is frozen."""
    means, rotations, translation, joints = leaves(avatar, turned(4))
    frozen = [means.detach(), rotations, translation, joints.detach()]
    placed, quats = fast(avatar, frozen, RIGID)
    both = torch.autograd.grad(placed.sum() + quats[:, 1].sum(), [rotations, translation])
    placed, quats = fast(avatar, frozen, RIGID)
    first = torch.autograd.grad(placed.sum(), [rotations, translation])
    placed, quats = fast(avatar, frozen, RIGID)
    second = torch.autograd.grad(quats[:, 1].sum(), [rotations, translation])
    for whole, a, b in zip(both, first, second, strict=True):
        torch.testing.assert_close(whole, a + b, atol=1e-3, rtol=1e-4)  # sums of 1500 in float32
    assert second[1].abs().max() == 0  # where the person stands turns nothing
