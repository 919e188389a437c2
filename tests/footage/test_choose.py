"""Which frames are chosen."""

from __future__ import annotations

import numpy as np
import pytest

from svad.footage.choose import LEAST_TURN, front_first, shows_back, sides_seen, spread


def test_a_clip_with_few_frames_is_kept_whole() -> None:
    yaw = np.linspace(0, 1, 5)
    assert spread(yaw, np.arange(5.0), np.ones(5), 5) == [0, 1, 2, 3, 4]
    assert spread(yaw[:0], yaw[:0], yaw[:0], 5) == []


@pytest.mark.parametrize("count", [1, 12, 60])
def test_frames_are_even_over_the_turn_however_fast_it_goes(count: int) -> None:
    """Half of the time is spent on the first eighth of the turn."""
    time = np.arange(240) / 10
    yaw = np.interp(time, [0, 12, 24], [0, np.pi / 4, 2 * np.pi])
    rows = spread(yaw, time, np.random.default_rng(1).random(240), count)
    assert rows == sorted(set(rows)) and len(rows) <= count
    if count > 1:
        assert len(rows) >= 0.9 * count
        # two neighbours are at most two parts apart, and time that passes counts a little
        assert np.diff(yaw[rows]).max() <= 2 * (2 * np.pi + 0.05 * 24) / count + 1e-6


def test_of_each_part_the_sharpest_frame_is_taken() -> None:
    time, sharpness = np.arange(90) / 10, np.zeros(90)
    sharpness[4::9] = 1  # the middle one of each tenth
    rows = spread(np.linspace(-np.pi, np.pi, 90), time, sharpness, 10)
    assert rows == list(range(4, 90, 9))


def test_somebody_who_stands_still_is_seen_evenly_in_time() -> None:
    rows = spread(np.zeros(100), np.arange(100) / 10, np.ones(100), 10)
    assert len(rows) == 10 and np.ptp(np.diff(rows)) <= 2


def test_a_turn_through_the_back_is_no_jump() -> None:
    """+pi and -pi are one side: half of the frames lie on each half of the turn."""
    yaw = np.linspace(np.pi / 2, 3 * np.pi / 2, 200)
    wrapped = (yaw + np.pi) % (2 * np.pi) - np.pi
    time, sharp = np.arange(200) / 20, np.ones(200)
    assert spread(yaw, time, sharp, 20) == spread(wrapped, time, sharp, 20)


def test_the_front_is_near_the_front_and_sharp() -> None:
    yaw = np.array([np.pi, 0.3, 0.05, -0.06, 1.2])
    assert front_first(yaw, np.array([1, 1, 0.2, 1, 1]))[0] == 3
    assert set(front_first(yaw, np.ones(5))) == {1, 2, 3}


def test_without_a_front_all_frames_may_stand_for_it_the_nearest_first() -> None:
    yaw = np.array([np.pi, 2.0, -1.0, 1.5])
    assert front_first(yaw, np.ones(4)) == [2, 3, 1, 0]
    assert front_first(yaw, np.zeros(4)) == [2, 3, 1, 0]


def test_how_much_of_a_turn_is_seen() -> None:
    full = np.linspace(0, 2 * np.pi, 60)
    assert sides_seen(full) == pytest.approx(2 * np.pi)
    assert sides_seen(full - 9) == pytest.approx(2 * np.pi)
    assert abs(sides_seen(full / 2) - np.pi) <= np.pi / 6 + 1e-9  # a part begins, another ends
    assert sides_seen([0.1, 0.12, 0.2]) < LEAST_TURN


@pytest.mark.parametrize("middle", np.radians([0, 15, 30, 180, -90]))
def test_a_sway_is_no_turn_about_whichever_side(middle: float) -> None:
    sway = middle + 0.3 * np.sin(np.arange(40))
    assert sides_seen(sway) == pytest.approx(0.6, abs=0.01)
    astray = np.append(sway, middle + 2)  # one frame was misunderstood
    assert sides_seen(astray) < LEAST_TURN


def test_the_back_is_what_is_seen_from_behind() -> None:
    assert shows_back([0, 3.0]) and shows_back([-2.5])
    assert not shows_back([0, 1.6, -1.6]) and not shows_back([])
