"""What is told from landmarks before any pose is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body import coco
from svad.body.coco import Keypoint
from svad.track.seen import across
from tests.track.posed import turned

SIDES = np.radians([0, 50, 90, 180, -120])


def scaled(seen, factor: float):
    points = seen.keypoints.copy()
    points[..., :2] *= factor
    return replace(seen, keypoints=points, matte=np.zeros((len(seen), 1000, 900), np.uint8))


def test_the_body_height_is_found_from_every_side_and_grows_with_the_picture() -> None:
    one = turned(SIDES).seen
    whole = np.ptp(one.keypoints[0, :23, 1])  # from eye to toe
    assert one.unit == pytest.approx(whole * 1.08, rel=0.1)  # the forehead is above the eyes
    assert scaled(one, 1.7).unit == pytest.approx(1.7 * one.unit, rel=1e-6)
    for k in range(len(one)):
        alone = turned(SIDES[k : k + 1]).seen
        assert alone.unit == pytest.approx(one.unit, rel=0.06)


def test_distances_across_turn_with_the_person() -> None:
    one = turned(SIDES)
    wide = across(one.seen)
    size = wide[0, :, 0]  # from the front all of it lies in the picture
    expected = size[None, :, None] * np.stack([np.cos(SIDES), -np.sin(SIDES)], -1)[:, None]
    # shoulders are not quite above one another, and the camera is near
    assert np.abs(wide - expected).max() < 0.06


def test_exchanging_left_and_right_twice_changes_nothing() -> None:
    seen = turned(SIDES).seen
    swap = np.array([True, False, True, False, False])
    once = seen.mirrored(swap)
    left, right = coco.ANKLES
    assert np.array_equal(once.keypoints[0, left], seen.keypoints[0, right])
    assert np.array_equal(once.keypoints[1], seen.keypoints[1])
    assert np.array_equal(once.keypoints[:, 23:], seen.keypoints[:, 23:])
    assert np.allclose(across(once)[swap], -across(seen)[swap])
    twice = once.mirrored(swap)
    assert np.array_equal(twice.keypoints, seen.keypoints)
    assert np.array_equal(twice.depth, seen.depth, equal_nan=True)


def test_what_is_unsure_or_outside_is_hardly_believed() -> None:
    seen = turned(np.zeros(1)).seen
    points = seen.keypoints.copy()
    points[0, Keypoint.NOSE, 2] = 0.2
    points[0, Keypoint.LEFT_EYE, 2] = 0.55
    points[0, Keypoint.LEFT_ANKLE, 1] = seen.matte.shape[1] + 30
    trust = replace(seen, keypoints=points).trust[0]
    assert trust[Keypoint.NOSE] == 0 and trust[Keypoint.RIGHT_ANKLE] == 1
    assert trust[Keypoint.LEFT_EYE] == pytest.approx(0.5, abs=1e-6)
    assert 0 < trust[Keypoint.LEFT_ANKLE] < 0.1


def test_upside_down_is_noticed_though_a_frame_is_not() -> None:
    seen = turned(np.zeros(3)).seen
    points = seen.keypoints.copy()
    points[:2, :, 1] = seen.matte.shape[1] - points[:2, :, 1]
    assert replace(seen, keypoints=points).upside_down
    assert not seen.upside_down
    points[1] = seen.keypoints[1]
    assert not replace(seen, keypoints=points).upside_down
