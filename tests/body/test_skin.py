"""Skinning of Gaussians: exact both ways, equivariant, and fuller than linear blending."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body import lbs, skin
from svad.geometry import rotation as rot
from svad.types import Avatar, Pose
from tests.helpers import PARENTS, tiny_avatar, tiny_joints

E = 4


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    avatar = tiny_avatar(3000)
    random = torch.Generator().manual_seed(1)
    quats = torch.nn.functional.normalize(torch.randn(3000, 4, generator=random), dim=-1)
    scales = torch.rand(3000, 3, generator=random) * 0.01
    return replace(avatar, gaussians=replace(avatar.gaussians, quats=quats, scales=scales))


def random_pose(seed: int, size: float = 0.6, **coefficients: float) -> Pose:
    random = np.random.default_rng(seed)
    turns = random.normal(0, size, (55, 3)).astype(np.float32)
    expression = np.zeros(E, np.float32)
    for name, value in coefficients.items():
        expression[int(name[1:])] = value
    return Pose(turns, random.normal(0, 1, 3).astype(np.float32), expression)


@pytest.mark.parametrize("rigid", [0.0, skin.RIGID, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_unpose_is_the_inverse_of_pose(avatar: Avatar, rigid: float, seed: int):
    rig = (avatar.joint_ids, avatar.joint_weights, avatar.joints, PARENTS, random_pose(seed))
    posed = skin.pose_points(avatar.gaussians.means, *rig, rigid=rigid)
    back = skin.unpose_points(posed, *rig, rigid=rigid)
    # float32 at metre scale, times the condition of the blend of two joints
    assert (back - avatar.gaussians.means).abs().max() < 1e-5


def test_gaussians_go_where_points_go_and_turn_back(avatar: Avatar):
    pose = random_pose(4)
    rig = (avatar.joint_ids, avatar.joint_weights, avatar.joints, PARENTS, pose)
    posed = skin.pose_gaussians(avatar, pose)
    torch.testing.assert_close(posed.means, skin.pose_points(avatar.gaussians.means, *rig))
    quats = skin.unpose_quats(posed.quats, *rig)
    torch.testing.assert_close(quats, avatar.gaussians.quats, atol=1e-5, rtol=0)
    assert (posed.quats.norm(dim=-1) - 1).abs().max() < 1e-5
    assert posed.scales is avatar.gaussians.scales


def test_zero_pose_is_the_rest(avatar: Avatar):
    still = Pose(np.zeros((55, 3), np.float32), np.zeros(3, np.float32), np.zeros(E, np.float32))
    posed = skin.pose_gaussians(avatar, still)
    torch.testing.assert_close(posed.means, avatar.gaussians.means, atol=1e-6, rtol=0)
    torch.testing.assert_close(posed.quats, avatar.gaussians.quats, atol=1e-6, rtol=0)


def test_without_dual_quaternions_it_is_linear_blend_skinning(avatar: Avatar):
    pose = random_pose(5)
    transforms = lbs.joint_transforms(torch.tensor(pose.rotations), avatar.joints, PARENTS)
    expected = lbs.skin(
        avatar.gaussians.means, avatar.joint_ids, avatar.joint_weights, transforms
    ) + torch.tensor(pose.translation)
    got = skin.pose_gaussians(avatar, pose, rigid=0.0)
    torch.testing.assert_close(got.means, expected, atol=2e-6, rtol=0)


def test_root_rotation_moves_all_rigidly(avatar: Avatar):
    pose = random_pose(6)
    turn = rot.rodrigues(torch.tensor([0.3, -2.1, 0.8]))
    root = rot.matrix_to_axis_angle(turn @ rot.rodrigues(torch.tensor(pose.rotations[0])))
    rotations = pose.rotations.copy()
    rotations[0] = root.numpy()
    turned = skin.pose_gaussians(avatar, replace(pose, rotations=rotations))
    posed = skin.pose_gaussians(avatar, pose)
    shift = torch.tensor(pose.translation) + avatar.joints[0]
    torch.testing.assert_close(
        turned.means - shift, (posed.means - shift) @ turn.T, atol=1e-5, rtol=0
    )
    frames = rot.quaternion_to_matrix(posed.quats)
    torch.testing.assert_close(
        rot.quaternion_to_matrix(turned.quats), turn @ frames, atol=1e-5, rtol=0
    )


def test_a_twisted_wrist_keeps_its_girth():
    """A half turn of the wrist: linear blending collapses the ring between, ours keeps it."""
    joints = torch.tensor(tiny_joints())
    angle = torch.linspace(0, 6.28, 17)[:-1]
    ring = torch.stack([0 * angle, angle.cos(), angle.sin()], -1) * 0.03
    points = joints[20] + ring
    ids = torch.tensor([[18, 20]]).expand(16, 2)
    weights = torch.full((16, 2), 0.5)
    rotations = np.zeros((55, 3), np.float32)
    rotations[20, 0] = 0.9 * np.pi
    pose = Pose(rotations, np.zeros(3, np.float32), np.zeros(0, np.float32))

    def girth(rigid: float) -> float:
        posed = skin.pose_points(points, ids, weights, joints, PARENTS, pose, rigid=rigid)
        return float((posed - posed.mean(0)).norm(dim=-1).mean() / 0.03)

    assert girth(0.0) < 0.2
    assert girth(skin.RIGID) > 0.5
    assert girth(1.0) == pytest.approx(1.0, abs=1e-4)


def test_expression_moves_only_its_gaussians_linearly(avatar: Avatar):
    def means(value: float) -> torch.Tensor:
        rest = Pose(*[np.zeros(s, np.float32) for s in ((55, 3), 3)], np.float32([0, value, 0, 0]))
        return skin.pose_gaussians(avatar, rest).means

    neutral, half, full = means(0.0), means(0.5), means(1.0)
    torch.testing.assert_close(half - neutral, (full - neutral) / 2, atol=1e-6, rtol=0)
    moved = (full != neutral).any(-1)
    assert moved.any()
    assert set(torch.nonzero(moved)[:, 0].tolist()) <= set(avatar.expression_ids.tolist())


def test_gradient_reaches_the_rest_gaussians(avatar: Avatar):
    means = avatar.gaussians.means.clone().requires_grad_()
    moved = replace(avatar, gaussians=replace(avatar.gaussians, means=means))
    skin.pose_gaussians(moved, random_pose(7, e1=1.0)).means.square().sum().backward()
    assert torch.isfinite(means.grad).all() and (means.grad.abs().sum(-1) > 0).all()
