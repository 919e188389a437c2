"""Colours of trunk and hips as one piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.skeleton import KNEES, Joint
from svad.geometry.camera import Camera
from svad.relief.layer import Layer
from svad.relief.parts import TORSO_JOINTS, Part
from svad.relief.scene import Scene
from svad.relief.surface import Surface
from svad.relief.trunk_colours import Dress, dressed, hanging, well_lit

H, W = 160, 100
JACKET, SHIRT, TROUSERS, SKIN = (0.7, 0.1, 0.1), (0.9, 0.9, 0.9), (0.1, 0.1, 0.3), (0.8, 0.6, 0.5)
HEM = 90  # row where jacket and shirt end
TORSO, LEG, ARM = range(3)
HAND = (slice(100, 130), slice(20, 34))
NO_HAIR = np.zeros((H, W), bool)
STANDING = np.zeros((55, 3), np.float32)  # joints
STANDING[list(KNEES), 1] = -0.4


def layer(part: Part, labels: np.ndarray, number: int, hidden: np.ndarray) -> Layer:
    own = labels == number
    mask = own | hidden
    flat, weights = np.ones((H, W), np.float32), np.zeros((H, W, 22), np.float32)
    box = (slice(0, H), slice(0, W))
    surface = Surface(flat, 0 * flat, mask)
    return Layer(part, box, own, mask, own & ~own, mask, surface, 0.0, flat, flat, weights, weights)


def scene_of(rgb: np.ndarray, area: np.ndarray) -> Scene:
    camera = Camera(np.eye(3), np.zeros(3), (100.0, 100.0), (50.0, 80.0), W, H)
    return Scene(
        rgb.astype(np.float32), area.astype(np.float32), camera, (0, 0), None, None, 100.0, 200.0
    )


@pytest.fixture(scope="module")
def worn() -> tuple[Dress, list[Layer], np.ndarray]:
    """An open jacket over a shirt, of which the cut between torso and leg leaves a part below."""
    area = np.zeros((H, W), bool)
    area[20:150, 20:80] = True
    cut = 80 + 20 * (1 - np.abs(np.arange(W) - 50) / 30)  # a V that reaches below the hem
    labels = np.where(np.arange(H)[:, None] < cut, TORSO, LEG)
    labels = np.where(area, labels, -1)
    labels[HAND] = ARM
    rgb = np.where((np.arange(H) < HEM)[:, None, None], JACKET, TROUSERS) * np.ones((H, W, 1))
    rgb[:HEM, 38:62] = SHIRT
    rgb[HAND] = SKIN
    rgb += np.random.default_rng(0).normal(0, 0.01, rgb.shape)
    arm = labels == ARM
    overlap = (labels == TORSO) & (np.arange(H)[:, None] > 70)
    layers = [
        layer(Part("torso", TORSO_JOINTS, (), (), "torso"), labels, TORSO, arm & ~arm),
        layer(Part("left_leg", (1,), ((1, 4),), ("torso",)), labels, LEG, arm | overlap),
        layer(Part("left_arm", (16,), ((16, 18),), ("torso",)), labels, ARM, arm & ~arm),
    ]
    return dressed(layers, labels, NO_HAIR, scene_of(rgb, area), STANDING, 0), layers, labels


def test_the_back_of_a_jacket_ends_as_high_as_its_front_does(worn) -> None:
    dress, layers, _ = worn
    for one in layers[:2]:
        _, back = dress.on(one, (np.zeros((H, W, 3)), np.zeros((H, W, 3))))
        rows = np.arange(H)[:, None]
        above = one.mask & (rows > 60) & (rows < HEM - 6)
        below = one.mask & (rows > HEM + 6) & (rows < 100)
        assert above.any() and below.any()
        near = np.abs(back[above] - JACKET).max(1) < 0.12
        assert near.mean() > 0.97
        assert (np.abs(back[below] - TROUSERS).max(1) < 0.12).mean() > 0.97


def test_cloth_behind_a_hand_has_nothing_of_its_colour(worn) -> None:
    dress, layers, labels = worn
    front, _ = dress.on(layers[LEG], None)
    hidden = front[labels == ARM]
    np.testing.assert_allclose(hidden, np.broadcast_to(TROUSERS, hidden.shape), atol=0.08)
    beside = np.zeros((H, W), bool)
    beside[HAND[0], 34:36] = True  # a mixture in a photo
    np.testing.assert_allclose(front[beside].mean(0), TROUSERS, atol=0.05)


def test_a_leg_inside_a_jacket_has_the_jacket_s_colours(worn) -> None:
    dress, layers, labels = worn
    front, _ = dress.on(layers[LEG], None)
    inside = layers[LEG].mask & (labels == TORSO) & (np.arange(W)[None] < 34)
    inside &= np.arange(H)[:, None] < HEM - 5
    np.testing.assert_allclose(front[inside].mean(0), JACKET, atol=0.05)


def test_below_the_hands_a_leg_keeps_its_own_colours(worn) -> None:
    dress, layers, _ = worn
    own = np.full((H, W, 3), 0.5)
    front, back = dress.on(layers[LEG], (own, own))
    np.testing.assert_array_equal(front[131:], own[131:])
    np.testing.assert_array_equal(back[131:], own[131:])


def test_a_layer_is_coloured_in_its_place(worn) -> None:
    dress, layers, _ = worn
    box = (slice(60, H), slice(10, W))
    part = replace(layers[TORSO], box=box, mask=layers[TORSO].mask[box], own=layers[TORSO].own[box])
    whole, _ = dress.on(layers[TORSO], None)
    cut, _ = dress.on(part, None)
    np.testing.assert_array_equal(cut, whole[box])


def test_a_lifted_thigh_is_a_piece_of_its_own() -> None:
    assert hanging(STANDING) == ("left", "right")
    lifted = STANDING.copy()
    lifted[Joint.LEFT_KNEE] = 0.05, -0.1, 0.38
    assert hanging(lifted) == ("right",)


def test_stripes_meet_those_around_the_hand_that_hides_them() -> None:
    area = np.zeros((H, W), bool)
    area[20:150, 20:80] = True
    labels = np.where(area, TORSO, -1)
    hand = (slice(70, 110), slice(30, 70))
    labels[hand] = ARM
    row, column = np.indices((H, W))
    stripes = np.where((row + column) // 6 % 2, 0.2, 0.8)[..., None] * np.ones(3)
    rgb = np.where((labels == ARM)[..., None], SKIN, stripes)
    arm = labels == ARM
    layers = [
        layer(Part("torso", TORSO_JOINTS, (), (), "torso"), labels, TORSO, arm),
        layer(Part("left_leg", (1,), ((1, 4),), ("torso",)), labels, LEG, arm & ~arm),
        layer(Part("left_arm", (16,), ((16, 18),), ("torso",)), labels, ARM, arm & ~arm),
    ]
    dress = dressed(layers, labels, NO_HAIR, scene_of(rgb, area), STANDING, 0)
    assert np.abs(dress.front[hand] - stripes[hand]).mean() < 0.02


def bust(rgb: np.ndarray, shoulder: tuple[slice, slice], hair: np.ndarray) -> Dress:
    """A trunk with bare skin at the neck, one shoulder of which an arm hides."""
    area = np.zeros((H, W), bool)
    area[20:150, 20:80] = True
    labels = np.where(area, TORSO, -1)
    labels[shoulder] = ARM
    rgb[shoulder] = TROUSERS  # a sleeve of another colour
    rgb += np.random.default_rng(0).normal(0, 0.01, rgb.shape)
    arm = labels == ARM
    layers = [
        layer(Part("torso", TORSO_JOINTS, (), (), "torso"), labels, TORSO, arm),
        layer(Part("left_leg", (1,), ((1, 4),), ("torso",)), labels, LEG, arm & ~arm),
        layer(Part("left_arm", (16,), ((16, 18),), ("torso",)), labels, ARM, arm & ~arm),
    ]
    skin = np.abs(rgb - SKIN).max(-1) < 0.08
    scene = replace(scene_of(rgb, area), skin=skin)
    return dressed(layers, labels, hair, scene, STANDING, 0)


SHOULDER = (slice(22, 44), slice(20, 36))


def test_a_hidden_shoulder_goes_on_in_cloth_though_skin_is_near() -> None:
    rgb = np.full((H, W, 3), JACKET)
    rgb[20:60, 44:58] = SKIN  # a neckline
    dress = bust(rgb, SHOULDER, NO_HAIR)
    hidden = dress.front[SHOULDER][4:-4, :10]
    np.testing.assert_allclose(hidden, np.broadcast_to(JACKET, hidden.shape), atol=0.1)
    neckline = dress.back[28:54, 46:56]
    np.testing.assert_allclose(neckline, np.broadcast_to(JACKET, neckline.shape), atol=0.1)


def test_a_bare_shoulder_stays_bare() -> None:
    rgb = np.full((H, W, 3), JACKET)
    rgb[20:60] = SKIN
    hidden = bust(rgb, SHOULDER, NO_HAIR).front[SHOULDER][4:-4, :10]
    np.testing.assert_allclose(hidden, np.broadcast_to(SKIN, hidden.shape), atol=0.1)


def test_hair_that_falls_over_a_shoulder_is_not_on_the_back() -> None:
    rgb = np.full((H, W, 3), JACKET)
    strand = (slice(20, 90), slice(58, 80))
    rgb[strand] = (0.4, 0.25, 0.1)
    hair = np.zeros((H, W), bool)
    hair[strand] = True
    dress = bust(rgb, SHOULDER, hair)
    np.testing.assert_allclose(dress.front[30:80, 62:76], rgb[30:80, 62:76], atol=0.06)
    behind = dress.back[26:84, 22:78]
    np.testing.assert_allclose(behind, np.broadcast_to(JACKET, behind.shape), atol=0.12)


def test_shade_is_no_cloth_to_take_patches_from() -> None:
    rgb = np.full((300, 120, 3), (0.8, 0.2, 0.2), np.float32)
    rgb[150:] *= 0.3  # trousers
    rgb[:, :20] *= 0.5  # the shade of an arm
    rgb[:, ::4] *= 0.8  # ribs
    cloth = np.ones((300, 120), bool)
    cloth[:, 50:70] = False
    lit = well_lit(rgb, cloth, 400.0)
    assert not lit[:140, :14].any() and not lit[~cloth].any()
    assert lit[20:280, 26:50].all() and lit[20:280, 70:].all()


def test_cloth_that_is_mostly_in_the_shade_stays_whole() -> None:
    rgb = np.full((200, 100, 3), 0.2, np.float32)
    rgb[:, 65:] = 0.7
    cloth = np.ones((200, 100), bool)
    np.testing.assert_array_equal(well_lit(rgb, cloth, 300.0), cloth)
    assert not well_lit(rgb, ~cloth, 300.0).any()
