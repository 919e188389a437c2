"""Which frames are fused, the fade, and the sentence about the others."""

from __future__ import annotations

import numpy as np
import pytest

from svad.identity.select import published_strengths, ranges, strengths, summary
from svad.pose.drive import even_turn, paper_turn


def test_frontal_frames_count_fully_and_turned_ones_not_at_all() -> None:
    yaw = np.radians([0, 40, -40, 74.9, 75, -80, 180, 359, -719])
    found = strengths(yaw, 75, 3)
    assert found[[0, 1, 2, 7, 8]].tolist() == [1, 1, 1, 1, 1]
    assert 0 < found[3] < 0.1
    assert found[[4, 5, 6]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("frames", [48, 96, 189])
def test_the_fade_takes_a_few_frames_whatever_the_pace(frames: int) -> None:
    found = strengths(np.radians(even_turn(frames)), 75, 3)
    front = found[: frames // 2]  # from the front to the back
    assert (np.diff(front) <= 1e-9).all()
    fading = ((front > 0) & (front < 1)).sum()
    assert 2 <= fading <= 4
    assert np.abs(np.diff(front)).max() < 0.6


def test_a_cut_in_the_clip_makes_no_fade() -> None:
    found = strengths(np.radians(paper_turn(189)), 75, 3)
    # the frame before the cut to the back shows the front
    assert found[147] == 1 and found[148] == 0


def test_the_fade_does_not_depend_on_the_order() -> None:
    yaw = np.radians(np.linspace(-180, 180, 91))
    found = strengths(yaw, 60, 3)
    np.testing.assert_allclose(found, found[::-1], atol=1e-9)


def test_no_fade_is_a_hard_limit() -> None:
    assert strengths(np.radians([59.99, 60.01]), 60, 0).tolist() == [1, 0]
    assert strengths(np.zeros(1), 60, 3).tolist() == [1]


def test_the_published_selection_is_a_count() -> None:
    assert published_strengths(189).sum() == 139 and published_strengths(10).all()


def test_the_sentence_counts_and_names() -> None:
    left = {7: "no face found", 2: "face turned away", 3: "face turned away", 4: "face turned away"}
    assert summary(48, left) == (
        "face fused into 44 of 48 frames; left as they were: "
        "3 (face turned away: 2-4), 1 (no face found: 7)"
    )
    assert summary(3, {}) == "face fused into 3 of 3 frames"


def test_ranges() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10" and ranges([]) == ""
