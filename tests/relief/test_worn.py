"""Where sleeves end, told by both sides together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.skeleton import MIRROR, Joint
from svad.geometry.camera import Camera
from svad.relief.parts import Part
from svad.relief.worn import (
    TIP,
    Seen,
    View,
    arm_skin,
    clothes_end,
    hand_colour,
    limb_places,
    limbs_worn,
)

SLEEVE, SKIN, FACE = (0.2, 0.3, 0.6), (0.8, 0.6, 0.5), np.array([0.9, 0.7, 0.6], np.float32)
H, W, BONE = 120, 100, 40  # px, px, px of a bone; a pixel is a centimetre, five metres away
ROOT, MIDDLE, TIP_JOINT = Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST


def camera() -> Camera:
    return Camera(np.eye(3), np.zeros(3), (500.0, 500.0), (W / 2, 0.0), W, H)


def arms() -> tuple[np.ndarray, dict[int, View]]:  # joints [55, 3]
    """Two arms that hang straight down at columns 20 and 80, shoulders at row 10."""
    joints = np.zeros((55, 3), np.float32)
    views = {}
    for i, (side, column) in enumerate((("left", 80), ("right", 20))):
        chain = [ROOT, MIDDLE, TIP_JOINT]
        chain = chain if side == "left" else [MIRROR[j] for j in chain]
        for k, joint in enumerate(chain):
            joints[joint] = ((column - W / 2) / 100, (10 + k * BONE) / 100, 5)
        part = Part(f"{side}_arm", tuple(chain), ((chain[0], chain[1]), (chain[1], chain[2])), ())
        box = (slice(10, 110), slice(column - 8, column + 8))
        shape = (100, 16)
        views[i] = View(part, box, np.full(shape, 5, np.float32), np.ones(shape, bool))
    return joints, views


def picture(*ends: float) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3], [H, W] bool
    """Sleeves of the left and the right arm that end so many bones from the shoulder."""
    rgb = np.full((H, W, 3), SLEEVE, np.float32)
    for half, end in zip((np.s_[50:], np.s_[:50]), ends, strict=True):
        rgb[round(10 + end * BONE) :, half] = SKIN
    return rgb, (rgb == np.float32(SKIN)).all(-1)


def ends_of(views: dict[int, View], rgb: np.ndarray, skin: np.ndarray | None) -> list[float]:
    joints, _ = arms()
    hands = np.ones((H, W), bool)
    worn = limbs_worn(views, rgb, skin, hands, camera(), joints)
    return [worn[i].end for i in sorted(worn)]


def test_places_count_bones_from_the_root_and_mirror_each_other() -> None:
    joints, views = arms()
    left, right = (limb_places(view, camera(), joints) for view in views.values())
    wanted = np.tile((np.arange(100)[:, None] + 0.5) / BONE, 16)
    np.testing.assert_allclose(left[..., 0], wanted, atol=1e-5)
    np.testing.assert_allclose(left, right[:, ::-1], atol=1e-5)
    assert left[0, -1, 1] * left[0, 0, 1] < 0


def test_half_a_limb_counts_from_the_whole_one_s_root() -> None:
    joints, views = arms()
    whole = limb_places(views[0], camera(), joints)
    part = replace(views[0].part, name="left_arm_lower", bones=views[0].part.bones[1:])
    lower = limb_places(replace(views[0], part=part), camera(), joints)
    np.testing.assert_allclose(lower[50:], whole[50:], atol=1e-5)


@pytest.mark.parametrize("end", [0.0, 0.5, 1.4, TIP])
def test_a_sleeve_ends_where_skin_begins(end: float) -> None:
    _, views = arms()
    assert ends_of(views, *picture(end, end)) == pytest.approx([end, end], abs=0.05)


def test_sides_that_are_well_seen_may_differ() -> None:
    _, views = arms()
    assert ends_of(views, *picture(0.5, 1.5)) == pytest.approx([0.5, 1.5], abs=0.05)


def test_a_hidden_side_wears_what_the_other_wears() -> None:
    _, views = arms()
    sure = views[1].sure.copy()
    sure[:60] = False  # skin alone is seen of it
    views[1] = replace(views[1], sure=sure)
    assert ends_of(views, *picture(1.5, 1.5)) == pytest.approx([1.5, 1.5], abs=0.05)


def test_without_a_face_all_is_cloth() -> None:
    _, views = arms()
    rgb, _ = picture(0.5, 0.5)
    assert ends_of(views, rgb, None) == [TIP, TIP]


def test_an_end_that_is_not_seen_lies_in_the_middle() -> None:
    place = np.stack([np.repeat([0.2, 1.6], 30), np.zeros(60)], 1)
    seen = Seen(place, np.zeros((60, 3)), np.repeat([False, True], 30))
    assert clothes_end([seen], TIP) == pytest.approx(0.92, abs=0.06)


def test_gloves_are_worn_by_hands_that_were_found_without_skin() -> None:
    joints, views = arms()
    rgb, skin = picture(3.0, 3.0)
    for found, gloved in ((True, True), (False, False)):
        worn = limbs_worn(views, rgb, skin, np.full((H, W), found), camera(), joints)
        assert [one.gloved for one in worn.values()] == [gloved, gloved]
        colour = hand_colour(list(worn.values()), FACE)
        assert colour is None if gloved else (colour == FACE).all()


def test_hands_have_the_colour_of_the_one_that_is_seen_and_of_the_face() -> None:
    joints, views = arms()
    rgb, skin = picture(2.0, 3.0)
    worn = limbs_worn(views, rgb, skin, np.ones((H, W), bool), camera(), joints)
    colour = hand_colour(list(worn.values()), FACE)
    np.testing.assert_allclose(colour, (SKIN + FACE) / 2, atol=1e-6)
    np.testing.assert_allclose(hand_colour(list(worn.values()), None), SKIN, atol=1e-6)


def test_skin_is_that_of_both_arms_and_the_face_however_much_is_seen_of_each() -> None:
    joints, views = arms()
    rgb, skin = picture(0.0, 0.0)
    rgb[:, :50] = 0.4 * np.array(SKIN)  # one arm in the shade, of the other one less is seen
    sure = views[0].sure.copy()
    sure[30:] = False
    views[0] = replace(views[0], sure=sure)
    worn = limbs_worn(views, rgb, skin, np.zeros((H, W), bool), camera(), joints)
    np.testing.assert_allclose(arm_skin(list(worn.values()), FACE), SKIN, atol=1e-6)
    assert arm_skin(list(worn.values()), None) is None
    sleeves = limbs_worn(views, rgb, ~skin, np.zeros((H, W), bool), camera(), joints)
    assert arm_skin(list(sleeves.values()), FACE) is None
