"""The list of authored motions, and what the motions it makes are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from svad.motion.authored import authored
from svad.motion.motion import Authored
from svad.motion.recorded import played_at
from tests.helpers import PARENTS, tiny_avatar, tiny_joints


def test_motions_come_in_their_order_under_their_names() -> None:
    assert list(authored())[:3] == ["turn", "wave", "walk"]
    places = [motion.place for motion in authored().values()]
    assert places == sorted(places) and len(set(places)) == len(places)
    assert all(name == motion.name for name, motion in authored().items())


@pytest.mark.parametrize("made", authored().values(), ids=authored())
def test_a_motion_is_data_of_the_avatar_it_is_for(made: Authored) -> None:
    avatar = tiny_avatar(20)
    motion = made.for_avatar(avatar)
    assert (motion.name, motion.title, motion.help) == (made.name, made.title, made.help)
    assert (motion.looped, motion.focus, motion.yaw) == (made.looped, made.focus, made.yaw)
    assert motion.seconds == pytest.approx(made.seconds, abs=0.5 / motion.fps)
    same = made.of(avatar.expression_names, tiny_joints(), PARENTS)
    assert torch.equal(motion.poses.rotations, same.poses.rotations)


def test_listing_motions_costs_nothing() -> None:
    """The page and the command line's help need no torch for it."""
    program = (
        "import sys; from svad.motion.authored import authored; authored();"
        "print([m for m in ('torch', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("rate", [7.0, 24.0, 60.0])
def test_a_loop_at_another_rate_still_meets(rate: float) -> None:
    motion = authored()["walk"].for_avatar(tiny_avatar(50))
    other = played_at(motion, rate)
    assert other.seconds == pytest.approx(motion.seconds, abs=0.5 / rate)
    places = torch.cat([other.poses.rotations, other.poses.rotations[:1]])
    steps = places.diff(dim=0).abs().amax((1, 2))
    assert steps[-1] < 1.5 * steps.max() and steps[-1] > 0.05 * steps.max()


def test_what_does_not_loop_keeps_its_first_and_last_moment() -> None:
    motion = replace(authored()["walk"].for_avatar(tiny_avatar(50)), looped=False)
    other = played_at(motion, 10.0)
    assert torch.allclose(other.poses.rotations[0], motion.poses.rotations[0], atol=1e-6)
    length = (len(other.poses) - 1) / other.fps
    assert length == pytest.approx((len(motion.poses) - 1) / motion.fps, abs=0.05)
