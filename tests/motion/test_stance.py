"""People bound anew: collars and knees bend as motions mean it, and nobody looks different."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.skeleton import COLLARS, KNEES, SHOULDERS, Joint
from svad.body.skin import pose_gaussians
from svad.motion.stance import (
    SHARE,
    STRAIGHT,
    bends,
    bound_anew,
    bound_as,
    likely_bends,
    reposed,
    turns,
)
from svad.motion.standing import A_POSE
from svad.types import Pose
from tests.helpers import PARENTS, tiny_avatar, tiny_pose

MORE = np.array([0.25, -0.2, -0.15, -0.12])  # radians: collars raised, knees bent backwards


def turning(count: int = 9) -> Pose:
    """Arms hang from raised collars, knees are straight; steps and swings go around that."""
    poses = Pose.cat([tiny_pose()] * count)
    poses.rotations[:, 0, 1] = torch.linspace(-3, 3, count)
    poses.rotations[:, COLLARS[0], 2], poses.rotations[:, COLLARS[1], 2] = 0.1, -0.08
    swing = torch.sin(torch.arange(count) * 1.7)
    poses.rotations[:, SHOULDERS[0], 0] = 0.1 * swing
    poses.rotations[:, KNEES[0], 0] = 0.2 * swing.clamp_min(0)
    poses.rotations[:, Joint.LEFT_ELBOW, 1] = -0.4
    return poses


def test_collars_of_the_a_pose_stay() -> None:
    pose = replace(tiny_pose(), rotations=torch.from_numpy(A_POSE)[None])
    assert likely_bends(pose)[:2] == pytest.approx(bends(pose)[:2], abs=1e-6)


def test_collars_take_their_share_and_knees_bend_more() -> None:
    poses = turning()
    found = likely_bends(poses)
    assert found[:2] == pytest.approx(SHARE * np.array([0.1 - np.pi / 3, np.pi / 3 - 0.08]))
    assert found[2:] == pytest.approx(bends(poses)[2:] + STRAIGHT, abs=1e-6)


def test_poses_of_the_new_binding_bend_as_was_wanted() -> None:
    poses = turning()
    rest = turns(bends(poses) - likely_bends(poses))
    assert bends(reposed(poses, rest, PARENTS)) == pytest.approx(likely_bends(poses), abs=0.02)


def test_nobody_looks_different() -> None:
    """But for what skinning blends, around the joints."""
    avatar, poses, rest = tiny_avatar(2000), turning(), turns(MORE)
    after, moved = bound_anew(avatar, rest), reposed(poses, rest, PARENTS)
    for frame in (0, 4, 7):
        old, new = pose_gaussians(avatar, poses[frame]), pose_gaussians(after, moved[frame])
        apart = (old.means - new.means).norm(dim=1)
        assert apart.median() < 1e-5 and apart.mean() < 1e-3 and apart.max() < 0.02
    assert (after.gaussians.means - avatar.gaussians.means).norm(dim=1).max() > 0.03
    assert np.abs(after.mesh.vertices - avatar.mesh.vertices).max() > 0.03


def test_what_does_not_bend_keeps_its_turn_exactly() -> None:
    poses, rest = turning(), turns(MORE)
    after = reposed(poses, rest, PARENTS)
    kept = [Joint.PELVIS, Joint.SPINE3, Joint.NECK, Joint.HEAD]
    assert torch.equal(after.rotations[:, kept], poses.rotations[:, kept])
    assert torch.equal(after.translation, poses.translation)


def test_arms_and_soles_keep_their_direction() -> None:
    poses = turning()
    after = reposed(poses, turns(MORE), PARENTS)
    below = [*range(Joint.LEFT_ELBOW, len(Joint)), Joint.LEFT_FOOT, Joint.RIGHT_FOOT]
    assert torch.allclose(after.rotations[:, below], poses.rotations[:, below], atol=1e-5)


def test_an_avatar_is_bound_back_as_it_was() -> None:
    avatar = tiny_avatar(2000)
    other = bound_anew(avatar, turns(MORE))
    assert bends(avatar.pose) - bends(other.pose) == pytest.approx(MORE, abs=1e-4)
    back = bound_as(other, avatar.pose)
    apart = (back.gaussians.means - avatar.gaussians.means).norm(dim=1)
    assert apart.median() < 1e-4 and apart.max() < 0.02
    assert torch.allclose(back.joints, avatar.joints, atol=1e-4)
    assert bound_as(avatar, avatar.pose) is avatar
