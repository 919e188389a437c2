"""A limb that points at the camera: its back has the material of its own place."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import Joint
from svad.geometry.camera import Camera
from svad.relief.layer import Layer
from svad.relief.parts import Part
from svad.relief.points import BACK, FRONT, Points
from svad.relief.round_limbs import with_materials
from svad.relief.scene import Scene
from svad.relief.shown import shown_of
from svad.relief.surface import Surface
from svad.relief.worn import Seen, Worn

SIDE = 20
SLEEVE, SKIN = (0.1, 0.2, 0.5), (0.8, 0.6, 0.5)


def forearm() -> tuple[Layer, Worn, np.ndarray, Camera]:
    """A hand half a metre ahead of its elbow, and a sleeve that the other arm shows."""
    full, flat = np.ones((SIDE, SIDE), bool), np.full((SIDE, SIDE), 2.5, np.float32)
    chain = Joint.LEFT_ELBOW, Joint.LEFT_WRIST
    part = Part("left_arm_lower", chain, (chain,), ())
    box, weights = (slice(0, SIDE), slice(0, SIDE)), np.zeros((SIDE, SIDE, 22), np.float32)
    surface = Surface(flat, 0 * flat, full)
    layer = Layer(part, box, full, full, ~full, full, surface, 0.0, flat, flat, weights, weights)
    joints = np.zeros((55, 3), np.float32)
    joints[Joint.LEFT_ELBOW, 2], joints[Joint.LEFT_WRIST, 2] = 3.0, 2.55
    place = np.full((SIDE, SIDE, 2), 2.1, np.float32)  # the hand's
    other = Seen(
        np.stack([np.linspace(0, 1.9, 200), np.zeros(200)], 1), np.tile(SLEEVE, (200, 1)),
        np.zeros(200, bool),
    )  # fmt: skip
    hand = Seen(place[full], np.tile(SKIN, (full.sum(), 1)), np.ones(full.sum(), bool))
    camera = Camera(np.eye(3), np.zeros(3), (100.0, 100.0), (SIDE / 2, SIDE / 2), SIDE, SIDE)
    return layer, Worn(place, 1.95, False, hand, other), joints, camera


def test_the_back_of_a_hand_that_points_at_the_camera_is_sleeve() -> None:
    layer, worn, joints, camera = forearm()
    rgb = np.full((SIDE, SIDE, 3), SKIN, np.float32)
    matte, skin = np.ones((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), bool)
    shown = shown_of(layer, rgb, matte, skin, np.ones((SIDE, SIDE), np.int32))
    scene = Scene(rgb, matte, camera, (0, 0), None, skin, 100.0, 200.0)
    depth = np.array([2.5, 2.5, 2.7, 3.0], np.float32)
    n = len(depth)
    points = Points(
        np.stack([0 * depth, 0 * depth, depth], 1), np.ones((n, 3)), np.ones((n, 4)),
        np.tile(np.float32(SKIN), (n, 1)), np.ones(n), np.zeros((n, 22)),
        np.full((n, 2), SIDE / 2), np.array([FRONT, BACK, BACK, BACK]), np.full(n, 2),
        np.array([True, False, False, False]),
    )  # fmt: skip
    out = with_materials(points, [layer] * 3, {2: (worn, shown)}, scene, joints)
    np.testing.assert_allclose(out.rgb[:2], points.rgb[:2])  # the hand itself
    np.testing.assert_allclose(out.rgb[2:], np.tile(SLEEVE, (2, 1)), atol=1e-5)
