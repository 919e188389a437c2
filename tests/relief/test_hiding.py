"""What gives way to what: hands before the body, and arms behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.relief.giving_way import HIDDEN_GAP, hung, sloping
from svad.relief.hiding import in_order
from svad.relief.layer import Layer
from svad.relief.parts import TORSO_JOINTS, Part
from svad.relief.surface import Surface

H, W = 60, 60
TORSO, ARM = 0, 1
HAND = (slice(25, 35), slice(10, 20))  # over the left edge of the trunk
HALF = 0.1  # metres, of the trunk's thickness
TALL, PX_PER_M = 100.0, 150.0  # px, of the body; of a metre
SHOULDERS = 5.0  # row


def layers(hand: float) -> tuple[list[Layer], np.ndarray]:
    """A trunk three metres away, and a hand at a depth that the photo shows over its edge."""
    area = np.zeros((H, W), bool)
    area[5:55, 15:45] = True
    labels = np.where(area, TORSO, -1)
    labels[HAND] = ARM
    shown = labels == ARM
    parts = Part("torso", TORSO_JOINTS, (), (), "torso"), Part("left_arm", (), (), ("torso",))
    return [
        _layer(parts[0], labels == TORSO, area, 3.0, HALF),
        _layer(parts[1], shown, shown, hand, 0.02),
    ], labels


def _layer(part: Part, own: np.ndarray, mask: np.ndarray, middle: float, half: float) -> Layer:
    flat, weights = np.full((H, W), middle, np.float32), np.zeros((H, W, 22), np.float32)
    surface = Surface(flat, np.full_like(flat, half), mask)
    box = (slice(0, H), slice(0, W))
    near, far = flat - half, flat + half
    return Layer(part, box, own, mask, own & ~own, mask, surface, 0.0, near, far, weights, weights)


@pytest.mark.parametrize(("place", "pushes"), [(2.95, True), (3.25, False)])
def test_only_a_hand_before_the_trunk_makes_it_give_way(place: float, pushes: bool) -> None:
    made, labels = layers(place)
    torso = in_order(made, labels, SHOULDERS, TALL, PX_PER_M)[TORSO]
    around = np.zeros((H, W), bool)
    around[23:25, 15:20] = True  # seen, just above the hand
    moved = torso.near[around] - made[TORSO].near[around]
    assert (moved > 0.01).all() if pushes else (moved < 1e-3).all()


def rounded(made: list[Layer]) -> list[Layer]:
    """The trunk as an elliptic cylinder, and what is seen of the hand at its flank."""
    across = np.clip(np.abs(np.arange(W) + 0.5 - 30) / 15, 0, 1)
    near = np.broadcast_to(3.0 - HALF * np.sqrt(1 - across**2), (H, W)).astype(np.float32)
    return [replace(made[TORSO], near=near, far=6.0 - near), made[ARM]]


def test_a_flank_has_no_step_below_a_hand_that_lies_deep() -> None:
    made, labels = layers(3.0)
    made = rounded(made)
    torso = in_order(made, labels, SHOULDERS, TALL, PX_PER_M)[TORSO]
    hand = (slice(25, 35), slice(15, 20))  # what of it lies over the trunk
    assert (torso.near[hand] >= made[ARM].near[hand] + HIDDEN_GAP - 1e-6).all()
    back = torso.near - made[TORSO].near
    assert back[30, 17] > 0.02
    along = back[30:55, 15:20]
    assert (-np.diff(along, axis=0)).max() < 0.2 * along.max()
    assert (along[-1] < 0.6 * along[0]).all()


def test_what_is_no_flank_stays_where_it_was() -> None:
    made, labels = layers(3.0)
    made = rounded(made)
    torso = in_order(made, labels, SHOULDERS, TALL, PX_PER_M)[TORSO]
    np.testing.assert_allclose(torso.near[5:55, 31:45], made[TORSO].near[5:55, 31:45], atol=1e-6)


def test_cloth_comes_forward_no_steeper_than_it_may() -> None:
    values = np.random.default_rng(0).random((3, 20)).astype(np.float32)
    away = np.abs(np.arange(20)[:, None] - np.arange(20))
    wanted = (values[:, None] - 0.1 * away).max(-1)
    np.testing.assert_allclose(sloping(values, 0.1), wanted, atol=1e-5)


def test_cloth_hangs_from_where_it_is_held_back() -> None:
    values = np.zeros((21, 2), np.float32)
    values[10, 0] = 1
    found = hung(values, 8.0)
    assert (np.diff(found[10:19, 0]) < 0).all() and found[10, 0] == 1
    np.testing.assert_allclose(found[:, 0], found[::-1, 0], atol=1e-6)
    assert not found[18:].any() and not found[:, 1].any()
