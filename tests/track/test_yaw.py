"""Which side is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.track.yaw import widths, yaws
from tests.track.posed import Posed, angle, turned

COUNT = 24
# the first estimate's: near the front the distances across hardly change, noise does as much
NEAR = np.radians(16)
AROUND = (np.arange(COUNT) * 2 * np.pi / COUNT + np.pi) % (2 * np.pi) - np.pi
TIME = np.arange(COUNT) / 4


def noisy(yaw: np.ndarray, time: np.ndarray | None = None, seed: int = 0) -> Posed:
    return turned(yaw, time=time, noise=2, depth_noise=0.06, seed=seed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("first", [0.0, 2.5])
def test_a_full_turn_is_followed(seed: int, way: int, first: float) -> None:
    one = noisy(way * AROUND + first, TIME, seed)
    yaw, swap = yaws(one.seen)
    assert yaw.dtype == np.float32 and np.abs(yaw).max() <= np.pi + 1e-6
    assert angle(yaw, one.yaw).max() < NEAR
    assert not swap.any()


@pytest.mark.parametrize("seed", range(3))
def test_left_and_right_swapped_in_single_frames_are_mended(seed: int) -> None:
    one = noisy(AROUND, TIME, seed)
    swapped = np.isin(np.arange(COUNT), (3, 10, 14, 19))  # at 45, 150, -150 and -75 degrees
    yaw, swap = yaws(one.seen.mirrored(swapped))
    assert np.array_equal(swap, swapped)
    assert angle(yaw, one.yaw).max() < NEAR


@pytest.mark.parametrize("frame", [5, 6, 7, 17, 18, 19])
def test_front_and_back_are_never_taken_for_each_other(frame: int) -> None:
    """Not even where a swap next to the side cannot be told from a step back."""
    one = noisy(AROUND, TIME)
    yaw, _ = yaws(one.seen.mirrored(np.arange(COUNT) == frame))
    off = angle(yaw, one.yaw)
    assert off.max() < np.radians(40)
    assert np.delete(off, frame).max() < NEAR


def test_who_sways_and_never_turns_is_seen_from_the_front() -> None:
    one = noisy(0.1 * np.sin(AROUND), TIME)
    yaw, swap = yaws(one.seen)
    assert np.abs(yaw).max() < 0.1 + 1.5 * NEAR and not swap.any()


def test_without_depths_the_distances_tell_front_from_back() -> None:
    one = noisy(AROUND, TIME)
    flat = replace(one.seen, depth=np.full_like(one.seen.depth, np.nan))
    yaw, _ = yaws(flat)
    front = np.cos(one.yaw) > 0.3
    back = np.cos(one.yaw) < -0.3
    assert (np.cos(yaw[front]) > 0).all() and (np.cos(yaw[back]) < 0).all()


def test_photos_are_taken_one_by_one() -> None:
    """Their order says nothing, and a jump costs nothing."""
    yaw = np.radians([0, 180, 90, -90, 45])
    order = [3, 0, 4, 1, 2]
    found = yaws(noisy(yaw).seen)[0]
    assert angle(found, yaw).max() < NEAR
    seen = noisy(yaw).seen
    mixed = replace(
        seen, keypoints=seen.keypoints[order], depth=seen.depth[order], time=seen.time[order]
    )
    assert yaws(mixed)[0] == pytest.approx(found[order], abs=1e-5)


def test_widths_are_those_of_the_body_and_not_of_an_outlier() -> None:
    one = noisy(AROUND, TIME)
    true = np.linalg.norm(one.joints[0][[16, 1]] - one.joints[0][[17, 2]], axis=1)
    assert widths(one.seen) == pytest.approx(true, rel=0.15)
    points = one.seen.keypoints.copy()
    points[7, 5, 0] += 200
    assert widths(replace(one.seen, keypoints=points)) == pytest.approx(widths(one.seen), rel=0.1)
