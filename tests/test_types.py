"""Poses are batches of frames; what holds tensors goes to a device as a whole."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.types import Clip, Pose
from tests.fakes import FakeStages
from tests.helpers import one_pose, tiny_avatar, tiny_pose, tiny_subject


def counted(frames: int) -> Pose:
    """Poses whose numbers tell the frame they are of."""
    return Pose.cat([one_pose(np.full((55, 3), t), [t] * 3, [t] * 2) for t in range(frames)])


def frames_of(pose: Pose) -> list[float]:
    assert len(pose) == len(pose.rotations) == len(pose.translation) == len(pose.expression)
    for row in (pose.rotations[:, 0, 0], pose.expression[:, 0]):
        assert torch.equal(row, pose.translation[:, 0])
    return pose.translation[:, 0].tolist()


def test_one_pose_is_one_frame() -> None:
    pose = tiny_pose()
    assert len(pose) == 1 and pose.rotations.shape == (1, 55, 3)


def test_frames_are_chosen_and_put_together() -> None:
    poses = counted(6)
    assert frames_of(poses[1:4]) == [1, 2, 3]
    assert frames_of(poses[[5, 0]]) == [5, 0]
    assert frames_of(poses[:0]) == []
    assert frames_of(Pose.cat([poses[4:], poses[:1]])) == [4, 5, 0]


def test_a_single_frame_has_no_frame_axis() -> None:
    poses = counted(3)
    single = poses[-1]
    assert single.rotations.shape == (55, 3) and single.translation.tolist() == [2, 2, 2]
    assert [frame.translation.tolist() for frame in poses] == [[t] * 3 for t in range(3)]
    with pytest.raises(TypeError, match="no length"):
        len(single)
    with pytest.raises(IndexError):
        poses[3]


def test_gradients_pass_through_the_choice() -> None:
    poses = counted(3)
    poses.rotations.requires_grad_()
    Pose.cat([poses[1:], poses[:1]])[0].rotations.sum().backward()
    assert poses.rotations.grad is not None
    assert poses.rotations.grad.sum((1, 2)).tolist() == [0, 165, 0]


def clip_of_one_frame() -> Clip:
    return FakeStages(seconds=0).relief(tiny_subject(), lambda *_: None)


def tensors_of(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = [getattr(value, f.name) for f in fields(value)] if hasattr(value, "to") else []  # type: ignore[arg-type]
    return [tensor for part in parts for tensor in tensors_of(part)]


@pytest.mark.parametrize(
    "value",
    [
        load_free_body(),
        tiny_avatar(20),
        tiny_avatar(20).gaussians,
        clip_of_one_frame(),
        tiny_pose(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_everything_goes_to_a_device(value) -> None:
    """ "meta" stands for a GPU: no number is left behind."""
    before, after = tensors_of(value), tensors_of(value.to("meta"))
    assert len(after) == len(before) > 0
    assert all(tensor.is_meta for tensor in after) and not any(t.is_meta for t in before)
    assert [tensor.shape for tensor in after] == [tensor.shape for tensor in before]
    assert type(value.to("meta")) is type(value)


@pytest.mark.gpu
@pytest.mark.parametrize(
    "value", [tiny_avatar(20), clip_of_one_frame()], ids=lambda value: type(value).__name__
)
def test_there_and_back_again_nothing_has_changed(value) -> None:
    there = value.to("cuda")
    assert all(tensor.is_cuda for tensor in tensors_of(there))
    pairs = zip(tensors_of(there.to("cpu")), tensors_of(value), strict=True)
    assert all(torch.equal(back, before) for back, before in pairs)
