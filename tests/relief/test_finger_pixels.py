"""Fingers that are blurred into the cloth before which they hang go with the hand."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from svad.relief.finger_pixels import mixture, with_fingers
from svad.relief.hand_pixels import Hand

H, W, TALL = 160, 120, 500.0  # px
CLOTH, SKIN = np.array([0.7, 0.1, 0.55], np.float32), np.array([0.75, 0.5, 0.4], np.float32)
TRUNK, ARM = 0, 1
HAND = (slice(60, 90), slice(50, 66))  # what the labels have of it
FINGER = (slice(90, 93), slice(54, 58))  # blurred, still among the landmarks
BELOW = (slice(93, 97), slice(50, 66))  # in the hand's shade
DOWN = Hand(np.zeros((H, W), bool), np.array([58.0, 62.0]), np.array([58.0, 20.0]))


def scene(finger: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, Hand]:
    """Labels, picture and skin of an arm that hangs before cloth, and the hand found there."""
    labels = np.full((H, W), TRUNK, np.int32)
    labels[20:60, 52:64] = labels[HAND] = ARM
    rgb = np.broadcast_to(CLOTH, (H, W, 3)).copy()
    rgb[labels == ARM], rgb[FINGER], rgb[BELOW] = SKIN, finger, 0.5 * CLOTH
    area = np.zeros((H, W), bool)
    area[60:93, 50:66] = True
    return labels, rgb, labels == ARM, Hand(area, DOWN.wrist, DOWN.elbow)


def labelled(finger: np.ndarray, *, raised: bool = False, striped: bool = False) -> np.ndarray:
    labels, rgb, skin, hand = scene(finger)
    if striped:
        rgb[:, ::4][labels[:, ::4] == TRUNK] *= 0.3
    if raised:
        hand = Hand(hand.area, hand.elbow, hand.wrist)
    return with_fingers(labels, ARM, labels == ARM, rgb, skin, hand, TALL)


def test_blurred_fingers_are_the_hands() -> None:
    found = labelled(0.5 * CLOTH + 0.5 * SKIN)
    assert (found[FINGER] == ARM).all()
    assert (found[BELOW] == TRUNK).all()  # shade is the cloth's affair


def test_cloth_stays_cloth_in_any_light() -> None:
    for light in (0.4, 0.9):
        np.testing.assert_array_equal(labelled(light * CLOTH), scene(CLOTH)[0])


def test_raised_hands_and_patterned_cloth_are_left_alone() -> None:
    finger = 0.5 * CLOTH + 0.5 * SKIN
    labels = scene(finger)[0]
    np.testing.assert_array_equal(labelled(finger, raised=True), labels)
    np.testing.assert_array_equal(labelled(finger, striped=True), labels)


def test_a_hand_in_a_glove_has_no_colour_of_its_own_to_look_for() -> None:
    labels, rgb, skin, hand = scene(SKIN)
    found = with_fingers(labels, ARM, labels == ARM, rgb, skin & ~skin, hand, TALL)
    np.testing.assert_array_equal(found, labels)


def test_cloth_of_skins_hue_tells_no_fingers() -> None:
    labels, rgb, skin, hand = scene(0.5 * SKIN)
    rgb[labels == TRUNK] *= 0.8 * SKIN / CLOTH
    found = with_fingers(labels, ARM, labels == ARM, rgb, skin, hand, TALL)
    np.testing.assert_array_equal(found, labels)


def test_shares_are_those_of_non_negative_least_squares() -> None:
    rgb = np.random.default_rng(0).random((4, 5, 3))
    one, other, off = mixture(rgb, np.broadcast_to(CLOTH.astype(float), rgb.shape), SKIN)
    for y, x in np.ndindex(4, 5):
        shares, rest = nnls(np.stack([CLOTH, SKIN], 1), rgb[y, x])
        np.testing.assert_allclose((one[y, x], other[y, x], off[y, x]), (*shares, rest), atol=1e-4)
