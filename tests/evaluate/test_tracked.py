"""Errors of a tracked person: each measure sees what it is meant to see, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.skeleton import Joint
from svad.evaluate.filmed import Filmed, packed, unpacked
from svad.evaluate.tracked import errors, seen_from
from svad.evaluate.truth import Truth
from svad.evaluate.views import posed_joints
from svad.geometry.camera import orbit_camera
from svad.types import Clip

ROUNDING = 1e-2  # degrees and millimetres, of single precision at some metres


@pytest.fixture(scope="module")
def filmed(truth: Truth) -> Filmed:
    clip = truth.turning
    places = posed_joints(truth.joints, truth.parents, clip.poses)
    count = len(clip.rgb)
    return Filmed(
        folder=Path(),
        fps=2.0,
        poses=clip.poses,
        cameras=clip.cameras,
        joints=truth.joints,
        parents=truth.parents,
        yaw=seen_from(clip.poses, places[:, 0], clip.cameras),
        gain=np.ones((count, 3), np.float32),
        blurred=np.zeros(count, bool),
    )


@pytest.fixture
def found(truth: Truth) -> Clip:
    return truth.turning


def measured(filmed: Filmed, clip: Clip, joints: torch.Tensor | None = None) -> dict[str, float]:
    own = filmed.joints if joints is None else joints
    return errors(clip, own, filmed, range(len(clip.rgb)))


def test_the_truth_is_without_fault(filmed: Filmed, found: Clip):
    assert max(measured(filmed, found).values()) < ROUNDING


def test_yaw_follows_the_convention_of_clips(filmed: Filmed, truth: Truth):
    off = np.angle(np.exp(1j * (filmed.yaw - truth.turning.yaw)))
    assert np.abs(off).max() < 1e-5
    front = truth.turning.poses[[0]]
    middle = posed_joints(truth.joints, truth.parents, front)[:, 0]
    for yaw in (-2.0, -0.4, 1.3, 3.0):
        camera = orbit_camera(middle[0], 3.0, yaw, 0.2, 100.0, 64, 64)
        assert seen_from(front, middle, [camera])[0] == pytest.approx(yaw, abs=1e-5)


def test_a_turned_body_is_seen_in_yaw_and_joints(filmed: Filmed, found: Clip):
    from svad.geometry.rotation import matrix_to_axis_angle, rodrigues

    turn = rodrigues(torch.tensor([0.0, float(np.radians(5.0)), 0.0]))
    rotations = found.poses.rotations.clone()
    rotations[:, 0] = matrix_to_axis_angle(turn @ rodrigues(rotations[:, 0]))
    wrong = measured(filmed, replace(found, poses=replace(found.poses, rotations=rotations)))
    assert wrong["yaw"] == pytest.approx(5, abs=0.02) == wrong["yaw_worst"]
    assert wrong["yaw_chest"] == pytest.approx(5, abs=0.02)
    assert 5 < wrong["joints"] < 60


def test_a_twisted_trunk_is_seen_at_the_chest_alone(filmed: Filmed, found: Clip):
    rotations = found.poses.rotations.clone()
    rotations[:, Joint.SPINE1, 1] += float(np.radians(4.0))
    wrong = measured(filmed, replace(found, poses=replace(found.poses, rotations=rotations)))
    assert wrong["yaw"] < ROUNDING and wrong["yaw_chest"] == pytest.approx(4, abs=0.2)


def test_distance_and_size_are_told_apart(filmed: Filmed, found: Clip):
    shift = torch.tensor([0.0, 0.0, -0.1])
    away = replace(found, poses=replace(found.poses, translation=found.poses.translation + shift))
    moved = measured(filmed, away)
    assert moved["joints"] < ROUNDING and moved["joints_placed"] == pytest.approx(100, abs=0.1)
    larger = measured(filmed, found, filmed.joints * 1.1)
    assert larger["joints"] > 20 and larger["joints_scaled"] < ROUNDING
    assert larger["yaw"] < 1  # the pelvis is elsewhere, a little


def test_all_that_is_known_goes_through_arrays(filmed: Filmed):
    again = unpacked(filmed.folder, packed(filmed))
    assert measured(again, truth_of(filmed)) == measured(filmed, truth_of(filmed))
    assert again.fps == filmed.fps and again.parents == filmed.parents
    assert [camera.focal for camera in again.cameras] == [c.focal for c in filmed.cameras]
    np.testing.assert_array_equal(again.yaw, filmed.yaw)


def truth_of(filmed: Filmed) -> Clip:
    """The truth as if it had been found."""
    count = len(filmed.cameras)
    blank = np.zeros((count, 8, 8), np.uint8)
    weight = np.ones(count, np.float32)
    rgb = np.repeat(blank[..., None], 3, -1)
    return Clip(rgb, blank, filmed.poses, filmed.cameras, weight, filmed.yaw, None)
