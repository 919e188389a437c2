"""The list of authored motions, and what the motions it makes are."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from svad.motion.authored import authored
from svad.motion.motion import Authored
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
