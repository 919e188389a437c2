"""Which hands the photo does not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body import coco
from svad.body.model import BodyModel
from svad.body.skeleton import SHOULDERS, WRISTS
from svad.relief.parts import parts_for
from svad.relief.scene import (
    covered_elbows,
    found_hands,
    handless,
    posed_joints,
    scene_of,
)
from svad.types import Subject


def without_hands(subject: Subject, wrist: float) -> Subject:
    """The subject in long sleeves: no hand was found, and wrists with this score."""
    rgb = subject.photo.rgb.copy()
    for x, y in subject.keypoints[list(coco.ARMS["left"][1:] + coco.ARMS["right"][1:]), :2]:
        rgb[int(y) - 12 : int(y) + 25, int(x) - 18 : int(x) + 18] = (20, 60, 30)
    points = subject.keypoints.copy()
    points[91:, 2] = 0
    points[[coco.ARMS[side][-1] for side in coco.ARMS], 2] = wrist
    return replace(subject, photo=replace(subject.photo, rgb=rgb), keypoints=points)


@pytest.mark.parametrize(
    ("wrist", "ahead", "arms"),
    [(0.1, 0.0, 2), (0.7, 0.05, 2), (0.9, 0.0, 0), (0.7, 0.2, 0)],
    ids=["behind the back", "in a pocket", "gloved", "crossed"],
)
def test_arms_without_hands(
    subject: Subject, body: BodyModel, wrist: float, ahead: float, arms: int
) -> None:
    hidden = without_hands(subject, wrist)
    scene, parts = scene_of(hidden), parts_for(hidden.body.pose.rotations[0].numpy())
    joints = posed_joints(hidden, body)
    joints[list(WRISTS), 2] = joints[list(SHOULDERS), 2] + ahead
    hands = found_hands(hidden, scene, parts)
    assert not any(hand.area.any() for hand in hands.values())
    found = handless(hidden, hands, parts, scene, joints)
    assert len(found) == arms and all("arm" in parts[i].name for i in found)


def test_elbows_stand_in_where_wrists_are_not_seen(subject: Subject) -> None:
    parts = parts_for(subject.body.pose.rotations[0].numpy())
    assert not covered_elbows(subject, scene_of(subject), parts)
    hidden = without_hands(subject, 0.1)
    scene = scene_of(hidden)
    elbows = covered_elbows(hidden, scene, parts)
    true = [hidden.keypoints[coco.ARMS[side][1], :2] - scene.origin for side in ("left", "right")]
    np.testing.assert_allclose(list(elbows.values()), true)
    assert [parts[i].name for i in elbows] == ["left_arm", "right_arm"]
