"""Skinning of Gaussians: exact both ways, equivariant, and fuller than linear blending."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from svad.body import lbs, skin
from svad.geometry.rotation import matrix_to_axis_angle, quaternion_to_matrix, rodrigues
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Pose
from tests.helpers import PARENTS, one_pose, tiny_avatar, tiny_joints

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
    return one_pose(turns, random.normal(0, 1, 3), expression)[0]


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
    still = one_pose(np.zeros((55, 3)))[0]
    posed = skin.pose_gaussians(avatar, still)
    torch.testing.assert_close(posed.means, avatar.gaussians.means, atol=1e-6, rtol=0)
    torch.testing.assert_close(posed.quats, avatar.gaussians.quats, atol=1e-6, rtol=0)


def test_without_dual_quaternions_it_is_linear_blend_skinning(avatar: Avatar):
    pose = random_pose(5)
    transforms = lbs.joint_transforms(pose.rotations, avatar.joints, PARENTS)
    expected = (
        lbs.skin(avatar.gaussians.means, avatar.joint_ids, avatar.joint_weights, transforms)
        + pose.translation
    )
    got = skin.pose_gaussians(avatar, pose, rigid=0.0)
    torch.testing.assert_close(got.means, expected, atol=2e-6, rtol=0)


def test_root_rotation_moves_all_rigidly(avatar: Avatar):
    pose = random_pose(6)
    turn = rodrigues(torch.tensor([0.3, -2.1, 0.8]))
    root = matrix_to_axis_angle(turn @ rodrigues(pose.rotations[0]))
    rotations = pose.rotations.clone()
    rotations[0] = root
    turned = skin.pose_gaussians(avatar, replace(pose, rotations=rotations))
    posed = skin.pose_gaussians(avatar, pose)
    shift = pose.translation + avatar.joints[0]
    torch.testing.assert_close(
        turned.means - shift, (posed.means - shift) @ turn.T, atol=1e-5, rtol=0
    )
    frames = quaternion_to_matrix(posed.quats)
    torch.testing.assert_close(quaternion_to_matrix(turned.quats), turn @ frames, atol=1e-5, rtol=0)


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
    pose = one_pose(rotations)[0]

    def girth(rigid: float) -> float:
        posed = skin.pose_points(points, ids, weights, joints, PARENTS, pose, rigid=rigid)
        return float((posed - posed.mean(0)).norm(dim=-1).mean() / 0.03)

    assert girth(0.0) < 0.2
    assert girth(skin.RIGID) > 0.5
    assert girth(1.0) == pytest.approx(1.0, abs=1e-4)


def test_expression_moves_only_its_gaussians_linearly(avatar: Avatar):
    def means(value: float) -> torch.Tensor:
        rest = one_pose(np.zeros((55, 3)), expression=(0, value, 0, 0))[0]
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


def random_poses(frames: int, dtype: torch.dtype = torch.float32) -> Pose:
    poses = [random_pose(seed, e0=0.3 * seed, e2=-0.5) for seed in range(frames)]
    return Pose(
        torch.stack([pose.rotations for pose in poses]).to(dtype),
        torch.stack([pose.translation for pose in poses]).to(dtype),
        torch.stack([pose.expression for pose in poses]).to(dtype),
    )


@pytest.mark.parametrize("expressive", [False, True])
def test_eight_poses_at_once_equal_eight_single_ones(avatar: Avatar, expressive: bool):
    poses = random_poses(8)
    if not expressive:
        poses = replace(poses, expression=torch.zeros_like(poses.expression))
    together = skin.pose_gaussians(avatar, poses)
    assert len(together) == len(avatar.gaussians)
    for field in fields(Gaussians):
        whole = getattr(together, field.name)
        assert whole.shape == (8, *getattr(avatar.gaussians, field.name).shape)
        for frame, pose in enumerate(poses):
            alone = getattr(skin.pose_gaussians(avatar, pose), field.name)
            # products of many matrices at once round their last bit differently
            torch.testing.assert_close(whole[frame], alone, atol=1e-6, rtol=0)


def test_points_go_there_and_back_in_a_batch(avatar: Avatar):
    poses = random_poses(3)
    rig = (avatar.joint_ids, avatar.joint_weights, avatar.joints, PARENTS)
    posed = skin.pose_points(avatar.gaussians.means, *rig, poses)
    for frame, pose in enumerate(poses):
        alone = skin.pose_points(avatar.gaussians.means, *rig, pose)
        torch.testing.assert_close(posed[frame], alone, atol=1e-6, rtol=0)
    back = skin.unpose_points(posed, *rig, poses)
    assert (back - avatar.gaussians.means).abs().max() < 1e-5
    quats = skin.unpose_quats(skin.pose_gaussians(avatar, poses).quats, *rig, poses)
    assert (quats - avatar.gaussians.quats).abs().max() < 1e-5


def small_avatar() -> Avatar:
    """Seven random Gaussians in double precision."""
    avatar, random = tiny_avatar(7), torch.Generator().manual_seed(3)
    values = {
        field.name: torch.rand(getattr(avatar.gaussians, field.name).shape, generator=random)
        for field in fields(Gaussians)
    }
    return replace(
        avatar,
        gaussians=Gaussians(**{name: value.double() for name, value in values.items()}),
        joint_weights=torch.rand(7, 4, generator=random).softmax(1).double(),
        joint_ids=torch.randint(0, 55, (7, 4), generator=random),
        joints=avatar.joints.double(),
        expression_ids=torch.tensor([1, 4, 6]),
        expression_dirs=torch.randn(3, E, 3, generator=random).double(),
    )


@pytest.mark.parametrize("frames", [None, 2])
@pytest.mark.parametrize("still", [False, True])
def test_gradients_are_those_of_finite_differences(frames: int | None, still: bool):
    """In the pose (zero turns and a neutral face too), the shape and everything of a Gaussian."""
    avatar = small_avatar()
    poses = random_poses(2, torch.float64)
    if still:
        poses = Pose(*(torch.zeros_like(getattr(poses, f.name)) for f in fields(Pose)))
    pose = poses[0] if frames is None else poses
    inputs = [pose.rotations, pose.translation, pose.expression, avatar.joints]
    inputs += [avatar.joint_weights, avatar.expression_dirs]
    inputs += [getattr(avatar.gaussians, field.name) for field in fields(Gaussians)]
    inputs = [value.clone().requires_grad_() for value in inputs]

    def posed(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        turns, place, face, joints, weights, dirs, *rest = values
        moved = replace(
            avatar, gaussians=Gaussians(*rest), joints=joints, joint_weights=weights,
            expression_dirs=dirs,
        )  # fmt: skip
        found = skin.pose_gaussians(moved, Pose(turns, place, face))
        return tuple(getattr(found, field.name) for field in fields(Gaussians))

    assert torch.autograd.gradcheck(posed, inputs, fast_mode=True)


def test_everything_stays_on_the_device_it_is_on(avatar: Avatar):
    """On "meta", where an operation between two devices fails as it does on a GPU."""
    far, poses = avatar.to("meta"), random_poses(2).to("meta")
    far = replace(far, expression_ids=far.expression_ids[:0])  # finding what is used needs numbers
    poses.rotations.requires_grad_()
    poses.expression.requires_grad_()
    posed = skin.pose_gaussians(far, poses)
    assert all(getattr(posed, field.name).is_meta for field in fields(Gaussians))
    assert posed.means.shape == (2, len(avatar.gaussians), 3)


@pytest.mark.gpu
def test_a_gpu_poses_as_the_cpu(avatar: Avatar):
    """Batches and gradients, too; float32 at metre scale."""
    found = []
    for device in ("cpu", "cuda"):
        poses = Pose.cat([avatar.pose, avatar.pose]).to(device)
        poses.rotations.requires_grad_()
        posed = skin.pose_gaussians(avatar.to(device), poses)
        assert posed.means.device.type == device
        (gradient,) = torch.autograd.grad(posed.means.square().sum(), poses.rotations)
        found.append([t.detach().cpu() for t in (posed.means, posed.quats, gradient)])
    for name, here, there in zip(("means", "quats", "gradient"), *found, strict=True):
        scale = here.abs().max().item()
        torch.testing.assert_close(there, here, atol=1e-5 * scale, rtol=0, msg=name)
