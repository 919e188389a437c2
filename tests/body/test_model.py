"""The forward pass: parity with published numbers, and what must hold on any body."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.keypoints import face_mesh, whole_body
from svad.body.model import BodyModel, RestBody
from svad.body.skeleton import JOINTS
from svad.body.stretch import BONE_GROUPS
from tests.body.tiny import BETAS, EXPRESSIONS, read_tiny
from tests.fill import seed_of, tensor

ZERO = torch.zeros(55, 3)
HERE = torch.zeros(3)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_free_body()


def betas(seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(50, generator=torch.Generator().manual_seed(seed))


def turned(**joints: tuple[float, float, float]) -> torch.Tensor:
    rotations = torch.zeros(55, 3)
    for name, angle in joints.items():
        rotations[JOINTS.index(name)] = torch.tensor(angle)
    return rotations


def test_forward_matches_published_numbers(golden_root: Path) -> None:
    folder = golden_root / "avatar"
    tiny, seed = read_tiny(folder), seed_of(folder)
    count = len(tiny.template)
    parts = ("root", "body", "jaw", "leye", "reye", "lhand", "rhand")
    sizes = (3, 63, 3, 3, 3, 45, 45)
    pose = [0.4 * tensor(f"pose.{p}_pose", (n,), seed) for p, n in zip(parts, sizes, strict=True)]
    pose[5] = pose[5] + 0.2 * tensor("tiny.handmeanl", (45,), seed)
    pose[6] = pose[6] + 0.2 * tensor("tiny.handmeanr", (45,), seed)
    rotations = torch.cat(pose).view(55, 3)
    expression = 0.5 * tensor("pose.expr", (EXPRESSIONS,), seed)
    translation = 0.1 * tensor("pose.trans", (3,), seed) + torch.tensor([0, 0, 3.0])
    face_offset = torch.zeros(count, 3)
    face_offset[:30] = 0.005 * tensor("id.face_offset", (30, 3), seed)
    joint_offset = 0.01 * tensor("id.joint_offset", (55, 3), seed)
    locator_offset = 0.02 * tensor("id.locator_offset", (55, 3), seed)
    plain = tiny.rest(0.5 * tensor("id.shape", (BETAS,), seed))
    moved = RestBody(
        plain.vertices + face_offset,
        plain.joints + tiny.regressor @ face_offset + joint_offset,
    )
    follow = tiny.joint_expression_dirs @ expression
    with np.load(folder / "lbs.npz") as want:
        for rest, name in ((plain, "plain"), (moved, "offsets")):
            vertices = tiny.pose_vertices(rest, rotations, translation, expression)
            joints = tiny.posed_joints(rest.joints + follow, rotations, translation)
            # 1e-5: float32 sums in another order
            assert np.abs(vertices.numpy() - want[f"vertices_{name}"]).max() < 1e-5
            assert np.abs(joints.numpy() - want[f"joints_{name}"]).max() < 1e-5
        located = tiny.posed_joints(moved.joints + locator_offset + follow, rotations, translation)
        assert np.abs(located.numpy() - want["joints_locator"]).max() < 1e-5
        assert np.array_equal(want["vertices_locator"], want["vertices_offsets"])


def test_zero_pose_is_the_shaped_mesh(body: BodyModel) -> None:
    rest = body.rest(betas(1))
    posed = body.pose_vertices(rest, ZERO, HERE)
    torch.testing.assert_close(posed, rest.vertices, atol=1e-6, rtol=0)
    torch.testing.assert_close(body.posed_joints(rest.joints, ZERO, HERE), rest.joints)
    joints = body.regressor @ rest.vertices
    torch.testing.assert_close(joints, rest.joints, atol=1e-5, rtol=0)


def test_left_elbow_moves_the_left_wrist_forward_only(body: BodyModel) -> None:
    rest = body.rest(torch.zeros(50))
    rotations = turned(left_elbow=(0, -np.pi / 2, 0))
    joints = body.posed_joints(rest.joints, rotations, HERE)
    assert joints[20, 2] > rest.joints[20, 2] + 0.15
    posed = body.pose_vertices(rest, rotations, HERE)
    right = [j for j, name in enumerate(JOINTS) if name.startswith("right_")]
    untouched = body.weights[:, right].sum(1) > 0.5
    assert (posed - rest.vertices)[untouched].abs().max() < 1e-6


def test_mirrored_pose_gives_the_mirrored_mesh(body: BodyModel) -> None:
    rest = body.rest(torch.zeros(50))
    rotations = 0.3 * torch.randn(55, 3, generator=torch.Generator().manual_seed(2))
    other = {"left": "right", "right": "left"}
    halves = [name.partition("_") for name in JOINTS]
    swap = [JOINTS.index(other.get(side, side) + rest + name) for side, rest, name in halves]
    mirrored = rotations[swap] * torch.tensor([1.0, -1.0, -1.0])
    one = body.pose_vertices(rest, rotations, HERE)
    two = body.pose_vertices(rest, mirrored, HERE)
    miss = (two[body.flip] * torch.tensor([-1.0, 1.0, 1.0]) - one).norm(dim=1)
    # the mesh itself is symmetric to 0.06 mm on average and 0.64 mm at worst
    assert miss.mean() < 5e-4 and miss.max() < 4e-3


def test_turning_the_root_turns_everything(body: BodyModel) -> None:
    rest = body.rest(betas(3))
    rotations = 0.3 * torch.randn(55, 3, generator=torch.Generator().manual_seed(3))
    rotations[0] = 0
    still = body.pose_vertices(rest, rotations, HERE)
    rotations[0] = torch.tensor([0.0, np.pi / 2, 0.0])
    turned_ = body.pose_vertices(rest, rotations, torch.tensor([1.0, 2.0, 3.0]))
    center = rest.joints[0]
    x, y, z = (still - center).unbind(1)
    wanted = torch.stack([z, y, -x], 1) + center + torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(turned_, wanted, atol=1e-5, rtol=0)


def test_some_vertices_are_those_of_the_whole(body: BodyModel) -> None:
    index = torch.tensor([5, 9000, 77, 13000])
    scales = torch.linspace(0.9, 1.1, 11)
    rotations = 0.3 * torch.randn(55, 3, generator=torch.Generator().manual_seed(4))
    expression = torch.rand(43, generator=torch.Generator().manual_seed(5))
    rest, some = body.rest(betas(4), scales), body.rest_some(betas(4), index, scales)
    whole = body.pose_vertices(rest, rotations, HERE, expression)[index]
    for part in (rest, some):
        few = body.pose_some(part, index, rotations, HERE, expression)
        torch.testing.assert_close(few, whole, atol=1e-6, rtol=0)
    torch.testing.assert_close(body.rest_joints(betas(4), scales), rest.joints)


def test_fewer_betas_are_the_first_ones(body: BodyModel) -> None:
    few = betas(6)[:10]
    padded = torch.cat([few, torch.zeros(40)])
    torch.testing.assert_close(body.rest(few).vertices, body.rest(padded).vertices)


def bone(joints: torch.Tensor, first: str, second: str) -> float:
    return float((joints[JOINTS.index(second)] - joints[JOINTS.index(first)]).norm())


BONES = {
    "upper_arm": ("left_shoulder", "left_elbow"),
    "forearm": ("right_elbow", "right_wrist"),
    "hand": ("left_wrist", "left_middle1"),
    "thigh": ("left_hip", "left_knee"),
    "shin": ("right_knee", "right_ankle"),
    "foot": ("left_ankle", "left_foot"),
    "neck": ("neck", "head"),
    "head": ("head", "left_eye"),
    "collar": ("left_collar", "left_shoulder"),
    "pelvis": ("left_hip", "right_hip"),
    "spine": ("spine1", "spine2"),
}


@pytest.mark.parametrize("group", BONE_GROUPS)
def test_a_bone_scale_lengthens_its_own_bone_only(body: BodyModel, group: str) -> None:
    scales = torch.ones(11)
    torch.testing.assert_close(
        body.rest(betas(7), scales).vertices, body.rest(betas(7)).vertices, atol=1e-5, rtol=0
    )
    scales[BONE_GROUPS.index(group)] = 1.2
    before, after = body.rest_joints(betas(7)), body.rest_joints(betas(7), scales)
    for name, ends in BONES.items():
        if name == "spine":  # slightly tilted, and only its height grows
            ratio = float((after[6] - after[3])[1] / (before[6] - before[3])[1])
        else:
            ratio = bone(after, *ends) / bone(before, *ends)
        wanted = 1.2 if name == group else 1.0
        assert ratio == pytest.approx(wanted, abs=0.01), name


def test_stretched_limb_keeps_its_thickness_and_stays_whole(body: BodyModel) -> None:
    scales = torch.ones(11)
    scales[[0, 3]] = 1.3
    plain, long = body.rest(torch.zeros(50)), body.rest(torch.zeros(50), scales)
    edges = body.faces[:, :2]

    def length(vertices: torch.Tensor) -> torch.Tensor:
        return (vertices[edges[:, 0]] - vertices[edges[:, 1]]).norm(dim=1)

    growth = length(long.vertices) / length(plain.vertices)
    assert growth.quantile(0.999) < 1.5 and growth.min() > 0.6
    arm = body.weights[:, 16] > 0.99
    torch.testing.assert_close(
        long.vertices[arm, 1:] - long.joints[16, 1:],
        plain.vertices[arm, 1:] - plain.joints[16, 1:],
        atol=2e-3,
        rtol=0,
    )


def test_everything_has_gradients(body: BodyModel) -> None:
    inputs = [torch.zeros(50), torch.ones(11), torch.zeros(55, 3), torch.zeros(3), torch.zeros(43)]
    shape, scales, rotations, translation, expression = (x.requires_grad_() for x in inputs)
    posed = body.pose_vertices(body.rest(shape, scales), rotations, translation, expression)
    (posed * torch.linspace(-1, 1, len(posed))[:, None]).square().sum().backward()
    for value in (shape, scales, rotations, translation, expression):
        assert torch.isfinite(value.grad).all() and value.grad.abs().max() > 0
    assert (rotations.grad.abs().amax(1) > 0).all()


def test_point_tables(body: BodyModel) -> None:
    rest = body.rest(betas(8))
    rotations = turned(left_shoulder=(0, 0, -1), head=(0, 0.4, 0), right_index2=(0, 0, 1))
    vertices = body.pose_vertices(rest, rotations, HERE)
    joints = body.posed_joints(rest.joints, rotations, HERE)
    for table, count in (
        (whole_body(body), 133),
        (face_mesh(body), 478),
    ):
        points = table.points(vertices, joints)
        assert points.shape == (count, 3)
        few = body.pose_some(rest, table.vertices, rotations, HERE)
        torch.testing.assert_close(table.points(few, joints), points, atol=1e-6, rtol=0)
    points = whole_body(body).points(vertices, joints)
    torch.testing.assert_close(points[23:91], body.landmarks(vertices), atol=1e-6, rtol=0)
    torch.testing.assert_close(points[[91, 112]], joints[[20, 21]])
    # wrist, then thumb to pinky: each finger's points follow each other closely
    for start in (91, 112):
        fingers = points[start + 1 : start + 21].view(5, 4, 3)
        assert (fingers.diff(dim=1).norm(dim=2) < 0.06).all()
    left, right = points[[1, 3, 5, 11, 15, 17]], points[[2, 4, 6, 12, 16, 20]]
    assert (left[:, 0] > right[:, 0]).all()


def random_batch(frames: int, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Rotations [T, 55, 3], translations [T, 3], expressions [T, 50]."""
    random = torch.Generator().manual_seed(5)
    shapes = (frames, 55, 3), (frames, 3), (frames, EXPRESSIONS)
    return tuple(0.3 * torch.randn(shape, generator=random, dtype=dtype) for shape in shapes)


def test_eight_poses_at_once_equal_eight_single_ones(golden_root: Path) -> None:
    """On a body with everything: pose correctives, expressions that move joints."""
    tiny = read_tiny(golden_root / "avatar")
    rest = tiny.rest(betas())
    batch = random_batch(8, torch.float32)
    index = torch.tensor([3, 0, 17])
    whole, some = tiny.pose_vertices(rest, *batch), tiny.pose_some(rest, index, *batch)
    joints = tiny.posed_joints(rest.joints, *batch[:2])
    landmarks = tiny.landmarks(whole)
    for frame in range(8):
        one = [values[frame] for values in batch]
        alone = tiny.pose_vertices(rest, *one)
        torch.testing.assert_close(whole[frame], alone, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(some[frame], alone[index], atol=1e-6, rtol=1e-5)
        single = tiny.posed_joints(rest.joints, *one[:2])
        torch.testing.assert_close(joints[frame], single, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(landmarks[frame], tiny.landmarks(alone), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("frames", [None, 2])
def test_gradients_are_those_of_finite_differences(golden_root: Path, frames: int | None) -> None:
    tiny = read_tiny(golden_root / "avatar")
    tensors = {f.name: getattr(tiny, f.name) for f in fields(tiny)}
    wide = {
        k: v.double() for k, v in tensors.items() if torch.is_tensor(v) and v.is_floating_point()
    }
    tiny, index = replace(tiny, **wide), torch.tensor([0, 9, 40])
    batch = random_batch(2, torch.float64)
    inputs = [betas(scale=0.5).double(), torch.rand(11, dtype=torch.float64) * 0.2 + 0.9]
    inputs += [values if frames else values[0] for values in batch]
    inputs = [value.clone().requires_grad_() for value in inputs]

    def posed(shape, scales, rotations, translation, expression):
        rest = tiny.rest_some(shape, index, scales)
        vertices = tiny.pose_some(rest, index, rotations, translation, expression)
        return vertices, tiny.posed_joints(rest.joints, rotations, translation)

    assert torch.autograd.gradcheck(posed, inputs, fast_mode=True)


def test_the_body_follows_its_device(golden_root: Path) -> None:
    """On "meta", where an operation between two devices fails as it does on a GPU."""
    tiny = read_tiny(golden_root / "avatar").to("meta")
    batch = [values.to("meta") for values in random_batch(2, torch.float32)]
    posed = tiny.pose_vertices(tiny.rest(betas().to("meta"), torch.ones(11).to("meta")), *batch)
    assert posed.is_meta and posed.shape == (2, len(tiny.template), 3)


@pytest.mark.gpu
def test_a_gpu_poses_the_body_as_the_cpu() -> None:
    body, random = load_free_body(), torch.Generator().manual_seed(0)
    betas = torch.randn(body.shape_dirs.shape[-1], generator=random)
    turns, place = (
        0.3 * torch.randn(2, 55, 3, generator=random),
        torch.randn(2, 3, generator=random),
    )
    want = body.pose_vertices(body.rest(betas), turns, place)
    there = body.to("cuda")
    found = there.pose_vertices(there.rest(betas.cuda()), turns.cuda(), place.cuda())
    assert found.is_cuda
    torch.testing.assert_close(found.cpu(), want, atol=2e-5, rtol=0)  # float32 at metre scale
