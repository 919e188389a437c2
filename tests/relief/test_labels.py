"""Which limb group a pixel shows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.relief.hand_pixels import Hand, forearm_is_bare, hand_hulls, tidy_hand, with_skin
from svad.relief.labels import (
    PartMaps,
    label_pixels,
    nearest_part,
    parted_by_light,
    without_holes,
    without_slivers,
)
from svad.types import Subject
from tests.relief.people import drawn_parts, subject_of
from tests.subject.people import SKIN, TROUSERS, pose_of

TORSO, LEFT_ARM = 0, 1


@pytest.fixture(scope="module")
def drawn(subject: Subject, body: BodyModel) -> list[PartMaps]:
    return drawn_parts(subject, body)[0]


def disc(subject: Subject, center: np.ndarray, radius: float) -> np.ndarray:  # [H, W] bool
    rows, columns = np.indices(subject.matte.shape)
    return np.hypot(columns + 0.5 - center[0], rows + 0.5 - center[1]) < radius


def is_skin(rgb: np.ndarray) -> np.ndarray:  # [H, W] bool
    return np.abs(rgb.astype(int) - SKIN).max(-1) < 60


def hip_hand(subject: Subject) -> tuple[np.ndarray, Hand]:
    """A bare hand painted on the trousers of the left hip [H, W, 3], and where it was found."""
    knuckles = subject.keypoints[11, :2] - (0, 6)
    skin = disc(subject, knuckles, 6.5)
    rgb = subject.photo.rgb.copy()
    rgb[skin] = SKIN
    hull = disc(subject, knuckles, 10.0)  # reaches over the cloth around the hand
    return rgb, Hand(hull, subject.keypoints[9, :2], subject.keypoints[7, :2])


def labelled(subject: Subject, drawn: list[PartMaps], **more: object) -> np.ndarray:
    height = float(np.ptp(subject.keypoints[:17, 1])) * 1.1
    rgb = more.pop("rgb", subject.photo.rgb)
    return label_pixels(rgb, subject.matte > 127, drawn, height, **more)


def test_labels_follow_the_body_and_end_with_the_matte(
    subject: Subject, drawn: list[PartMaps]
) -> None:
    labels, front = labelled(subject, drawn), nearest_part(drawn)
    np.testing.assert_array_equal(labels >= 0, subject.matte > 127)
    both = (labels >= 0) & (front >= 0)
    assert (labels == front)[both].mean() > 0.96
    assert set(np.unique(labels)) == set(range(-1, len(drawn)))


def test_every_part_is_in_one_piece(subject: Subject, drawn: list[PartMaps]) -> None:
    labels = labelled(subject, drawn)
    for i in range(len(drawn)):
        mask = (labels == i).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        sizes = np.sort(stats[1:, cv2.CC_STAT_AREA])
        assert sizes[-1] > 0.95 * sizes.sum()


def test_cloth_beyond_the_body_goes_to_the_limb_it_hangs_on(
    subject: Subject, drawn: list[PartMaps]
) -> None:
    sleeve = disc(subject, subject.keypoints[7, :2] + (6, 0), 7.0) & (drawn[0].maps.near_face < 0)
    rgb = subject.photo.rgb.copy()
    rgb[sleeve] = rgb[int(subject.keypoints[7, 1]) - 8, int(subject.keypoints[7, 0])]
    inside = (subject.matte > 127) | sleeve
    labels = label_pixels(rgb, inside, drawn, 230.0)
    assert (labels[sleeve] == LEFT_ARM).mean() > 0.95


def test_a_hand_on_the_hip_goes_to_its_arm_and_the_cloth_does_not(
    subject: Subject, drawn: list[PartMaps]
) -> None:
    rgb, hand = hip_hand(subject)
    skin = is_skin(rgb) & (subject.matte > 127)
    labels = labelled(subject, drawn, rgb=rgb, hands={LEFT_ARM: hand}, skin=skin)
    shown = skin & hand.area
    cloth = hand.area & ~cv2.dilate(skin.astype(np.uint8), np.ones((3, 3))).astype(bool)
    cloth &= labels >= 0
    assert shown.sum() > 100 and cloth.sum() > 60
    assert (labels[shown] == LEFT_ARM).mean() > 0.9
    assert (labels[cloth] != LEFT_ARM).mean() > 0.9
    without = labelled(subject, drawn, rgb=rgb)
    assert (without[shown] == LEFT_ARM).mean() < 0.5  # the body alone does not know


def test_what_a_hand_encloses_is_the_hand_s() -> None:
    labels = np.full((20, 20), -1, np.int32)
    labels[2:18, 2:10] = 2  # a leg
    labels[4:14, 8:16] = 1  # a hand at its side
    labels[6:9, 11:14] = 2  # a dark palm
    labels[10:12, 11:13] = -1  # light between the fingers
    wanted = labels.copy()
    wanted[6:9, 11:14] = 1
    np.testing.assert_array_equal(without_holes(labels, (1,)), wanted)
    np.testing.assert_array_equal(without_holes(labels, ()), labels)


def test_a_strap_between_the_legs_is_none_of_them_alone() -> None:
    labels = np.full((120, 60), -1, np.int32)
    labels[:, 5:25], labels[:, 25:50] = 3, 4
    labels[40:90, 30:33] = 3  # a strap amid the other leg
    labels[5:20, 30:33] = 3
    labels[95:110, 40:42] = 3
    labels[20:90, 50:53] = 1  # a finger at its side
    hand = np.zeros(labels.shape, bool)
    hand[90:] = True
    wanted = np.where((labels == 3) & (np.arange(60) >= 25) & ~hand, 4, labels)
    wanted[:30] = labels[:30]
    np.testing.assert_array_equal(without_slivers(labels, (3, 4), hand, 30, 500.0), wanted)


def test_light_parts_an_arm_from_the_trunk() -> None:
    labels = np.full((120, 60), TORSO, np.int32)
    labels[:, 40:] = LEFT_ARM
    labels[30:90, 36:38] = -1  # light, beyond which the next two columns are still the trunk's
    hand = np.zeros(labels.shape, bool)
    found = parted_by_light(labels, [LEFT_ARM], hand, 500.0)
    np.testing.assert_array_equal(found < 0, labels < 0)
    assert (found[32:88, 38:] == LEFT_ARM).all() and (found[:, :36] == TORSO).all()
    assert (found[:20, 38:40] == TORSO).all()  # no light there
    hand[:] = True
    np.testing.assert_array_equal(parted_by_light(labels, [LEFT_ARM], hand, 500.0), labels)


def test_a_gloved_hand_is_taken_whole(subject: Subject, drawn: list[PartMaps]) -> None:
    rgb, hand = hip_hand(subject)
    rgb[hand.area] = (240, 220, 40)  # no skin in sight, and sleeves down to the wrist
    arm = nearest_part(drawn) == LEFT_ARM
    rgb[arm] = (180, 40, 50)
    skin = is_skin(rgb) & (subject.matte > 127)
    assert not forearm_is_bare(hand, skin)
    labels = labelled(subject, drawn, rgb=rgb, hands={LEFT_ARM: hand}, skin=skin)
    assert (labels[hand.area] == LEFT_ARM).mean() > 0.8


def test_a_hand_that_something_hides_gets_no_pixels_but_its_elbow_does(
    subject: Subject, drawn: list[PartMaps]
) -> None:
    hand = (nearest_part(drawn) == LEFT_ARM) & (drawn[LEFT_ARM].hand > 0.5)
    assert (nearest_part(drawn, (LEFT_ARM,)) != LEFT_ARM)[hand].all()
    hidden = drawn[LEFT_ARM]
    hidden = replace(hidden, hand=np.where(hidden.maps.covered, 1, 0))  # a hand up to the shoulder
    pocket = labelled(subject, [drawn[TORSO], hidden, *drawn[2:]], handless=(LEFT_ARM,))
    assert (pocket != LEFT_ARM).all()
    plain = labelled(subject, drawn)
    beside = np.argwhere((plain[:, :-4] == TORSO) & (plain[:, 4:] == LEFT_ARM))
    y, x = beside[len(beside) // 2]  # the trunk's, but a hair from the arm
    seen = labelled(subject, drawn, elbows={LEFT_ARM: np.array([x, y])})
    assert seen[y, x] == LEFT_ARM


def test_hair_that_a_hand_is_held_to_stays_the_head_s() -> None:
    """Sleeve, hand, and hair on both sides of the hand, of which the arm first took one."""
    rgb = np.full((120, 120, 3), (30, 20, 25), np.uint8)  # hair
    rgb[70:, 20:60] = (240, 240, 240)  # the sleeve
    skin = np.zeros((120, 120), bool)
    skin[40:70, 34:46] = True
    rgb[skin] = (200, 150, 120)
    labels = np.zeros((120, 120), np.int32)
    labels[:, :60] = 1
    labels[70:, 60:] = 0
    hand = Hand(skin.copy(), np.array([40.0, 66.0]), np.array([40.0, 116.0]))
    tidied = tidy_hand(labels, 1, rgb, skin, hand, 600.0)
    assert (tidied[skin] == 1).all()
    assert (tidied[75:110, 24:56] == 1).all()  # the sleeve
    assert (tidied[45:62, 50:58] == 0).all() and (tidied[45:62, 26:30] == 0).all()


def test_bare_forearms_are_told_from_sleeves(subject: Subject) -> None:
    _, hand = hip_hand(subject)
    assert forearm_is_bare(hand, is_skin(subject.photo.rgb))
    assert not forearm_is_bare(hand, np.zeros(subject.matte.shape, bool))
    away = Hand(hand.area, hand.wrist + 1000, hand.elbow + 1000)  # outside the picture
    assert not forearm_is_bare(away, np.ones(subject.matte.shape, bool))


def test_hulls_hold_their_landmarks_and_are_empty_without() -> None:
    points = np.zeros((133, 3), np.float32)
    points[[9, 7, 10, 8], :2] = (50, 60), (30, 20), (120, 60), (140, 20)
    points[91:112] = np.random.default_rng(0).uniform((40, 60, 0.9), (60, 80, 1), (21, 3))
    hands = hand_hulls(points, (100, 160), grow=2)
    x, y = np.round(points[91:112, :2]).astype(int).T
    assert hands["left"].area[y, x].all() and hands["left"].area.sum() < 900
    assert not hands["right"].area.any()
    np.testing.assert_array_equal(hands["right"].elbow, (140, 20))


def test_more_skin_than_a_hand_has_is_cloth_of_its_colour() -> None:
    tall, inside = 400, np.ones((200, 200), bool)
    lost = Hand(~inside, np.array([100.0, 82.0]), np.array([100.0, 10.0]))
    away = np.hypot(*(np.indices(inside.shape) - 100))
    hand = with_skin(lost, away < 15, inside, tall)
    assert (hand.area == (away < 15)).mean() > 0.99
    assert not with_skin(lost, away < 30, inside, tall).area.any()


def test_each_part_is_drawn_behind_what_hides_it(body: BodyModel) -> None:
    crossed = subject_of(pose_of({18: (0, -95, 0), 16: (0, -25, -70)}), face=False, head=False)
    drawn, _ = drawn_parts(crossed, body)
    forearm = next(i for i, p in enumerate(drawn) if p.part.name == "left_arm_lower")
    over = (nearest_part(drawn) == forearm) & (drawn[TORSO].weight > 0.5)
    assert over.sum() > 60  # the forearm lies before the belly, and the belly is known all the same
    assert (drawn[TORSO].maps.near[over] > drawn[forearm].maps.near[over]).all()
    labels = labelled(crossed, drawn)
    assert (labels[nearest_part(drawn) == forearm] == forearm).mean() > 0.8


def test_crop_is_a_part_of_all_maps(drawn: list[PartMaps]) -> None:
    box = np.s_[40:90, 60:120]
    part = drawn[TORSO].crop(box)
    np.testing.assert_array_equal(part.weight, drawn[TORSO].weight[box])
    np.testing.assert_array_equal(part.maps.near, drawn[TORSO].maps.near[box])


def test_trousers_and_skin_are_different_colours() -> None:
    """The tests above mean something only while this holds."""
    assert not is_skin(np.array([[TROUSERS]], np.uint8)).any()
