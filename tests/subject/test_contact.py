"""Forearms before or behind the trunk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.free import load_free_body
from svad.body.skeleton import ELBOWS, WRISTS, Joint
from svad.subject import rig as r
from svad.subject.contact import before_cover, before_trunk, inside_trunk
from svad.subject.evidence import gather
from svad.subject.fit import BodyFitter, rest_pose
from tests.subject.people import Person, person, pose_of
from tests.subject.test_fit import evidence_of, fitted

CROSSED = {16: (50, -50, -77), 17: (50, 60, 60), 18: (4, -94, 0), 19: (4, 105, 0)}


@pytest.fixture(scope="module")
def at_ease() -> tuple[np.ndarray, np.ndarray]:
    """Joints [1, 22, 3] and turns [1, 22, 3, 3] of somebody who stands with hanging arms."""
    x = np.zeros(r.COUNT)
    x[r.TURNS] = rest_pose().ravel()
    joints, _, turns = r.Rig(load_free_body(), 10).pose(x[None])
    return joints, turns


def test_hanging_arms_are_outside(at_ease) -> None:
    assert not inside_trunk(*at_ease, np.ones(2, bool)).any()


def test_a_hand_in_or_behind_the_belly_is_pushed_ahead(at_ease) -> None:
    joints, turns = at_ease
    left, right = np.array([True, False]), np.array([False, True])
    inside, outside, behind = joints.copy(), joints.copy(), joints.copy()
    inside[0, WRISTS[0]] = joints[0, Joint.SPINE2] + (0.03, 0, 0.05)
    behind[0, WRISTS[0]] = joints[0, Joint.SPINE2] + (0.03, 0, -0.25)
    outside[0, ELBOWS[0]] = joints[0, Joint.SPINE2] + (0.2, 0, 0.15)
    outside[0, WRISTS[0]] = joints[0, Joint.SPINE2] + (0.03, 0, 0.35)
    assert inside_trunk(inside, turns, left).max() > 3
    assert inside_trunk(behind, turns, left).max() > inside_trunk(inside, turns, left).max()
    assert not inside_trunk(outside, turns, left).any()
    assert not inside_trunk(inside, turns, right).any()


def test_only_an_arm_whose_wrist_is_in_view_is_before_the_trunk() -> None:
    seen = evidence_of(person(pose_of({})))
    assert before_trunk(seen).tolist() == [True, True]
    seen.trust[10] = 0  # the right wrist
    assert before_trunk(seen).tolist() == [True, False]


def test_crossed_arms_lie_before_the_chest() -> None:
    _, joints, _ = fitted(person(pose_of(CROSSED)))
    assert joints[list(WRISTS), 2].min() > joints[Joint.SPINE2, 2] + 0.1


def hidden_hands(depth: float) -> tuple[Person, np.ndarray]:
    """Somebody whose hands nobody sees, and what a detector says of the depths [133]."""
    one = person(pose_of(CROSSED))  # seen from before it is the same
    points = one.keypoints.copy()
    points[[9, 10, *range(91, 133)], 2] = 0
    depths = np.full(133, np.nan, np.float32)
    depths[[5, 6, 11, 12]] = 0
    depths[[7, 8]], depths[[9, 10]] = 0.6 * depth, depth
    return replace(one, keypoints=points), depths


@pytest.mark.parametrize(("depth", "behind"), [(0.2, True), (-0.02, False)])
def test_hands_that_nobody_sees_are_not_before_the_body(depth: float, behind: bool) -> None:
    one, depths = hidden_hands(depth)
    evidence = gather(one.keypoints, depths, one.face, one.matte)
    assert evidence.covered == (True, True)
    body = load_free_body()
    fitter = BodyFitter(body)
    joints, _, turns = r.Rig(body, 10).pose(fitter.fit(evidence)[None])
    wrists, spine = joints[0, list(WRISTS), 2], joints[0, Joint.SPINE2, 2]
    assert before_cover(joints, turns, (True, True)).max() < 2  # a finger's breadth
    assert (wrists < spine + (0 if behind else 0.12)).all()


def test_what_hides_a_hand_is_not_asked_for_one_that_is_seen() -> None:
    one, depths = hidden_hands(0.0)
    crossed = one.keypoints.copy()
    crossed[[9, 10], 2] = 0.6  # half sure, and well ahead of the shoulders
    depths[[9, 10]] = -0.2
    assert gather(crossed, depths, one.face, one.matte).covered == (False, False)
    depths[[9, 10]] = 0.0  # in a pocket
    assert gather(crossed, depths, one.face, one.matte).covered == (True, True)
    crossed[[91, 112], 2] = 0.9  # a hand was found
    assert gather(crossed, depths, one.face, one.matte).covered == (False, False)
