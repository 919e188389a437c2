"""Hair that falls over an arm stays with the head."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.fallen_hair import fallen_hair, without_hair

H, W = 160, 100
HAIR, SHIRT, SKIN = (140, 80, 40), (60, 90, 160), (230, 180, 160)
ARM = np.s_[70:150, 70:90]


def person() -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # rgb, labels, face [478, 3]
    """A face, hair around it that falls over the shoulder, a trunk and an arm beside it."""
    rgb = np.full((H, W, 3), SHIRT, np.uint8)
    rgb[10:60, 25:75] = HAIR
    rgb[20:50, 35:65] = SKIN
    rgb[60:100, 60:80] = HAIR  # a strand, half of it before the arm
    labels = np.full((H, W), -1, np.int32)
    labels[10:60, 25:75] = 0
    labels[60:150, 30:70] = 0
    labels[60:100, 60:80] = 0
    labels[ARM] = 1
    x, y = np.meshgrid(np.linspace(35, 64, 22), np.linspace(20, 49, 22))
    face = np.zeros((478, 3), np.float32)
    face[:, :2] = np.stack([x, y], -1).reshape(-1, 2)[:478]
    return rgb, labels, face


def test_a_strand_before_an_arm_is_the_head_s() -> None:
    rgb, labels, face = person()
    skin = (rgb == SKIN).all(-1)
    out = without_hair(labels, [1], fallen_hair(labels, [1], rgb, skin, face))
    assert fallen_hair(labels, [1], rgb, skin, face)[64:97, 63:78].all()
    assert (out[72:97, 72:78] == 0).all() and (out[105:150, 72:88] == 1).all()
    assert (out[labels != 1] == labels[labels != 1]).all()


def test_a_sleeve_of_the_hair_s_colour_stays_the_arm_s() -> None:
    rgb, labels, face = person()
    rgb[60:] = HAIR
    hair = fallen_hair(labels, [1], rgb, (rgb == SKIN).all(-1), face)
    out = without_hair(labels, [1], hair)
    assert (out == labels).all()


def test_a_cuff_of_that_colour_which_no_hair_leads_to_stays() -> None:
    rgb, labels, face = person()
    rgb[60:100, 60:80] = SHIRT
    rgb[130:140, 70:90] = HAIR
    hair = fallen_hair(labels, [1], rgb, (rgb == SKIN).all(-1), face)
    out = without_hair(labels, [1], hair)
    assert (out == labels).all()


@pytest.mark.parametrize("missing", ["skin", "face"])
def test_without_a_face_nothing_is_known_of_hair(missing: str) -> None:
    rgb, labels, face = person()
    skin = (rgb == SKIN).all(-1)
    known = {"skin": skin, "face": face} | {missing: None}
    assert not fallen_hair(labels, [1], rgb, known["skin"], known["face"]).any()
