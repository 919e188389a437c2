"""Closed layers: what they cover, what lies before what, and how they end."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.relief.hiding import OVERLAP_GAP
from svad.relief.labels import PartMaps, label_pixels
from svad.relief.layer import Layer
from svad.relief.layers import (
    behind_hands,
    bounding_box,
    build_layers,
    hidden_bridge,
)
from svad.relief.weights import folded
from svad.types import Subject
from tests.relief.people import drawn_parts, px_per_m, subject_of
from tests.subject.people import pose_of

POSES = {
    "standing": {},
    "arm before the belly": {18: (0, -95, 0), 16: (0, -25, -70)},
    "arm behind the back": {18: (0, 80, 0), 16: (0, 45, -70)},
    "crossed legs": {1: (-10, 0, -14), 2: (8, 0, 14)},
}


class Cut:
    """A person cut into layers."""

    def __init__(self, subject: Subject, body: BodyModel) -> None:
        self.drawn, self.height = drawn_parts(subject, body)
        self.inside = subject.matte > 127
        self.labels = label_pixels(subject.photo.rgb, self.inside, self.drawn, self.height)
        rows = tuple(float(subject.keypoints[pair, 1].mean()) for pair in ([5, 6], [11, 12]))
        self.layers = build_layers(
            self.labels, self.drawn, folded(body.weights.numpy()), rows, px_per_m(subject),
            self.height,
        )  # fmt: skip

    def full(self, layer: Layer, field: np.ndarray, outside: float) -> np.ndarray:  # [H, W]
        """A layer's field over the whole photo."""
        out = np.full(self.labels.shape, outside, field.dtype)
        out[layer.box] = field
        return out

    def shown(self) -> np.ndarray:  # [H, W] metres
        """Depth of what the photo shows, inf outside the person."""
        out = np.full(self.labels.shape, np.inf, np.float32)
        for i, layer in enumerate(self.layers):
            out = np.where(self.labels == i, self.full(layer, layer.near, np.inf), out)
        return out


@pytest.fixture(scope="module", params=POSES.values(), ids=POSES.keys())
def cut(request: pytest.FixtureRequest, body: BodyModel) -> Cut:
    return Cut(subject_of(pose_of(request.param), face=False, head=False), body)


def test_every_pixel_of_the_person_is_covered_by_its_own_layer(cut: Cut) -> None:
    owned = np.zeros(cut.labels.shape, int)
    for i, layer in enumerate(cut.layers):
        own, mask = (cut.full(layer, m, False) for m in (layer.own, layer.mask))
        np.testing.assert_array_equal(own, cut.labels == i)
        assert not (own & ~mask).any()
        assert not (mask & ~cut.inside).any()
        owned += own
    np.testing.assert_array_equal(owned, cut.inside)


def test_no_layer_lies_before_the_one_the_photo_shows(cut: Cut) -> None:
    shown = cut.shown()
    for i, layer in enumerate(cut.layers):
        near = cut.full(layer, np.where(layer.mask, layer.near, np.inf), np.inf)
        other = np.isfinite(near) & (cut.labels != i)
        assert (near[other] >= shown[other] + OVERLAP_GAP - 1e-5).all()


def test_nothing_shines_through_where_a_flank_is_steep(cut: Cut) -> None:
    """Splats overlap their neighbours: other layers lie behind those of the pixels beside, too."""
    for i, layer in enumerate(cut.layers):
        mine = cut.labels == i
        near = np.where(mine, cut.full(layer, layer.near, -np.inf), -np.inf).astype(np.float32)
        deepest = cv2.dilate(near, np.ones((3, 3), np.uint8))
        for other in (one for k, one in enumerate(cut.layers) if k != i):
            depth = cut.full(other, np.where(other.mask, other.near, np.inf), np.inf)
            both = mine & np.isfinite(depth)
            assert (depth[both] > deepest[both]).all()


def test_every_layer_has_a_front_and_a_back(cut: Cut) -> None:
    for layer in cut.layers:
        assert (layer.far > layer.near)[layer.mask].all()
        assert np.isfinite(layer.near).all() and np.isfinite(layer.far).all()
        if layer.own.any():
            assert np.ptp(layer.near[layer.own]) < 1.0  # a limb, not a spike


def test_layers_close_at_the_outline_of_the_person(cut: Cut) -> None:
    deep = cv2.distanceTransform(cut.inside.astype(np.uint8), cv2.DIST_L2, 5)
    for layer in cut.layers:
        gap = layer.far - layer.near
        rim = layer.own & (deep[layer.box] < 1.2)
        if rim.sum() < 100:  # half a limb, mostly before or behind the rest
            continue
        core = layer.own & (deep[layer.box] > 0.6 * deep[layer.box][layer.own].max())
        assert np.median(gap[rim]) < 0.6 * np.median(gap[core])


def test_thickness_is_that_of_a_body(cut: Cut) -> None:
    torso = cut.layers[0]
    gap = (torso.far - torso.near)[torso.own]
    assert 0.12 < np.quantile(gap, 0.9) < 0.35
    for layer in (one for one in cut.layers[1:] if one.own.any()):
        limb = (layer.far - layer.near)[layer.own]
        assert 0.01 < np.median(limb) < 0.2


def test_weights_sum_to_one_and_the_arms_do_not_pull_at_the_belly(cut: Cut) -> None:
    for layer in cut.layers:
        for w in (layer.near_weights, layer.far_weights):
            np.testing.assert_allclose(w.sum(-1), 1, atol=1e-3)
            assert w.min() >= 0
    torso = cut.layers[0]
    low = torso.own & (np.arange(len(torso.own)) > len(torso.own) * 0.7)[:, None]
    assert torso.near_weights[low][:, [16, 17, 18, 19, 20, 21]].max() < 1e-3


def test_a_hidden_belly_is_filled_behind_the_arm(body: BodyModel) -> None:
    cut = Cut(subject_of(pose_of(POSES["arm before the belly"]), face=False, head=False), body)
    torso = cut.layers[0]
    forearm = next(i for i, p in enumerate(cut.drawn) if p.part.name == "left_arm_lower")
    hidden = cut.full(torso, torso.mask & ~torso.own, False) & (cut.labels == forearm)
    over_body = (cut.labels == forearm) & (cut.drawn[0].weight > 0.55)
    assert hidden.sum() > 0.5 * over_body.sum() > 30


def test_a_gap_in_a_limb_is_bridged_only_if_it_joins_two_pieces(
    subject: Subject, body: BodyModel
) -> None:
    drawn, _ = drawn_parts(subject, body)
    arm: PartMaps = drawn[1]
    area = arm.maps.covered & (arm.weight > 0.55)
    inside = subject.matte > 127
    rows = np.arange(len(area))[:, None]
    middle = int(np.flatnonzero(area.any(1)).mean())
    strip = area & (np.abs(rows - middle) < 5)
    own = area & ~strip & inside
    bridge = hidden_bridge(arm, own, np.where(inside, 0, -1), inside)
    assert (bridge & strip & inside).sum() > 0.8 * (strip & inside).sum()
    below = own & (rows < middle)  # the arm ends at the strip: nothing to join
    assert not hidden_bridge(arm, below, np.where(inside, 0, -1), inside).any()


def test_bounding_box_has_a_margin_and_stays_in_the_picture() -> None:
    mask = np.zeros((30, 40), bool)
    mask[2:10, 20:39] = True
    assert bounding_box(mask, 4) == (slice(0, 14), slice(16, 40))
    rows, columns = bounding_box(np.zeros((30, 40), bool), 4)
    assert mask[rows, columns].shape == (4, 4)


def test_hair_goes_on_behind_a_hand_at_the_head_and_nowhere_else() -> None:
    labels = np.full((200, 100), -1, np.int32)
    labels[10:60, 20:80] = 0  # the head with its hair
    labels[20:50, 34:44] = 1  # a hand before it
    labels[80:180, 30:70] = 0  # the torso
    labels[100:160, 40:46] = 1  # a forearm before it
    labels[60:80, 5:20] = 1  # an arm beside it
    found = behind_hands(labels == 0, labels, 80.0, 400.0)
    assert found[20:50, 34:44].all()
    assert not found[60:].any() and not found[labels != 1].any()
