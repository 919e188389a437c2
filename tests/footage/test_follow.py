"""One person through the frames of a clip."""

from __future__ import annotations

import numpy as np
import pytest

from svad.footage.follow import PATIENCE, Follower, grown, overlap
from tests.footage.acted import ANN, BOB, Card, PaintedEyes, paint


def test_the_one_who_was_followed_first_is_kept_though_another_becomes_larger() -> None:
    follower = Follower(PaintedEyes())
    for k in range(12):
        ann, bob = Card(0, 40, 40, 120, ANN), Card(0, 130, 20, 60 + 10 * k, BOB)
        seen = follower.see(paint([ann, bob], 200), k / 10)
        assert seen is not None and seen.box[0] < 60
    assert follower.others == 1


def test_who_was_lost_comes_back_anywhere_after_a_while() -> None:
    follower = Follower(PaintedEyes())
    here, there = paint([Card(0, 40)], 400), paint([Card(0, 350)], 400)
    assert follower.see(here, 0.0) is not None
    assert follower.see(there, 0.2) is None  # nobody jumps that far
    found = follower.see(there, PATIENCE + 0.1)
    assert found is not None and found.box[0] > 300


def test_nobody_is_nobody_until_somebody_comes() -> None:
    follower = Follower(PaintedEyes())
    assert follower.see(paint([]), 0.0) is None
    assert follower.see(paint([Card(0, 80)]), 0.1) is not None
    assert follower.others == 0


def test_a_box_grows_inside_the_picture_only() -> None:
    rgb = np.zeros((100, 200, 3), np.uint8)
    assert grown((0, 0, 200, 100), rgb) == (0, 0, 200, 100)
    x0, y0, x1, y1 = grown((90, 40, 110, 60), rgb)
    assert (x0 + x1, y0 + y1) == (200, 100) and x0 < 85


def test_overlap_is_that_of_areas() -> None:
    box = (10, 10, 30, 50)
    assert overlap(box, box) == 1 and overlap(box, (40, 10, 50, 50)) == 0
    assert overlap(box, (10, 10, 30, 30)) == pytest.approx(0.5)
    assert overlap(box, (20, 10, 40, 50)) == overlap((20, 10, 40, 50), box) == pytest.approx(1 / 3)
