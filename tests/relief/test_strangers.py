"""What is not an arm's goes to what is beside it."""

from __future__ import annotations

import numpy as np

from svad.geometry.zbuffer import DepthMaps
from svad.relief.labels import PartMaps
from svad.relief.parts import Part
from svad.relief.strangers import without_strangers
from tests.relief.test_worn import H, W, arms, camera

SLEEVE, DRESS, SKIN, SILVER = (230, 230, 240), (40, 140, 60), (220, 160, 130), (120, 120, 200)
TRUNK, LEFT, RIGHT = 0, 1, 2
TRUNK_PART = Part("torso", (), (), (), "torso")


def drawn() -> list[PartMaps]:
    """Trunk and arms, five metres away."""
    out = []
    _, views = arms()
    for view in [None, *views.values()]:
        covered = np.zeros((H, W), bool)
        box = (slice(10, 120), slice(30, 70)) if view is None else view.box
        covered[box] = True
        near = np.where(covered, np.float32(5), np.float32(np.inf))
        face = np.where(covered, 0, -1)
        maps = DepthMaps(near, near, face, face, np.zeros((H, W, 3)), np.zeros((H, W, 3)))
        part = TRUNK_PART if view is None else view.part
        share = covered.astype(np.float32)
        out.append(PartMaps(part, maps, share, np.zeros((0, 3), int), 0 * share))
    return out


def scene(end: int) -> tuple[np.ndarray, np.ndarray]:  # rgb, labels
    """White sleeves to a row, skin from there on; a green dress between the arms."""
    labels = np.full((H, W), -1, np.int32)
    labels[10:, 28:72] = TRUNK
    for number, view in arms()[1].items():
        labels[view.box] = (LEFT, RIGHT)[number]
    rgb = np.full((H, W, 3), DRESS, np.uint8)
    for number in (LEFT, RIGHT):
        rgb[labels == number] = SLEEVE
        rgb[end:][labels[end:] == number] = SKIN
    return rgb, labels


def cleaned(rgb: np.ndarray, labels: np.ndarray) -> np.ndarray:
    skin = (rgb == SKIN).all(-1)
    none = np.zeros((H, W), bool)
    return without_strangers(labels, drawn(), rgb, skin, none, camera(), arms()[0], 200.0)


def test_a_hand_s_place_that_shows_the_dress_is_the_dress() -> None:
    rgb, labels = scene(90)
    rgb[85:, 72:88] = DRESS  # the left hand is in a pocket
    out = cleaned(rgb, labels)
    assert (out[88:108, 74:86] == TRUNK).all()
    assert (out[12:80, 72:88] == LEFT).all() and (out[labels == RIGHT] == RIGHT).all()


def test_skin_sleeve_and_a_bracelet_stay() -> None:
    rgb, labels = scene(50)
    rgb[80:84, 72:88] = SILVER
    assert (cleaned(rgb, labels) == labels).all()


def test_a_strip_of_the_shirt_along_a_bare_forearm_is_the_trunk_s() -> None:
    rgb, labels = scene(40)
    rgb[labels == TRUNK] = SLEEVE  # the shirt is of the sleeve's cloth
    rgb[60:100, 72:77] = SLEEVE
    out = cleaned(rgb, labels)
    assert (out[62:98, 73:76] == TRUNK).all() and (out[60:100, 79:88] == LEFT).all()


def test_a_long_sleeve_beside_a_coat_of_its_cloth_stays() -> None:
    rgb, labels = scene(110)
    rgb[labels == TRUNK] = SLEEVE
    assert (cleaned(rgb, labels) == labels).all()
