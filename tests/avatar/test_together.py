"""Poses that are found together with an avatar that does not know the person yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.train.pictures import ClipError
from svad.avatar.train.together import poses_together
from svad.core.progress import silent
from svad.types import Avatar, Clip, Pose, Subject
from tests.avatar.drawn import person

OFF = 0.1  # radians, how far the poses of a turn are from the true ones


def wrong(poses: Pose) -> Pose:
    """Turned too far on one side, too little on the other."""
    rotations = poses.rotations.clone()
    rotations[1:, 0, 1] += OFF * torch.tensor([1.0, -1, 1, -1, 1, -1])
    return replace(poses, rotations=rotations)


@pytest.fixture(scope="module")
def given() -> tuple[Avatar, Subject, Clip]:
    return person()


def misses(found: Pose, clip: Clip) -> np.ndarray:  # [T] radians
    return (found.rotations[:, 0, 1] - clip.poses.rotations[:, 0, 1]).abs().numpy()


def test_turns_come_nearer_though_the_guess_is_of_somebody_else(
    given: tuple[Avatar, Subject, Clip],
) -> None:
    start, subject, clip = given
    weight = clip.weight.copy()
    weight[4] = 0  # nothing is learned from this frame, and yet it is followed
    off = replace(clip, poses=wrong(clip.poses), weight=weight)
    kept = off.poses.rotations.clone()
    found = poses_together(start, subject, off, silent, steps=300)
    before, after = misses(off.poses, clip)[1:], misses(found, clip)[1:]
    assert before == pytest.approx(OFF, abs=1e-5)
    assert after.mean() < 0.8 * OFF and (after < OFF + 1e-5).all(), after
    assert torch.equal(off.poses.rotations, kept)  # what was given stays as it was


def test_frames_that_tell_nothing_are_refused(given: tuple[Avatar, Subject, Clip]) -> None:
    start, subject, clip = given
    with pytest.raises(ClipError):
        poses_together(start, subject, replace(clip, matte=0 * clip.matte), silent, steps=5)
