"""Colours of a limb where the photo hides it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.relief.layer import Layer
from svad.relief.limb_colours import limb_colours
from svad.relief.parts import Part
from svad.relief.shown import Shown, shown_of
from svad.relief.surface import Surface
from svad.relief.worn import Seen, Worn

H, W, WRIST_ROW, ELBOW_ROW = 90, 40, 60, 30
SLEEVE, SKIN, GLOVE = (0.2, 0.3, 0.2), (0.8, 0.6, 0.5), (0.1, 0.1, 0.6)


def arm(shown: int) -> Layer:
    """An arm that hangs down, hand from row 60 on, of which the photo shows the first rows."""
    own = np.zeros((H, W), bool)
    own[5:shown, 10:30] = True
    mask = np.zeros((H, W), bool)
    mask[5:85, 10:30] = True
    weights = np.zeros((H, W, 22), np.float32)
    flat = np.ones((H, W), np.float32)
    surface = Surface(flat, 0 * flat, mask)
    part = Part("left_arm", (), (), ())
    box = (slice(0, H), slice(0, W))
    return Layer(part, box, own, mask, own & ~own, mask, surface, 0.0, flat, flat, weights, weights)


NOTHING = Seen(np.zeros((0, 2)), np.zeros((0, 3)), np.zeros(0, bool))


def worn(end: float, *, gloved: bool = False, others: Seen = NOTHING) -> Worn:
    """One bone every 30 rows, one across every 30 columns."""
    row, column = np.indices((H, W), dtype=np.float32) + 0.5
    place = np.stack([row / ELBOW_ROW, (column - W / 2) / ELBOW_ROW], -1)
    return Worn(place, end, gloved, NOTHING, others)


def seen(layer: Layer, rgb: np.ndarray, *, trunk: np.ndarray | None = None) -> Shown:
    skin = np.abs(rgb - SKIN).max(-1) < 0.05
    labels = np.ones((H, W), np.int32) if trunk is None else np.where(trunk, 0, 1)
    return shown_of(layer, rgb, np.ones((H, W), np.float32), skin, labels)


def photo(end: float, hand: tuple[float, float, float] = SKIN) -> np.ndarray:
    """Sleeve to a place along the arm, then skin, then a hand."""
    rgb = np.full((H, W, 3), SLEEVE, np.float32)
    rgb[round(end * ELBOW_ROW) :] = SKIN
    rgb[WRIST_ROW:] = hand
    return rgb


def both_sides(layer: Layer, shown: Shown, wears: Worn) -> tuple[np.ndarray, np.ndarray]:
    return limb_colours(layer, wears, shown, np.array(SKIN), np.array(SKIN), 400.0, 0)


@pytest.mark.parametrize(
    ("shown", "hand", "gloved", "wanted"),
    [(50, SLEEVE, False, SKIN), (75, SKIN, False, SKIN), (75, GLOVE, True, GLOVE)],
    ids=["hidden", "half seen", "glove"],
)
def test_a_hidden_hand_has_the_hand_s_colour(shown: int, hand, gloved: bool, wanted) -> None:
    layer = arm(shown)
    for side in both_sides(layer, seen(layer, photo(2.0, hand)), worn(2.0, gloved=gloved)):
        np.testing.assert_allclose(side[82, 20], wanted, atol=0.06)  # cloth has a grain
        np.testing.assert_allclose(side[35, 20], SLEEVE, atol=0.06)


def test_a_limb_is_clothed_to_one_station_all_around_and_bare_from_there_on() -> None:
    layer = arm(85)
    own = layer.own.copy()
    own[:, :22] = False  # something hides the inner half of it
    layer = replace(layer, own=own)
    rgb = photo(0.8)
    rgb[:, :22] = GLOVE
    for side in both_sides(layer, seen(layer, rgb), worn(0.8)):
        np.testing.assert_allclose(side[8:20, 14], np.tile(SLEEVE, (12, 1)), atol=0.06)
        np.testing.assert_allclose(side[30:80, 14], np.tile(SKIN, (50, 1)), atol=0.06)


def test_a_sleeve_that_is_hidden_is_that_of_the_other_side() -> None:
    layer = arm(85)
    own = layer.own.copy()
    own[:45] = False
    layer = replace(layer, own=own)
    row, column = np.indices((50, 20)).reshape(2, -1)
    stripes = np.where((row // 5 % 2 == 0)[:, None], SLEEVE, GLOVE)
    place = np.stack([(row + 0.5) / ELBOW_ROW, (column + 0.5 - 10) / ELBOW_ROW], 1)
    others = Seen(place, stripes, np.zeros(len(row), bool))
    rgb = photo(1.4)
    front, _ = both_sides(layer, seen(layer, rgb), worn(1.4, others=others))
    for y in (12, 17, 22, 27, 32):
        wanted = SLEEVE if y // 5 % 2 == 0 else GLOVE
        np.testing.assert_allclose(front[y, 20], wanted, atol=0.02)
    np.testing.assert_allclose(front[70, 20], SKIN, atol=0.02)


def test_a_strip_of_sleeve_goes_on_as_the_shirt_it_belongs_to() -> None:
    layer = arm(85)
    own = layer.own.copy()
    own[:, :24] = False
    layer = replace(layer, own=own)
    rgb = np.full((H, W, 3), SLEEVE, np.float32)
    rgb[:, ::4] = GLOVE  # the shirt is striped, its sleeve a strip
    trunk = np.zeros((H, W), bool)
    trunk[:, :24] = True
    front, _ = both_sides(layer, seen(layer, rgb, trunk=trunk), worn(2.0))
    colours = front[20:60, 12:22].reshape(-1, 3)
    apart = [np.abs(colours - one).max(1) < 0.08 for one in (SLEEVE, GLOVE)]
    assert np.logical_or(*apart).mean() > 0.6 and apart[1].any()


def test_what_is_hidden_of_a_shaded_arm_has_the_light_of_both_arms() -> None:
    layer = arm(85)
    own = layer.own.copy()
    own[:, :18] = False
    layer = replace(layer, own=own)
    shaded, light = 0.5 * np.array(SKIN), np.array(SKIN)
    rgb = np.tile(shaded, (H, W, 1)).astype(np.float32)
    bare = np.ones((H, W), bool)
    shown = shown_of(layer, rgb, np.ones((H, W), np.float32), bare, np.ones((H, W), np.int32))
    alike, lit = (
        limb_colours(layer, worn(0.0), shown, light, skin_rgb, 400.0, 0)
        for skin_rgb in (None, light)
    )
    for y, x in ((30, 12), (50, 20)):  # hidden in the photo, and behind what it shows
        np.testing.assert_allclose(alike[1][y, x], shaded, atol=0.06)
        assert (lit[1][y, x] > (shaded + light) / 2).all() and (lit[1][y, x] < light + 0.06).all()
    assert (lit[0][30, 12] > (shaded + light) / 2).all()
    np.testing.assert_allclose(lit[0][30, 25], shaded, atol=1e-5)  # the photo's own
