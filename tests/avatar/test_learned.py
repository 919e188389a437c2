"""Changes over a first guess: none at first, kept on a finer cloud, and baked in at the end."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.avatar.model.learned import FAINTEST, LARGEST, SMALLEST, Learned
from svad.avatar.model.thin import blend_onto, thinned
from svad.body.correctives import new_correctives
from svad.body.skin import pose_gaussians
from svad.config.avatar import TrainConfig
from svad.geometry.camera import photo_camera
from svad.splat.gaussians import Gaussians
from svad.splat.kernels.constants import ALPHA_MIN
from svad.splat.render import render
from svad.types import Avatar, Pose
from tests.helpers import one_pose, tiny_avatar

COUNT = 900
PARTS = [f.name for f in fields(Gaussians)]


@pytest.fixture
def avatar() -> Avatar:
    return tiny_avatar(COUNT)


def turned(seed: int) -> Pose:
    random = np.random.default_rng(seed)
    turns = random.normal(0, 0.3, (55, 3))
    return one_pose(turns, (0.0, 0.0, -4.0), (0.6, 0.0, 0.2, 0.0))


def moved(learned: Learned, size: float = 0.02, seed: int = 0) -> Learned:
    """After some steps."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in learned.values.values():
            value.add_(size * torch.randn(value.shape, generator=random))
    learned.keep_valid()
    return learned


def same(one: Gaussians, other: Gaussians, atol: float) -> None:
    for name in PARTS:
        mine, theirs = torch.broadcast_tensors(getattr(one, name), getattr(other, name))
        torch.testing.assert_close(mine, theirs, atol=atol, rtol=0, msg=lambda m, n=name: f"{n}{m}")


@pytest.mark.parametrize("coefficients", [0, 4])
def test_an_untrained_one_draws_exactly_the_avatar(avatar: Avatar, coefficients: int) -> None:
    learned = Learned.of(avatar, coefficients)
    for name in PARTS:  # to the bit
        assert torch.equal(getattr(learned.gaussians(), name), getattr(avatar.gaussians, name))
    together = Pose.cat([turned(0), turned(1)])
    batch, expected = learned.posed(together), pose_gaussians(avatar, together)
    same(batch, expected, atol=0)
    one, expected = learned.posed(turned(0)[0]), pose_gaussians(avatar, turned(0)[0])
    same(one, expected, atol=2e-6)  # compiled loops add in another order
    with torch.no_grad():
        pictures = [render(g, photo_camera(60, 80)).image for g in (one, expected)]
    away = (pictures[0] - pictures[1]).abs()
    # a splat that is as faint as is still drawn may be left out of a pixel in one of the two
    assert away.max() <= ALPHA_MIN and away.mean() < 1e-5


def test_an_avatar_that_has_a_network_goes_on_with_it(avatar: Avatar) -> None:
    network = new_correctives(COUNT, hidden=4, coefficients=2)
    basis = 0.02 * torch.randn(2, COUNT, 7, generator=torch.Generator().manual_seed(1))
    trained = replace(avatar, correctives=replace(network, basis=basis))
    learned = Learned.of(trained, 8)
    assert torch.equal(learned.values["basis"], basis)
    same(learned.posed(turned(2)[0]), pose_gaussians(trained, turned(2)[0]), atol=2e-6)


@pytest.mark.parametrize("coefficients", [0, 4])
def test_one_frame_and_a_batch_are_posed_alike(avatar: Avatar, coefficients: int) -> None:
    learned = moved(Learned.of(avatar, coefficients))
    poses = Pose.cat([turned(seed) for seed in range(3)])
    batch = learned.posed(poses)
    for frame in range(3):
        one = learned.posed(poses[frame])
        for name in PARTS:
            theirs = getattr(batch, name)
            theirs = theirs[frame] if theirs.ndim > getattr(one, name).ndim else theirs
            torch.testing.assert_close(getattr(one, name), theirs, atol=3e-6, rtol=0)


def gradients(learned: Learned, pose: Pose) -> dict[str, Tensor]:
    leaves = pose.rotations.requires_grad_(), pose.translation.requires_grad_()
    made = learned.posed(pose)
    total = (made.means * torch.tensor([1.0, -2, 0.5])).sum() + made.scales.sum() * 3
    total = total + (made.colors * torch.tensor([0.2, 1, -1])).sum() + made.opacities.sum()
    found = torch.autograd.grad(total, [*leaves, *learned.values.values()])
    return dict(zip(["rotations", "translation", *learned.values], found, strict=True))


def test_both_ways_have_the_same_gradients(avatar: Avatar) -> None:
    learned = moved(Learned.of(avatar, 3))
    pose = turned(4)
    one, batch = (
        gradients(learned, Pose(p.rotations.clone(), p.translation.clone(), p.expression))
        for p in (pose[0], pose)
    )
    for name, mine in one.items():
        theirs = batch[name].reshape(mine.shape)
        scale = max(1.0, theirs.abs().max().item())
        # float32 sums over all Gaussians
        torch.testing.assert_close(mine, theirs, atol=1e-4 * scale, rtol=0, msg=name)
    assert all(found.abs().max() > 0 for name, found in one.items())


def test_finished_is_an_avatar_that_draws_the_same(avatar: Avatar) -> None:
    learned = moved(Learned.of(avatar, 4))
    done = learned.finished()
    same(pose_gaussians(done, turned(5)[0]), learned.posed(turned(5)[0]), atol=3e-6)
    tensors = [getattr(done.gaussians, name) for name in PARTS] + [done.joints]
    assert done.correctives is not None
    tensors += [done.correctives.basis, done.correctives.hidden]
    assert not any(t.requires_grad for t in tensors)
    before = [t.clone() for t in tensors]
    moved(learned, seed=3)  # goes on learning: what was handed out stays
    assert all(torch.equal(a, b) for a, b in zip(tensors, before, strict=True))


def test_the_first_guess_is_never_changed(avatar: Avatar) -> None:
    before = {name: getattr(avatar.gaussians, name).clone() for name in PARTS}
    moved(Learned.of(avatar, 2), size=0.3).finished()
    assert all(torch.equal(getattr(avatar.gaussians, name), v) for name, v in before.items())


def test_values_are_brought_back_into_their_ranges(avatar: Avatar) -> None:
    learned = moved(Learned.of(avatar), size=50.0)
    v = learned.values
    assert v["colors"].min() >= 0 and v["colors"].max() <= 1
    assert v["log_scales"].min() >= SMALLEST and v["log_scales"].max() <= LARGEST
    assert v["opacities"].min() >= np.float32(FAINTEST) and v["opacities"].max() <= 1


def test_every_value_has_a_rate(avatar: Avatar) -> None:
    for coefficients in (0, 3):
        learned = Learned.of(avatar, coefficients)
        rates = learned.rates(TrainConfig())
        assert set(rates) == set(learned.values) and min(rates.values()) > 0


@pytest.mark.parametrize("coefficients", [0, 2])
def test_untrained_changes_on_the_finer_cloud_are_none(avatar: Avatar, coefficients: int) -> None:
    coarse = thinned(avatar, 200)
    blend = blend_onto(avatar, coarse)
    fine = Learned.of(coarse, coefficients).onto(avatar, blend)
    same(fine.gaussians(), avatar.gaussians, atol=1e-7)
    same(fine.posed(turned(6)[0]), pose_gaussians(avatar, turned(6)[0]), atol=3e-6)


def test_changes_that_are_alike_everywhere_are_the_same_on_the_finer_cloud(avatar: Avatar) -> None:
    coarse = thinned(avatar, 200)
    learned = Learned.of(coarse, 2)
    add = {"offsets": 0.01, "colors": -0.05, "log_scales": 0.2, "opacities": -0.1, "basis": 0.3}
    with torch.no_grad():
        learned.values["colors"].copy_(coarse.gaussians.colors)
        for name, change in add.items():
            learned.values[name].add_(change)
        learned.values["joint_offsets"].normal_()
    fine = learned.onto(avatar, blend_onto(avatar, coarse))
    v, g = fine.values, avatar.gaussians
    ones = torch.ones(COUNT, 3)
    torch.testing.assert_close(v["offsets"], 0.01 * ones, atol=1e-6, rtol=0)
    torch.testing.assert_close(v["log_scales"], 0.2 * ones, atol=1e-6, rtol=0)
    torch.testing.assert_close(v["colors"], (g.colors - 0.05).clamp(0, 1), atol=1e-6, rtol=0)
    torch.testing.assert_close(v["opacities"], g.opacities - 0.1, atol=1e-6, rtol=0)
    torch.testing.assert_close(v["basis"], torch.full((2, COUNT, 7), 0.3), atol=1e-6, rtol=0)
    assert torch.equal(v["joint_offsets"], learned.values["joint_offsets"])
    assert torch.equal(v["hidden"], learned.values["hidden"])
    assert fine.avatar.gaussians is avatar.gaussians
