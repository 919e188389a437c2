"""Depth of a layer and how it closes at its outline."""

from __future__ import annotations

import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.relief.surface import body_surface, closed, feather_out, local_radius, outline_distance
from svad.types import Subject
from tests.relief.people import drawn_parts, px_per_m


def bar(width: int = 21) -> np.ndarray:  # [60, 60] bool
    mask = np.zeros((60, 60), bool)
    mask[:, 20 : 20 + width] = True
    return mask


def test_closed_profile_rises_from_the_outline_to_the_middle() -> None:
    mask = bar()
    middle, half = np.full(mask.shape, 4.0, np.float32), np.full(mask.shape, 0.1, np.float32)
    near, far, profile = closed(middle, half, mask, px_per_m=100)
    row = profile[30, 20:41]
    assert (np.diff(row[:11]) >= -1e-6).all() and (np.diff(row[10:]) <= 1e-6).all()
    assert row[0] < 0.4 and row[10] == pytest.approx(1, abs=0.01)
    assert profile.min() >= 0 and profile.max() <= 1
    np.testing.assert_allclose((near + far) / 2, middle, atol=1e-6)
    assert (far - near)[30, 30] == pytest.approx(0.2, abs=0.002)
    np.testing.assert_array_equal((far - near)[~mask], 0)


def test_border_of_the_picture_is_no_outline() -> None:
    distance = outline_distance(bar())
    np.testing.assert_allclose(distance[0], distance[30])
    _, _, profile = closed(np.ones((60, 60)), np.full((60, 60), 0.1), bar(), 100.0)
    np.testing.assert_allclose(profile[0], profile[30], atol=1e-6)


@pytest.mark.parametrize("width", [9, 21, 31])
def test_local_radius_is_half_the_width_of_a_bar(width: int) -> None:
    radius = local_radius(outline_distance(bar(width)))
    assert radius[30, 20 + width // 2] == pytest.approx(width / 2, abs=0.15 * width + 0.5)


def test_feather_rises_from_nothing_to_one() -> None:
    out = feather_out(bar(), 5.0)
    assert (out[bar()] == 0).all() and (out[:, 50] == 1).all()
    assert (np.diff(out[30, 40:]) >= 0).all()


@pytest.mark.parametrize("part", [0, 1, 3])
def test_surface_follows_the_body_and_goes_on_over_its_clothes(
    subject: Subject, body: BodyModel, part: int
) -> None:
    drawn, height = drawn_parts(subject, body)
    p = drawn[part]
    mask = p.maps.covered & (p.weight > 0.5)
    tight = body_surface(p, mask, px_per_m(subject), height)
    ok = tight.trusted & mask
    assert ok.sum() > 100
    truth = (p.maps.near[ok] + p.maps.far[ok]) / 2
    assert np.abs(tight.middle[ok] - truth).mean() < 0.012
    assert (tight.half[mask] > 0).all() and np.isfinite(tight.middle).all()
    loose = feather_out(mask, 6) < 1  # cloth six pixels off the body
    wide = body_surface(p, loose, px_per_m(subject), height)
    assert np.median(wide.half[ok]) > 1.05 * np.median(tight.half[ok])
    assert np.ptp(wide.middle[loose]) < np.ptp(p.maps.near[mask]) + 0.3


def test_hair_wider_than_the_head_lies_behind_the_face(subject: Subject, body: BodyModel) -> None:
    drawn, height = drawn_parts(subject, body)
    p = drawn[0]
    mask = p.maps.covered & (p.weight > 0.5)
    head = np.ones(mask.shape, np.float32)
    tight = body_surface(p, mask, px_per_m(subject), height, head)
    loose = body_surface(p, feather_out(mask, 6) < 1, px_per_m(subject), height, head)
    ok = tight.trusted & mask
    grown = [
        float(np.median((loose.middle + k * loose.half - tight.middle - k * tight.half)[ok]))
        for k in (-1, 1)
    ]
    assert abs(grown[0]) < 0.003 and grown[1] > 0.006


def test_a_hand_is_not_much_thicker_than_wide_and_has_an_even_depth(
    subject: Subject, body: BodyModel
) -> None:
    drawn, height = drawn_parts(subject, body)
    p, scale = drawn[1], px_per_m(subject)
    hand = p.maps.covered & (p.hand > 0.9)
    arm = (p.maps.covered & (p.hand < 0.5)) | (hand & (np.indices(hand.shape)[1] % 4 < 2))
    found = body_surface(p, arm, scale, height)
    wide = local_radius(outline_distance(arm)) / scale
    fingers = hand & arm & (outline_distance(hand) > 1)
    assert fingers.sum() > 20
    body_half = (p.maps.far - p.maps.near)[fingers] / 2
    assert np.median(body_half / wide[fingers]) > 3
    assert np.median(found.half[fingers] / wide[fingers]) < 2.2
    near, far = (np.where(hand, depth, 0) for depth in (p.maps.near, p.maps.far))
    steps = np.abs(np.diff((near + far) / 2, axis=1))
    even = np.abs(np.diff(found.middle, axis=1))
    both = hand[:, 1:] & hand[:, :-1]
    assert even[both].max() < 0.5 * steps[both].max()
