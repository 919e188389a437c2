"""Arms over the rest of the person: whose a pixel at the edge is, and what lies under it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.relief.laps import EDGE, LAP, OUTLINE, lap_of, off_outline, with_photo_edges

H, W = 60, 80
TRUNK, ARM, HAND = 0, 4, 5  # numbers of parts
DARK, SKIN = (40, 40, 60), (220, 170, 140)


def scene(edge: int, cloth: tuple[int, int, int] = DARK) -> np.ndarray:  # [H, W, 3] uint8
    """Skin to the left of a column, cloth to the right; blurred as by a lens."""
    rgb = np.empty((H, W, 3), np.uint8)
    rgb[:, :edge], rgb[:, edge:] = SKIN, cloth
    return cv2.GaussianBlur(rgb, (0, 0), 0.7)


def labelled(edge: int) -> np.ndarray:  # [H, W] int32
    labels = np.full((H, W), -1, np.int32)
    labels[:, 10:edge], labels[:, edge:70] = ARM, TRUNK
    return labels


@pytest.mark.parametrize("off", [-EDGE + 1, -1, 0, 1, EDGE - 1])
def test_an_edge_of_labels_goes_to_that_of_the_photo(off: int) -> None:
    found = with_photo_edges(labelled(40 + off), [ARM], scene(40))
    np.testing.assert_array_equal(found, labelled(40))


def test_where_both_sides_look_alike_the_labels_stay() -> None:
    alike = tuple(v - 8 for v in SKIN)
    labels = labelled(42)
    np.testing.assert_array_equal(with_photo_edges(labels, [ARM], scene(40, alike)), labels)


def test_pixels_that_stay_on_their_side_keep_their_part() -> None:
    labels = labelled(40)
    labels[:30, 40:] = HAND - 2  # two parts beside the arm
    found = with_photo_edges(labels, [ARM], scene(40))
    np.testing.assert_array_equal(found, labels)


def test_edges_between_two_arms_and_outlines_stay() -> None:
    labels = labelled(40)
    labels[30:, 10:40] = HAND
    found = with_photo_edges(labels, [ARM, HAND], scene(30))
    assert (found[:, :38] == labels[:, :38]).all()  # no edge of the photo is near enough
    np.testing.assert_array_equal(found < 0, labels < 0)
    np.testing.assert_array_equal(with_photo_edges(labels, [7], scene(40)), labels)


def test_the_lap_of_a_layer_is_its_edge_inside_the_person() -> None:
    alpha = np.zeros((H, W), np.float32)
    alpha[:, 10:70] = 1
    mask = np.zeros((H, W), bool)
    mask[20:50, 10:40] = True  # its left edge is the person's outline
    lap = lap_of(mask, alpha)
    assert not lap[~mask].any() and not lap[:, : 10 + int(OUTLINE)].any()
    assert lap[30, 40 - int(LAP) : 40].all() and not lap[30, 20 : 40 - int(LAP) - 1].any()
    assert lap[20, 20:40].all() and lap[49, 20:40].all()


def test_borders_of_the_picture_are_outlines() -> None:
    clear = off_outline(np.ones((H, W), np.float32))
    assert not clear[:4].any() and not clear[:, -4:].any() and clear[6:-6, 6:-6].all()
