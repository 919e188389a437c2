"""Poses frame by frame: only what is drawn moves, and only to the better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.model.learned import Learned
from svad.avatar.train import poses as train_poses
from svad.avatar.train.poses import BODY, PoseTable, picture_loss, refine_poses
from svad.avatar.train.views import make_view
from svad.body.skeleton import Joint
from svad.types import Clip, Pose
from tests.avatar.drawn import SIZE, all_around, clip_of, first_guess

FRAMES = 5


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Frames of the first guess itself: there is a pose that is right."""
    return clip_of(first_guess(), all_around(FRAMES))


@pytest.fixture
def table(clip: Clip) -> PoseTable:
    return PoseTable(clip.poses, 4e-3, 2e-3)


def pushed(poses: Pose, size: float = 0.06, seed: int = 0) -> Pose:
    """Limbs and place a little off."""
    random = np.random.default_rng(seed)
    rotations, shift = poses.rotations.clone(), poses.translation.clone()
    for joint in (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.PELVIS):
        rotations[:, joint] += torch.from_numpy(random.normal(0, size, (len(poses), 3))).float()
    shift[:, :2] += torch.from_numpy(random.normal(0, size / 3, (len(poses), 2))).float()
    return replace(poses, rotations=rotations, translation=shift)


def loss(clip: Clip, frame: int, poses: Pose) -> float:
    """Of the first guess in a pose of the clip, over white."""
    view = make_view(clip.rgb[frame], clip.matte[frame], clip.cameras[frame], clip.rgb.shape[1])
    with torch.no_grad():
        learned = Learned.of(first_guess())
        return picture_loss(learned, poses[[frame]], [view], torch.ones(1, 3))[0].item()


def test_at_first_all_poses_are_those_of_the_clip(table: PoseTable, clip: Clip) -> None:
    for name in ("rotations", "translation", "expression"):
        assert torch.equal(getattr(table.poses, name), getattr(clip.poses, name))
    pose, parts = table.leaves([3, 1])
    assert torch.equal(pose.rotations, clip.poses.rotations[[3, 1]])
    assert [tuple(part.shape) for part in parts] == [(2, BODY, 3), (2, 3)]


def test_a_frame_that_is_not_drawn_does_not_move(table: PoseTable) -> None:
    random = torch.Generator().manual_seed(0)

    def gradients(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.randn(count, BODY, 3, generator=random), torch.randn(
            count, 3, generator=random
        )

    table.step([0, 2], gradients(2))
    before = {name: value.clone() for name, value in table.state().items()}
    for _ in range(3):
        table.step([2], gradients(1))
    for name, value in table.state().items():
        assert torch.equal(value[[0, 1, 3, 4]], before[name][[0, 1, 3, 4]]), name
    assert not torch.equal(table.changes["rotations"][2], before["rotations"][2])
    assert table.changes["rotations"][[1, 3, 4]].abs().max() == 0


def test_fingers_and_face_stay(table: PoseTable, clip: Clip) -> None:
    table.step([1], (torch.ones(1, BODY, 3), torch.ones(1, 3)))
    assert torch.equal(table.poses.rotations[:, BODY:], clip.poses.rotations[:, BODY:])
    assert torch.equal(table.poses.expression, clip.poses.expression)


def test_joints_that_are_held_stay_and_the_others_do_not(clip: Clip) -> None:
    table = PoseTable(clip.poses, 4e-3, 2e-3)
    table.hold([Joint.HEAD, Joint.NECK])
    table.step([1], (torch.ones(1, BODY, 3), torch.ones(1, 3)))
    moved = (table.poses.rotations - clip.poses.rotations)[1].abs().sum(-1) > 0
    assert moved[:BODY].sum() == BODY - 2 and not moved[[Joint.HEAD, Joint.NECK]].any()


def test_a_factor_is_on_the_rates(clip: Clip) -> None:
    moved = []
    for factor in (1.0, 0.25):
        table = PoseTable(clip.poses, 4e-3, 2e-3)
        table.step([0], (torch.ones(1, BODY, 3), torch.ones(1, 3)), factor)
        moved.append(table.changes["translation"][0])
    torch.testing.assert_close(moved[1], moved[0] / 4)
    torch.testing.assert_close(moved[0], torch.full((3,), -2e-3))  # Adam's first step is its rate


def test_a_right_pose_has_next_to_no_loss(clip: Clip) -> None:
    right, wrong = (loss(clip, 0, poses) for poses in (clip.poses, pushed(clip.poses)))
    assert right < 0.02 < wrong  # edges of the matte are rounded to bytes


def test_pixels_without_weight_do_not_pull(clip: Clip) -> None:
    learned = Learned.of(first_guess())
    view = make_view(clip.rgb[1], clip.matte[1], clip.cameras[1], clip.rgb.shape[1])
    table = PoseTable(pushed(clip.poses), 4e-3, 2e-3)
    background = torch.full((1, 3), 0.3)

    def found(weight: torch.Tensor | None) -> tuple[float, list[torch.Tensor]]:
        pose, leaves = table.leaves([1])
        value, _, _ = picture_loss(learned, pose, [view], background, weight)
        return value.item(), list(torch.autograd.grad(value, leaves))

    plain, ones = found(None), found(torch.ones_like(view.outline)[None])
    none = found(torch.zeros_like(view.outline)[None])
    assert plain[0] == pytest.approx(none[0], abs=1e-6)  # what is measured stays the same
    for mine, theirs in zip(plain[1], ones[1], strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-4)
    assert all(gradient.abs().max() == 0 for gradient in none[1])


def test_refining_brings_a_pushed_pose_back(clip: Clip) -> None:
    off = replace(clip, poses=pushed(clip.poses))
    found = refine_poses(first_guess(), off, steps=60)
    for frame in range(FRAMES):
        before, after = loss(clip, frame, off.poses), loss(clip, frame, found)
        assert after < 0.5 * before, frame
    shoulder = Joint.LEFT_SHOULDER
    apart = [
        (poses.rotations[:, shoulder] - clip.poses.rotations[:, shoulder]).norm(dim=1).mean()
        for poses in (off.poses, found)
    ]
    assert apart[1] < apart[0]


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_refining_never_makes_a_pose_worse(clip: Clip, steps: int) -> None:
    for poses in (clip.poses, pushed(clip.poses, 0.01, seed=2)):
        found = refine_poses(first_guess(), replace(clip, poses=poses), steps=steps)
        for frame in range(FRAMES):
            assert loss(clip, frame, found) <= loss(clip, frame, poses) + 1e-6  # a float32 sum


def test_a_frame_without_the_person_keeps_its_pose(clip: Clip) -> None:
    matte = clip.matte.copy()
    matte[2] = 0
    off = replace(clip, matte=matte, poses=pushed(clip.poses))
    found = refine_poses(first_guess(), off, steps=4)
    assert torch.equal(found.rotations[2], off.poses.rotations[2])
    assert not torch.equal(found.rotations[1], off.poses.rotations[1])


def test_a_right_pose_of_a_large_frame_is_kept(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn small, fine Gaussians look thick, so a person farther away looks better there."""
    monkeypatch.setattr(train_poses, "LARGE", SIZE // 4)
    found = refine_poses(first_guess(), clip, steps=20)
    for frame in range(FRAMES):
        assert loss(clip, frame, found) <= loss(clip, frame, clip.poses)
