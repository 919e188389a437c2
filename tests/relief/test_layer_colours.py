"""Colours of a layer where the photo hides it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.skeleton import ELBOWS, SHOULDERS, WRISTS
from svad.relief.layer import Layer
from svad.relief.layer_colours import limb_colours
from svad.relief.parts import Part
from svad.relief.surface import Surface

H, W, WRIST_ROW = 90, 40, 60
SLEEVE, SKIN, GLOVE = (0.2, 0.3, 0.2), (0.8, 0.6, 0.5), (0.1, 0.1, 0.6)


def forearm(shown: int) -> Layer:
    """A forearm that hangs down, hand from row 60 on, of which the photo shows the first rows."""
    own = np.zeros((H, W), bool)
    own[5:shown, 10:30] = True
    mask = np.zeros((H, W), bool)
    mask[5:85, 10:30] = True
    weights = np.zeros((H, W, 22), np.float32)
    weights[:WRIST_ROW, :, ELBOWS[0]] = 1
    weights[WRIST_ROW:, :, WRISTS[0]] = 1
    flat = np.ones((H, W), np.float32)
    surface = Surface(flat, 0 * flat, mask)
    part = Part("left_arm_lower", (ELBOWS[0], WRISTS[0]), ((ELBOWS[0], WRISTS[0]),), ())
    box = (slice(0, H), slice(0, W))
    return Layer(part, box, own, mask, own & ~own, mask, surface, 0.0, flat, flat, weights, weights)


def photo(hand: tuple[float, float, float]) -> np.ndarray:
    rgb = np.full((H, W, 3), SLEEVE, np.float32)
    rgb[WRIST_ROW:] = hand
    return rgb


@pytest.mark.parametrize(
    ("shown", "hand", "wanted"),
    [(50, SLEEVE, SKIN), (75, SKIN, SKIN), (75, GLOVE, GLOVE)],
    ids=["hidden", "half seen", "glove"],
)
def test_a_hidden_hand_has_the_hand_s_colour(shown: int, hand, wanted) -> None:
    rgb = photo(hand)
    skin = np.abs(rgb - SKIN).max(-1) < 0.05
    front, back = limb_colours(
        forearm(shown), rgb, np.ones((H, W), np.float32), skin, np.array(SKIN), 0
    )
    for side in (front, back):
        np.testing.assert_allclose(side[80, 20], wanted, atol=0.06)  # cloth has a grain
        np.testing.assert_allclose(side[30, 20], SLEEVE, atol=0.06)


def test_a_forearm_goes_on_bare_where_its_sleeve_ended() -> None:
    layer = forearm(55)  # a short sleeve, then skin, then out of sight
    rgb = np.full((H, W, 3), SLEEVE, np.float32)
    rgb[35:] = SKIN
    weights = layer.near_weights.copy()
    down = np.clip(np.arange(H, dtype=np.float32) / 45, 0, 1)[:, None]
    weights[..., ELBOWS[0]], weights[..., SHOULDERS[0]] = down, 1 - down
    weights[WRIST_ROW:] = 0
    weights[WRIST_ROW:, :, WRISTS[0]] = 1
    layer = replace(layer, near_weights=weights, far_weights=weights)
    skin = np.abs(rgb - SKIN).max(-1) < 0.05
    for side in limb_colours(layer, rgb, np.ones((H, W), np.float32), skin, np.array(SKIN), 0):
        np.testing.assert_allclose(side[57:80, 20], np.tile(SKIN, (23, 1)), atol=0.08)
        np.testing.assert_allclose(side[20, 20], SLEEVE, atol=0.06)


def test_a_strip_of_bare_skin_beside_a_belt_tells_of_the_whole_forearm() -> None:
    layer = forearm(35)
    own = layer.own.copy()
    own[35:50, 24:30] = True  # too narrow to have a pixel that shows it alone
    weights = np.zeros((H, W, 22), np.float32)
    weights[:55, :, SHOULDERS[0]] = 1  # up to there the weights do not tell what is farther out
    weights[55:, :, ELBOWS[0]] = 1
    layer = replace(layer, own=own, near_weights=weights, far_weights=weights)
    rgb = np.full((H, W, 3), SLEEVE, np.float32)
    rgb[35:] = SKIN
    skin = np.abs(rgb - SKIN).max(-1) < 0.05
    for side in limb_colours(layer, rgb, np.ones((H, W), np.float32), skin, np.array(SKIN), 0):
        np.testing.assert_allclose(side[58:80, 20], np.tile(SKIN, (22, 1)), atol=0.08)
        np.testing.assert_allclose(side[20, 20], SLEEVE, atol=0.06)
