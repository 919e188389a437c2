"""Cloth around both legs: how it follows them, where no leg is looked for."""

from __future__ import annotations

import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.body.skeleton import HIPS, KNEES, LARGE, Joint
from svad.geometry.zbuffer import DepthMaps
from svad.relief.drape import CLEAR, ROUND, Drape, eased, flared
from svad.relief.labels import PartMaps
from svad.relief.skirt import SKIRT, Skirt
from svad.relief.surface import Surface

TORSO, CLOTH, ARM = 0, 1, 2
WIDE = 0.3  # metres from the middle to the side of the loop


@pytest.fixture(scope="module")
def joints(body: BodyModel) -> np.ndarray:
    return body.rest(np.zeros(10, np.float32)).joints.numpy()


@pytest.fixture(scope="module")
def drape(joints: np.ndarray) -> Drape:
    hips, ankles = joints[list(HIPS)].mean(0), joints[[Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE]].mean(0)
    height, angle = np.meshgrid(np.linspace(-0.1, 0.9, 60), np.linspace(0, 2 * np.pi, 80))
    xyz = hips + height.reshape(-1, 1) * (ankles - hips)
    xyz[:, 0] += WIDE * np.cos(angle).ravel()
    xyz[:, 2] += WIDE * np.sin(angle).ravel()
    return Drape.around(xyz, joints, (TORSO, CLOTH))


def across(drape: Drape, y: float, n: int = 201) -> np.ndarray:  # [n, 22]
    """Weights from the person's right to the left, in front of the legs."""
    xyz = np.zeros((n, 3))
    xyz[:, 0] = drape.joints[list(HIPS), 0].mean() + np.linspace(-WIDE, WIDE, n)
    xyz[:, 1], xyz[:, 2] = y, 0.2
    return drape.weights(xyz, np.full((n, LARGE), 1 / LARGE), np.full(n, CLOTH))


def test_cloth_passes_smoothly_from_one_leg_to_the_other(drape: Drape) -> None:
    shins = drape.joints[list(KNEES), 1].mean() - 0.25
    weights = across(drape, shins)
    left, right = (weights[:, [HIPS[k], KNEES[k]]].sum(1) for k in (0, 1))
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    assert left[-1] > 0.99 and right[0] > 0.99
    assert abs(left[100] - 0.5) < 0.1  # the knees need not lie evenly beside the middle
    assert (np.diff(left) > -1e-6).all() and np.diff(left).max() < 0.02
    assert ((weights > 1e-6).sum(1) <= 4).all()  # all that skinning keeps


def test_cloth_hangs_from_the_pelvis_and_follows_knees_below_them(drape: Drape) -> None:
    hips, knees = drape.joints[list(HIPS), 1].mean(), drape.joints[list(KNEES), 1].mean()
    high, low = across(drape, hips + 0.12), across(drape, knees - 0.25)
    assert high[:, Joint.PELVIS].min() > 0.8
    assert low[:, KNEES].sum(1).min() > 0.8
    thighs = across(drape, (hips + knees) / 2)
    assert thighs[100, Joint.PELVIS] > thighs[0, Joint.PELVIS]  # slack between the legs


def test_only_cloth_below_the_waist_is_hung(drape: Drape, joints: np.ndarray) -> None:
    xyz = np.stack([joints[Joint.SPINE3], joints[Joint.LEFT_KNEE], joints[Joint.PELVIS]])
    before = np.eye(LARGE)[[Joint.SPINE3, Joint.LEFT_WRIST, Joint.SPINE1]]
    after = drape.weights(xyz, before, np.array([TORSO, ARM, TORSO]))
    np.testing.assert_array_equal(after[:2], before[:2])
    assert after[2, Joint.PELVIS] > 0.5


def test_a_hand_presses_no_dent() -> None:
    push = np.zeros((40, 40), np.float32)
    push[18:22, 18:22] = 0.1
    soft = eased(push, 8)
    assert (soft >= push).all() and soft[0, 0] < 0.005
    assert np.abs(np.diff(soft, axis=0)).max() < 0.03  # the push itself steps by 0.1


def hung(waist: int) -> tuple[Surface, np.ndarray, slice]:
    """A straight skirt 40 px wide at 100 px a metre, below a waist of some other width.

    The body in it is 0.2 m deep at the seat and 0.1 m below. Also the skirt's mask, and the rows
    of it that lie below the hips.
    """
    h, w, top = 200, 80, 50
    mask = np.zeros((h, w), bool)
    mask[20:top, 40 - waist // 2 : 40 + waist // 2] = True
    mask[top:180, 20:60] = True
    depth = np.where(np.arange(h) < 80, 0.1, 0.05)[:, None] * np.ones((h, w), np.float32)
    legs = np.zeros((h, w), bool)
    legs[40:170, 25:55] = True
    faces, bary = np.where(legs, 0, -1), np.zeros((h, w, 3), np.float32)
    near, far = np.where(legs, 4 - depth, np.inf), np.where(legs, 4 + depth, -np.inf)
    maps = DepthMaps(near, far, faces, faces, bary, bary)
    part = PartMaps(SKIRT, maps, legs * 1.0, np.zeros((1, 3), int), 0.0 * legs)
    flat = np.ones((h, w), np.float32)
    surface = Surface(4 * flat, 0.1 * flat, legs)
    skirt = Skirt(mask, top=top, hem=179, legs_from=170)
    box = (slice(0, h), slice(0, w))
    return flared(surface, part, mask, box, skirt, 100.0, 200.0), mask, slice(110, 165)


@pytest.mark.parametrize("waist", [16, 40])
def test_a_straight_skirt_does_not_flare_whatever_the_waist(waist: int) -> None:
    surface, mask, low = hung(waist)
    half = surface.half[low][mask[low]]
    assert half.max() < max(ROUND[0] * 0.20, 0.1 + CLEAR) + 0.01
    np.testing.assert_allclose(surface.middle[low], 4, atol=0.01)


def test_cloth_hangs_from_the_seat_past_thinner_legs() -> None:
    surface, mask, low = hung(40)
    assert (surface.half[low][mask[low]] > 0.1).all()
