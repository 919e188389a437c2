"""Closing gaps: nothing changes in the photo's pose, stretched skin stays closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.poser import MOST, Poser
from svad.body.skin import pose_gaussians
from svad.motion.authored import authored
from svad.splat.gaussians import isotropic
from svad.types import Avatar, Pose
from tests.helpers import one_pose, tiny_avatar


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(3000)


@pytest.fixture(scope="module")
def smooth() -> Avatar:
    """An avatar with smooth weights: a Gaussian on every vertex of the default body."""
    body = load_free_body()
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    count = len(rest.vertices)
    avatar = tiny_avatar(10)
    return replace(
        avatar,
        gaussians=isotropic(rest.vertices, torch.full((count,), 0.004), torch.rand(count, 3)),
        joint_ids=torch.as_tensor(body.joint_ids),
        joint_weights=torch.as_tensor(body.joint_weights),
        joints=rest.joints,
        expression_ids=torch.zeros(0, dtype=torch.int64),
        expression_dirs=torch.zeros(0, 4, 3),
    )


def bent_elbow(degrees: float) -> Pose:
    rotations = np.zeros((55, 3), np.float32)
    rotations[18, 1] = -np.radians(degrees)
    return one_pose(rotations)


def test_the_photo_pose_is_left_alone(avatar: Avatar):
    posed, plain = Poser.of(avatar)(avatar.pose[0]), pose_gaussians(avatar, avatar.pose[0])
    for name in ("means", "scales", "quats", "opacities", "colors"):
        torch.testing.assert_close(getattr(posed, name), getattr(plain, name))


@pytest.mark.parametrize("name", ["squat", "raise_arms"])
def test_only_sizes_change_and_only_so_far(smooth: Avatar, name: str):
    avatar = smooth
    poses = authored()[name].for_avatar(avatar).poses
    pose = poses[len(poses) // 2]
    posed, plain = Poser.of(avatar)(pose), pose_gaussians(avatar, pose)
    assert torch.equal(posed.means, plain.means) and torch.equal(posed.quats, plain.quats)
    growth = posed.scales / plain.scales
    assert growth.min() >= 1 and growth.max() <= MOST + 1e-4 and growth.max() > 1.2
    assert (growth == growth[:, :1]).all()  # the shape stays


def test_growth_equals_the_stretch_of_an_even_sheet(avatar: Avatar):
    """A sheet pulled to twice its length by two joints: all of it grows twofold."""
    grid = torch.cartesian_prod(torch.arange(40.0), torch.arange(12.0)) * 0.003
    points = torch.tensor([[0.42, 0.48, 0.0]]) + grid @ torch.eye(2, 3)
    share = (grid[:, 0] / 0.12)[:, None]
    sheet = replace(
        avatar,
        gaussians=replace(avatar.gaussians.select(torch.arange(len(grid))), means=points),
        joint_ids=torch.tensor([[18, 20]]).expand(len(grid), 2).contiguous(),
        joint_weights=torch.cat([1 - share, share], 1),
        expression_ids=torch.zeros(0, dtype=torch.int64),
        expression_dirs=torch.zeros(0, 4, 3),
        pose=bent_elbow(0),
    )
    poser = Poser.of(sheet)
    # the wrist turns about a far axis, which carries its points away along x
    rotations = np.zeros((55, 3), np.float32)
    rotations[20, 2] = 0.4
    pose = one_pose(rotations)[0]
    plain = pose_gaussians(sheet, pose)
    posed = poser(pose)
    rows = plain.means.reshape(40, 12, 3)
    stretch = (rows[1:] - rows[:-1]).norm(dim=-1) / 0.003
    growth = (posed.scales / plain.scales)[:, 0].reshape(40, 12)
    middle = growth[5:-5, 3:-3]
    assert (middle - stretch[5:-4, 3:-3].clamp(1, MOST)).abs().median() < 0.05
    assert middle.max() > 1.2


def test_neighbours_on_another_limb_do_not_count():
    """Two sheets 2 mm apart on different joints drift apart; neither grows."""
    avatar = tiny_avatar(800)
    grid = torch.cartesian_prod(torch.arange(20.0), torch.arange(20.0)) * 0.004
    sheet = torch.stack([grid[:, 0], grid[:, 1], 0 * grid[:, 0]], 1)
    points = torch.cat([sheet, sheet + torch.tensor([0.0, 0.0, 0.002])])
    ids = torch.tensor([[16, 16]] * 400 + [[9, 9]] * 400)
    weights = torch.tensor([[1.0, 0.0]]).expand(800, 2).contiguous()
    two = replace(
        avatar,
        gaussians=replace(avatar.gaussians, means=points),
        joint_ids=ids,
        joint_weights=weights,
        pose=bent_elbow(0),
    )
    rotations = np.zeros((55, 3), np.float32)
    rotations[16, 2] = 1.0
    pose = one_pose(rotations)[0]
    posed = Poser.of(two)(pose)
    torch.testing.assert_close(posed.scales, two.gaussians.scales, rtol=1e-3, atol=0)


def test_expressions_close_the_skin_too(avatar: Avatar):
    pose = replace(avatar.pose[0], expression=torch.tensor([2.0, 0, 0, 0]))
    growth = Poser.of(avatar)(pose).scales / avatar.gaussians.scales
    grown = torch.nonzero(growth[:, 0] > 1.02)[:, 0].tolist()
    assert grown and set(grown) <= set(avatar.expression_ids.tolist())


def test_a_single_gaussian_can_be_posed(avatar: Avatar):
    one = replace(
        avatar,
        gaussians=avatar.gaussians.select(torch.tensor([0])),
        joint_ids=avatar.joint_ids[:1],
        joint_weights=avatar.joint_weights[:1],
        expression_ids=avatar.expression_ids[:0],
        expression_dirs=avatar.expression_dirs[:0],
    )
    posed = Poser.of(one)(bent_elbow(30)[0])
    assert torch.equal(posed.scales, one.gaussians.scales)


def test_a_batch_equals_its_frames_and_gradients_reach_the_pose(avatar: Avatar):
    poser = Poser.of(avatar)
    poses = Pose.cat([bent_elbow(degrees) for degrees in (0, 40, 80)])
    poses.rotations.requires_grad_()
    together = poser(poses)
    for frame, pose in enumerate(poses):
        alone = poser(pose)
        torch.testing.assert_close(together.scales[frame], alone.scales)
        torch.testing.assert_close(together.means[frame], alone.means)
    together.scales.sum().backward()
    assert poses.rotations.grad is not None and poses.rotations.grad[2, 18].abs().sum() > 0
