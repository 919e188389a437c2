"""The matte: sharp, complete, without wall, shadow or gaps filled in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.body import coco
from svad.subject.matte import from_alpha, person_matte, refine
from svad.subject.scene import face_inside
from tests.subject.people import Person, person, pose_of


def soft_mask(matte: np.ndarray, blur: float = 5.0) -> np.ndarray:
    """What a detector would give: blurred, a little uncertain."""
    return cv2.GaussianBlur(matte.astype(np.float32) / 255, (0, 0), blur)


def cut(one: Person, rgb: np.ndarray | None = None, soft: np.ndarray | None = None) -> np.ndarray:
    soft = soft_mask(one.matte) if soft is None else soft
    return person_matte(one.rgb if rgb is None else rgb, soft, one.keypoints)


def wrong(found: np.ndarray, true: np.ndarray) -> float:
    """Share of the person's area that is on the wrong side."""
    return float(((found > 127) != (true > 127)).sum() / (true > 127).sum())


def test_plain_wall_gives_a_nearly_perfect_matte() -> None:
    one = person()
    matte = cut(one)
    assert wrong(matte, one.matte) < 0.008
    assert np.abs(matte.astype(int) - one.matte).mean() < 0.5


def test_rim_is_soft_for_a_pixel_or_two_only() -> None:
    matte = cut(person())
    soft = (matte > 5) & (matte < 250)
    edge = cv2.morphologyEx((matte > 127).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    assert 0.2 < soft.sum() / edge.sum() < 1.6
    assert not soft[cv2.dilate(edge, np.ones((5, 5))) == 0].any()


def test_gap_between_arm_and_body_is_wall() -> None:
    one = person(pose_of({17: (70, 0, 30), 19: (0, 95, 0)}))  # hand on hip
    matte = cut(one)
    holes, _, stats, _ = cv2.connectedComponentsWithStats((one.matte < 10).astype(np.uint8), 4)
    assert holes > 2  # the gap is closed all round
    assert wrong(matte, one.matte) < 0.01


def test_pale_clothes_on_a_pale_wall_are_kept() -> None:
    one = person()
    rgb = one.rgb.copy()
    shirt = (rgb[..., 0] > 1.8 * rgb[..., 2]) & (rgb[..., 0] > 1.8 * rgb[..., 1])
    grey = rgb[..., 0].astype(np.float32)
    rgb[shirt] = np.clip(165 + 0.4 * grey[shirt], 0, 255).astype(np.uint8)[:, None]
    matte = cut(one, rgb)
    torso = cv2.erode((one.matte > 127).astype(np.uint8), np.ones((9, 9))) > 0
    assert (matte[torso] > 127).mean() > 0.99


def test_shadow_on_the_floor_is_left_out() -> None:
    one = person()
    rgb = one.rgb.astype(np.float32)
    shadow = np.zeros(one.matte.shape, np.float32)
    feet = one.keypoints[[17, 19, 20, 22], :2].mean(0)
    cv2.ellipse(shadow, (int(feet[0]) + 40, int(feet[1])), (80, 12), 0, 0, 360, 1, -1)
    shadow = cv2.GaussianBlur(shadow, (0, 0), 6)
    wall = 1 - one.matte[..., None] / 255.0
    rgb *= 1 - 0.35 * shadow[..., None] * wall
    matte = cut(one, rgb.astype(np.uint8))
    dark = (shadow > 0.3) & (one.matte < 5)
    assert (matte[dark] > 127).mean() < 0.03
    assert wrong(matte, one.matte) < 0.01


def test_busy_background_stays_out() -> None:
    one = person()
    noise = np.random.default_rng(0).uniform(0, 255, (26, 18, 3)).astype(np.float32)
    wall = cv2.resize(noise, one.rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    alpha = one.matte[..., None] / 255.0
    rgb = np.clip(one.rgb * alpha + wall * (1 - alpha), 0, 255).astype(np.uint8)
    assert wrong(cut(one, rgb), one.matte) < 0.06


def test_cable_behind_the_legs_is_dropped() -> None:
    one = person()
    rgb = one.rgb.copy()
    y = int(one.keypoints[[13, 15], 1].mean())
    behind = one.matte[y : y + 3] < 128
    rgb[y : y + 3][behind] = 20
    matte = cut(one, rgb)
    left = int(one.keypoints[16, 0] - 25)
    assert (matte[y : y + 3, :left] > 127).mean() < 0.02


def test_refine_moves_a_rough_rim_onto_the_edge() -> None:
    rgb = np.full((80, 80, 3), 210, np.uint8)
    cv2.circle(rgb, (40, 40), 20, (30, 60, 90), -1, cv2.LINE_AA)
    rough = np.zeros((80, 80), np.float32)
    cv2.circle(rough, (41, 42), 20, 1, -1)
    matte = refine(rgb, rough)
    true = np.zeros((80, 80), np.uint8)
    cv2.circle(true, (40, 40), 20, 255, -1, cv2.LINE_AA)
    assert wrong(matte, true) < 0.02


def sole() -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # picture, guess, whether it is the sole
    """A dark shoe on a grey wall with a pale sole below it that the guess leaves out."""
    rgb = np.full((90, 90, 3), 173, np.float32)
    rgb[20:50, 20:70] = (40, 30, 35)
    rgb[50:53, 20:70] = (214, 212, 210)
    rgb = cv2.GaussianBlur(rgb, (0, 0), 0.6) + np.random.default_rng(0).normal(0, 1.5, rgb.shape)
    guess = np.zeros((90, 90), np.float32)
    guess[20:50, 20:70] = 1
    shown = np.zeros((90, 90), bool)
    shown[50:52, 24:66] = True
    return np.clip(rgb, 0, 255).astype(np.uint8), guess, shown


def test_a_pale_sole_below_a_dark_shoe_is_the_person() -> None:
    rgb, guess, shown = sole()
    assert (refine(rgb, guess)[shown] > 200).mean() > 0.95


def test_before_a_wall_that_is_not_quiet_a_pale_strip_tells_nothing() -> None:
    rgb, guess, shown = sole()
    stripes = np.where(np.arange(90) // 5 % 2, 25, -25)[:, None, None] * (guess[..., None] == 0)
    rgb = np.clip(rgb + stripes, 0, 255).astype(np.uint8)
    assert (refine(rgb, guess)[shown] > 200).mean() < 0.5


@pytest.mark.parametrize("share", [0.0, 0.35])
def test_what_mixes_or_shades_the_wall_is_not_taken_whole(share: float) -> None:
    wall, hair = np.array([200, 195, 190]), np.array([40, 25, 20])
    rgb = np.full((90, 90, 3), wall, np.float32)
    rgb[20:50, 20:70] = hair
    rgb[50:54, 20:70] = share * hair + (1 - share) * wall  # strands, or nothing
    rgb[20:50, 70:74] = 0.8 * wall  # its shadow
    guess = np.zeros((90, 90), np.float32)
    guess[20:50, 20:70] = 1
    alpha = refine(rgb.astype(np.uint8), guess) / 255
    assert abs(alpha[51:53, 24:66].mean() - share) < 0.2
    assert alpha[24:46, 72:74].mean() < 0.2


def test_a_pale_hand_that_a_quiet_wall_cannot_be_is_kept() -> None:
    one = person()
    rgb, soft = one.rgb.astype(np.float32), soft_mask(one.matte)
    wall = np.median(rgb[one.matte == 0], 0)
    x, y = (int(v) for v in one.keypoints[coco.Keypoint.LEFT_WRIST, :2])
    hand = np.zeros(one.matte.shape, bool)
    hand[y - 6 : y + 14, x - 8 : x + 8] = True
    hand &= one.matte > 127
    rgb[hand] = wall + (14, 0, -14)  # skin nearly as bright as the wall
    soft[hand] = 0.5  # and the detector in doubt
    assert (cut(one, rgb.astype(np.uint8), soft)[hand] > 127).mean() > 0.9


def test_alpha_of_the_file_wins_only_if_it_is_the_person() -> None:
    one = person()
    soft = soft_mask(one.matte)
    given = from_alpha(one.matte, soft)
    assert given is not None and wrong(given, one.matte) < 1e-3
    frame = np.zeros_like(one.matte)
    frame[10:-10, 10:-10] = 255  # rounded corners or a border, not a person
    assert from_alpha(frame, soft) is None


def test_the_rim_stays_smooth_before_bricks() -> None:
    size = 240
    y, x = np.mgrid[:size, :size]
    true = np.hypot(x - 120, y - 120) < 80
    brick = ((y // 12 + (x // 30) % 2) % 2 * 90 + 60).astype(np.uint8)
    mortar = (y % 12 < 2) | ((x + 15 * (y // 12 % 2)) % 30 < 2)
    wall = np.stack([np.where(mortar, 235, brick + shift) for shift in (40, 10, 0)], -1)
    rgb = np.where(true[..., None], np.uint8([118, 96, 90]), wall).astype(np.uint8)
    rng = np.random.default_rng(0)
    rgb = np.clip(rgb + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)
    guess = cv2.GaussianBlur(true.astype(np.float32), (0, 0), 2.0)
    outline = cv2.findContours(
        (refine(rgb, guess) > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )[0]
    assert len(outline) == 1 and cv2.arcLength(outline[0], True) < 1.1 * 2 * np.pi * 80


def test_what_is_sure_stays_whatever_its_colour() -> None:
    rgb = np.full((80, 80, 3), 200, np.uint8)
    rgb[:, :40] = 60
    rgb[30:50, 36:40] = 200  # a cheek as bright as the wall behind it
    guess = np.zeros((80, 80), np.float32)
    guess[:, :40] = 1
    sure = np.zeros((80, 80), bool)
    sure[30:50, 30:40] = True
    assert refine(rgb, guess)[40, 38] < 128
    assert (refine(rgb, guess, sure)[sure] == 255).all()


def test_a_face_is_inside_its_outline() -> None:
    points = np.zeros((133, 3), np.float32)
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points[coco.FACE, :2] = 60 + 30 * np.stack([np.cos(turn), np.sin(turn)], 1)
    assert not face_inside(points, (120, 120)).any()  # no face was found
    points[coco.FACE, 2] = 1
    inside = face_inside(points, (120, 120))
    assert inside[60, 60] and not inside[60, 89] and 0.8 < inside.sum() / (np.pi * 900) < 1
