"""Skin weights of clothes: sums, and limbs that depend on the bone alone."""

from __future__ import annotations

import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.relief.build import Relief
from svad.relief.parts import parts_for
from svad.relief.weights import (
    LimbProfile,
    blend_range,
    bone_position,
    folded,
    limb_weights,
    surface_weights,
    top4,
)
from svad.types import Subject
from tests.relief.people import drawn_parts


@pytest.fixture(scope="module")
def weights(body: BodyModel) -> np.ndarray:  # [V, 22]
    return folded(body.weights.numpy())


def limb(subject: Subject, weights: np.ndarray, name: str) -> LimbProfile:
    part = next(p for p in parts_for(subject.body.pose.rotations[0].numpy()) if p.name == name)
    return LimbProfile(part, subject.body.vertices, subject.body.joints, weights)


def test_folding_loses_no_weight(body: BodyModel, weights: np.ndarray) -> None:
    assert weights.shape == (len(body.template), 22)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)
    fingers = body.weights.numpy()[:, 25:40].sum(1) > 0.9
    assert fingers.any() and (weights[fingers, 20] > 0.9).all()


@pytest.mark.parametrize("name", ["left_arm", "right_arm", "left_leg", "right_leg"])
def test_limb_weights_depend_on_the_place_along_the_bone_only(
    subject: Subject, weights: np.ndarray, name: str
) -> None:
    profile, joints = limb(subject, weights, name), subject.body.joints
    (a, b), _ = profile.bones
    axis = (joints[b] - joints[a]) / np.linalg.norm(joints[b] - joints[a])
    t = np.linspace(0, 0.45, 15)[:, None]  # nearer to the first bone than to the second
    on_bone = joints[a] + t * (joints[b] - joints[a])
    side = np.cross(axis, (0.3, 0.5, 0.8))
    w, along = profile(on_bone, joints)
    for away in (0.02, 0.1):
        moved, _ = profile(on_bone + away * side, joints)
        np.testing.assert_allclose(moved, w, atol=1e-4)
    np.testing.assert_allclose(along, t[:, 0], atol=1e-5)
    np.testing.assert_allclose(w.sum(1), 1, atol=1e-4)


@pytest.mark.parametrize(("name", "root", "outer"), [("left_leg", 1, 4), ("right_arm", 17, 19)])
def test_no_point_at_a_limb_s_root_follows_its_other_end(
    subject: Subject, weights: np.ndarray, name: str, root: int, outer: int
) -> None:
    profile, joints = limb(subject, weights, name), subject.body.joints
    low, high = blend_range(root)
    t = np.array([low - 0.1, low, (low + high) / 2, 1.0])[:, None]
    xyz = joints[root] + t * (joints[outer] - joints[root])
    seen = np.zeros((4, 22), np.float32)
    seen[:, (0, outer)] = 0.4, 0.6  # the knee lies before the hip in the picture
    out = limb_weights({3: (profile, (low, high))}, joints, xyz, seen, np.full(4, 3))
    np.testing.assert_allclose(out.sum(1), 1, atol=1e-5)
    assert (out[:3, outer] < 0.05).all() and (out[:2, root] > 0.5).all()
    assert out[3, outer] > 0.3


def test_weight_passes_from_the_upper_to_the_lower_bone(
    subject: Subject, weights: np.ndarray
) -> None:
    profile, joints = limb(subject, weights, "left_arm"), subject.body.joints
    points = np.concatenate(
        [np.linspace(joints[16], joints[18], 20), np.linspace(joints[18], joints[20], 20)]
    )
    w, _ = profile(points, joints)
    assert w[10, 16] > 0.9 and w[30, 18] > 0.9
    assert (np.diff(w[:, 16][8:32]) <= 0.02).all()  # never back again
    assert np.abs(np.diff(w, axis=0)).max() < 0.5  # no jump at the elbow


def test_bone_position_is_zero_at_the_start_and_one_at_the_end() -> None:
    start, end = np.array([1.0, 2, 3]), np.array([2.0, 2, 5])
    points = np.stack([start, end, (start + end) / 2, start + (0, 7, 0)])
    np.testing.assert_allclose(bone_position(points, start, end), [0, 1, 0.5, 0], atol=1e-9)


def test_top4_keeps_the_largest_and_sums_to_one() -> None:
    w = np.random.default_rng(0).dirichlet(np.full(22, 0.2), 200).astype(np.float32)
    ids, kept = top4(w)
    assert ids.shape == kept.shape == (200, 4)
    np.testing.assert_allclose(kept.sum(1), 1, atol=1e-5)
    assert (np.diff(kept, axis=1) <= 1e-7).all()
    best = np.sort(w, 1)[:, :-5:-1]
    np.testing.assert_allclose(np.take_along_axis(w, ids, 1), best, atol=1e-7)
    np.testing.assert_allclose(kept, best / best.sum(1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("far", [False, True])
def test_surface_weights_cover_the_whole_picture(
    subject: Subject, body: BodyModel, weights: np.ndarray, far: bool
) -> None:
    drawn, _ = drawn_parts(subject, body)
    p = drawn[1]
    known = p.maps.covered & (p.weight > 0.5)
    field = surface_weights(p, known, weights, 2.0, far=far)
    np.testing.assert_allclose(field.sum(-1), 1, atol=1e-4)
    assert field.min() >= 0
    arm = field[..., [13, 16, 18, 20]].sum(-1)
    assert arm[known].min() > 0.35  # the torso has its share at the shoulder
    assert np.median(arm[known]) > 0.9


def test_hands_and_feet_turn_with_wrists_and_ankles(relief: Relief, subject: Subject) -> None:
    points, joints = relief.points, relief.joints
    for layer, elbow, wrist in ((1, 18, 20), (2, 19, 21), (3, 4, 7), (4, 5, 8)):
        limb = points.select(points.layer == layer)
        t = bone_position(limb.xyz, joints[elbow], joints[wrist])
        end = limb.weights[t > 1.1][:, [wrist, wrist + 3] if wrist < 10 else [wrist]].sum(1)
        assert len(end) > 30 and np.median(end) > 0.85
        middle = limb.weights[(t > 0.3) & (t < 0.7)]
        assert np.median(middle[:, elbow]) > 0.9
