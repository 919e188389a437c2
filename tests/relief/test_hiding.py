"""What gives way to what: hands before the body, and arms behind it."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.hiding import in_order
from svad.relief.layer import Layer
from svad.relief.parts import TORSO_JOINTS, Part
from svad.relief.surface import Surface

H, W = 60, 60
TORSO, ARM = 0, 1
HAND = (slice(25, 35), slice(10, 20))  # over the left edge of the trunk
HALF = 0.1  # metres, of the trunk's thickness


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
    torso = in_order(made, labels, 100.0)[TORSO]
    around = np.zeros((H, W), bool)
    around[23:25, 15:20] = True  # seen, just above the hand
    moved = torso.near[around] - made[TORSO].near[around]
    assert (moved > 0.01).all() if pushes else (moved < 1e-3).all()
