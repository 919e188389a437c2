"""Limbs are whole while they are straight."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.parts import parts_for
from tests.subject.people import pose_of

WHOLE = ("torso", "left_arm", "right_arm", "left_leg", "right_leg")


def names(pose: np.ndarray) -> tuple[str, ...]:
    return tuple(part.name for part in parts_for(pose))


def test_a_standing_person_has_a_torso_and_four_limbs() -> None:
    assert names(pose_of()) == WHOLE
    assert parts_for(pose_of())[0].is_torso


@pytest.mark.parametrize(
    ("joint", "limb"), [(18, "left_arm"), (19, "right_arm"), (4, "left_leg"), (5, "right_leg")]
)
def test_a_bent_joint_splits_its_limb_only(joint: int, limb: str) -> None:
    found = names(pose_of({joint: (80, 0, 0)}))
    assert set(found) == {*(set(WHOLE) - {limb}), f"{limb}_upper", f"{limb}_lower"}
    assert names(pose_of({joint: (20, 0, 0)})) == WHOLE


@pytest.mark.parametrize("pose", [pose_of(), pose_of({18: (0, -90, 0), 5: (100, 0, 0)})])
def test_every_joint_belongs_to_exactly_one_part(pose: np.ndarray) -> None:
    joints = [j for part in parts_for(pose) for j in part.joints]
    assert sorted(joints) == list(range(55))


def test_neighbours_know_each_other() -> None:
    parts = parts_for(pose_of({18: (0, -90, 0)}))
    by_name = {part.name: part for part in parts}
    for part in parts:
        for other in set(part.neighbours) & set(by_name):
            assert part.name in by_name[other].neighbours
    assert by_name["left_arm_lower"].neighbours == ("left_arm_upper",)


def test_bones_of_a_limb_follow_each_other() -> None:
    for part in parts_for(pose_of({4: (90, 0, 0)})):
        assert bool(part.bones) != part.is_torso
        for (_, end), (start, _) in zip(part.bones, part.bones[1:], strict=False):
            assert end == start
