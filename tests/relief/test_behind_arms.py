"""Trunk and legs behind arms: where their outline goes on, and whose it is."""

from __future__ import annotations

import numpy as np

from svad.geometry.zbuffer import DepthMaps
from svad.relief.behind_arms import behind_arms
from svad.relief.labels import PartMaps
from svad.relief.parts import TORSO_JOINTS, Part
from svad.relief.skirt import SKIRT

H, W, HIPS = 200, 120, 60.0
TALL = 250.0  # px, of the body
NONE = np.zeros((H, W), bool)
TORSO, ARM, LEG, CLOTH = range(4)
HAND = (slice(70, 95), slice(20, 42))  # before the left edge of the hips


def drawn(body: np.ndarray) -> list[PartMaps]:
    """Torso, arm, leg and skirt, of which the body shows one area in all."""
    parts = (
        Part("torso", TORSO_JOINTS, (), (), "torso"), Part("left_arm", (), (), ("torso",)),
        Part("left_leg", (), (), ("torso",)), SKIRT,
    )  # fmt: skip
    return [_maps(part, body if part.is_torso else NONE) for part in parts]


def _maps(part: Part, area: np.ndarray, depth: float = 4.0) -> PartMaps:
    faces, bary = np.where(area, 0, -1), np.zeros((H, W, 3), np.float32)
    near = np.where(area, depth, np.inf)
    maps = DepthMaps(near, near, faces, faces, bary, bary)
    return PartMaps(part, maps, area * 1.0, np.zeros((1, 3), int), 0.0 * area)


def person() -> np.ndarray:  # [H, W] bool
    """Bulging hips: widest at row 80."""
    half = 30 + 8 * np.exp(-(((np.arange(H) - 80) / 15) ** 2))
    return np.abs(np.arange(W) - 60) < half[:, None]


def dressed(low: int) -> np.ndarray:  # [H, W] int32
    """Torso, and below the hips the part `low`, four pixels outside the body."""
    wide = np.zeros((H, W), bool)
    for shift in range(-4, 5):
        wide |= np.roll(person(), shift, 1)
    labels = np.where(wide, TORSO, -1)
    labels[80:] = np.where(wide[80:], low, -1)
    return labels.astype(np.int32)


def test_the_outline_keeps_its_distance_from_the_body_behind_a_hand() -> None:
    truth = dressed(LEG)
    labels = truth.copy()
    labels[HAND] = ARM
    found = behind_arms(labels, drawn(person())[:3], HIPS, TALL)
    assert (found >= 0).sum() > 0 and not (found == ARM).any()
    both = (found >= 0) | (truth >= 0)
    assert ((found >= 0) != (truth >= 0))[both].mean() < 0.003
    np.testing.assert_array_equal(found[labels != ARM], labels[labels != ARM])


def test_what_is_hidden_is_the_part_that_is_seen_beside_it() -> None:
    labels = dressed(LEG)
    labels[HAND] = ARM
    found = behind_arms(labels, drawn(person())[:3], HIPS, TALL)
    assert (found[72:78, 30:40] == TORSO).all() and (found[84:92, 30:40] == LEG).all()


def test_a_skirt_and_no_leg_in_it_goes_on_behind_a_hand() -> None:
    labels = dressed(CLOTH)
    labels[HAND] = ARM
    labels[90, 44:46] = LEG  # a speck
    found = behind_arms(labels, drawn(person()), HIPS, TALL)
    assert (found[84:92, 30:40] == CLOTH).all()


def test_notches_between_fingers_are_no_outline() -> None:
    labels = dressed(LEG)
    for row in range(72, 92, 5):
        labels[row : row + 3, 20:44] = ARM  # fingers that reach farther in than the cloth's edge
    found = behind_arms(labels, drawn(person())[:3], HIPS, TALL)
    edge = (found >= 0)[70:95].argmax(1)
    assert np.abs(np.diff(edge)).max() <= 2


def test_arms_above_the_waist_are_left_alone() -> None:
    labels = dressed(LEG)
    labels[5:25, 20:50] = ARM
    np.testing.assert_array_equal(behind_arms(labels, drawn(person())[:3], HIPS, TALL), labels)


def test_a_coat_goes_on_behind_arms_that_cross_it() -> None:
    truth = dressed(CLOTH)
    area = np.zeros((H, W), bool)
    area[12:26, 10:110] = True  # forearms, wider than the coat
    labels = np.where(area, ARM, truth)
    parts = drawn(person())
    body = parts[TORSO].maps

    def found(depth: float) -> np.ndarray:
        forearm = _maps(Part("left_arm_lower", (), (), ()), area, depth)
        return behind_arms(labels, [parts[0], forearm, *parts[2:]], HIPS, TALL)

    crossing = found(float(body.near[20, 60]) - 0.1)
    assert (crossing[12:26] == TORSO).sum() > 0 and not (crossing == ARM).any()
    assert ((crossing >= 0) != (truth >= 0)).mean() < 0.01
    behind = found(float(body.near[20, 60]) + 0.3)
    np.testing.assert_array_equal(behind, labels)
