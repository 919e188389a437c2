"""The terms that keep a cloud in shape, against torch's own gradients of what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.avatar.model.learned import Learned
from svad.avatar.train.smooth import NEIGHBOURS, Neighbourhood, Regularisers
from svad.body.skeleton import HANDS, HEAD_JOINTS
from svad.config.avatar import TrainConfig
from tests.helpers import tiny_avatar

COUNT = 300


@pytest.fixture(scope="module")
def near() -> Neighbourhood:
    return Neighbourhood(tiny_avatar(COUNT).gaussians.means)


def moved(values: Learned, seed: int = 0) -> Learned:
    """After some steps: everything away from where it was."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in values.values.values():
            value.add_(0.05 * torch.randn(value.shape, generator=random))
    return values


def test_the_transposed_is_the_transposed(near: Neighbourhood) -> None:
    eye = torch.eye(COUNT)
    matrix = near.laplacian(eye)
    torch.testing.assert_close(near.transposed(eye), matrix.T)
    assert not torch.equal(matrix, matrix.T)  # to be nearest is not mutual


def test_who_is_next_to_whom(near: Neighbourhood) -> None:
    means = tiny_avatar(COUNT).gaussians.means
    matrix = near.laplacian(torch.eye(COUNT))
    away = torch.cdist(means.double(), means.double())
    for row in (0, 100, 299):
        named = set(torch.nonzero(matrix[row] < 0)[:, 0].tolist())
        assert named == set(away[row].argsort()[1 : NEIGHBOURS + 1].tolist())
    torch.testing.assert_close(matrix.sum(1), torch.zeros(COUNT), atol=1e-6, rtol=0)


def test_what_is_alike_everywhere_has_no_laplacian(near: Neighbourhood) -> None:
    values = torch.tensor([[1.5, -2.0]]).repeat(COUNT, 1)
    assert near.laplacian(values).abs().max() < 1e-6


@pytest.mark.parametrize("count", [1, 2, 5])
def test_clouds_with_fewer_points_than_neighbours(count: int) -> None:
    few = Neighbourhood(torch.rand(count, 3))
    matrix = few.laplacian(torch.eye(count))
    torch.testing.assert_close(few.transposed(torch.eye(count)), matrix.T)
    assert matrix.isfinite().all()


def stated(learned: Learned, config: TrainConfig) -> Tensor:
    """The sum of all terms as they are said, in float64: means over the Gaussians."""
    avatar, c = learned.avatar, config
    v = {name: value.double() for name, value in learned.values.items()}
    matrix = Neighbourhood(avatar.gaussians.means).laplacian(torch.eye(COUNT)).double()
    strongest = avatar.joint_ids.gather(1, avatar.joint_weights.argmax(1, keepdim=True))[:, 0]
    head = torch.isin(strongest, torch.tensor(HEAD_JOINTS))
    hands = [torch.isin(strongest, torch.tensor(joints)) for joints in HANDS.values()]
    assert head.any() and all(hand.any() for hand in hands)
    tight = torch.where(head, c.head_smooth, 1.0)[:, None]
    stay = torch.where(head, c.stay_head, c.stay).double()
    stay[hands[0] | hands[1]] = c.stay_hands
    colors = v["colors"] - avatar.gaussians.colors
    total = c.smooth_offsets * (tight * (matrix @ v["offsets"]).square()).sum() / COUNT
    total += c.smooth_sizes * (matrix @ v["log_scales"]).square().sum() / COUNT
    total += c.smooth_colors * (matrix @ colors).square().sum() / COUNT
    total += (stay[:, None] * v["offsets"].square()).sum() / COUNT
    for hand in hands:
        own = v["colors"][hand]
        total += c.hand_colour * (own - own.mean(0)).square().sum() / COUNT
    total += c.stay_joints * v["joint_offsets"].square().sum() / len(v["joint_offsets"])
    if "basis" in v:
        total += c.stay_correctives * v["basis"].square().sum() / COUNT
    return total


@pytest.mark.parametrize("coefficients", [0, 3])
def test_gradients_are_those_of_the_terms(coefficients: int) -> None:
    avatar, config = tiny_avatar(COUNT), TrainConfig()
    learned = moved(Learned.of(avatar, coefficients))
    found = Regularisers(avatar, config).gradients(learned)
    names = list(found)
    assert ("basis" in names) == bool(coefficients)
    expected = torch.autograd.grad(
        stated(learned, config), [learned.values[n] for n in names], allow_unused=True
    )
    for name, wanted in zip(names, expected, strict=True):
        assert wanted is not None, name
        # float32 differences of neighbours, times a thousand for offsets
        scale = max(1e-6, wanted.abs().max().item())
        torch.testing.assert_close(found[name], wanted, atol=1e-4 * scale, rtol=1e-3)


def test_nothing_pulls_at_the_first_guess_but_uneven_hands() -> None:
    avatar = tiny_avatar(COUNT)
    learned = Learned.of(avatar, 2)
    for name, pull in Regularisers(avatar, TrainConfig()).gradients(learned).items():
        if name != "colors":
            assert pull.abs().max() == 0, name
    even = replace(avatar.gaussians, colors=torch.full((COUNT, 3), 0.4))
    even = replace(avatar, gaussians=even)
    pull = Regularisers(even, TrainConfig()).gradients(Learned.of(even))["colors"]
    assert pull.abs().max() < 1e-8


def test_an_avatar_without_hands_and_head_is_taken() -> None:
    avatar = tiny_avatar(COUNT)
    trunk = replace(avatar, joint_ids=torch.full_like(avatar.joint_ids, 3))
    found = Regularisers(trunk, TrainConfig()).gradients(moved(Learned.of(trunk)))
    assert all(np.isfinite(pull.numpy()).all() for pull in found.values())
