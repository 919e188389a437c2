"""Spoiling: the same seed gives the same frames, and every fault has the size it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.evaluate import spoil
from svad.evaluate.spoil import drift, lost_frames, misjudged, spoilt, wobble
from svad.evaluate.truth import Truth
from svad.evaluate.views import heads
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.types import Clip, Pose


@pytest.fixture
def long(truth: Truth) -> Clip:
    """Twenty frames, so that one is lost."""
    return truth.turning[[i % len(truth.turning.rgb) for i in range(20)]]


def test_perfect_frames_are_left_alone_and_other_words_refused(truth: Truth):
    clip = truth.turning
    assert spoilt(clip, heads(truth, clip), "perfect", 3) is clip
    with pytest.raises(ValueError, match="perfect, generated, clip"):
        spoilt(clip, heads(truth, clip), "worn", 3)


@pytest.mark.parametrize("kind", ["generated", "clip"])
def test_the_seed_decides(truth: Truth, kind: str):
    clip = truth.turning
    first, again, other = (spoilt(clip, heads(truth, clip), kind, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.rgb, again.rgb)
    np.testing.assert_array_equal(first.matte, again.matte)
    assert torch.equal(first.poses.rotations, again.poses.rotations)
    assert (first.rgb != other.rgb).any()
    np.testing.assert_array_equal(first.weight, clip.weight)
    assert (first.rgb != clip.rgb).any()


def test_a_place_moves_three_pixels_at_most_and_smoothly():
    moves = wobble(8, 540, 540, spoil.WOBBLE, np.random.default_rng(0))
    far = np.linalg.norm(moves, axis=-1)
    np.testing.assert_allclose(far.reshape(8, -1).max(1), 3, rtol=1e-5)
    assert np.abs(np.diff(moves, axis=1)).max() < 0.15  # px per px: nothing folds over
    assert 0.5 < far.mean() < 2.5


def test_one_frame_in_twenty_is_lost(truth: Truth, long: Clip):
    rng = np.random.default_rng(0)
    assert len(set(lost_frames(60, rng).tolist())) == 3
    assert len(lost_frames(6, rng)) == 0
    done = spoilt(long, heads(truth, long), "generated", 0)
    error = np.abs(done.rgb.astype(float) - long.rgb).mean((1, 2, 3))
    assert (error > 4 * np.median(error)).sum() == 1


def test_generated_frames_are_soft_tinted_and_have_a_soft_outline(truth: Truth, long: Clip):
    done = spoilt(long, heads(truth, long), "generated", 1)
    partly = [((m > 12) & (m < 243)).sum() for m in (long.matte, done.matte)]
    # at a sixth of the usual size an outline of 2 px is a third of a pixel
    assert partly[1] > 1.1 * partly[0]
    curves = drift(60, 3, np.random.default_rng(2))
    assert np.abs(curves).max() <= 1 and np.ptp(curves, axis=0).min() > 1
    assert np.abs(np.diff(curves, axis=0)).max() < 0.25


def test_only_a_face_that_is_seen_drifts(truth: Truth):
    clip = truth.turning
    nothing = np.zeros((len(clip.rgb), 3))
    with_face, without = (
        spoilt(clip, faces, "generated", 4).rgb for faces in (heads(truth, clip), nothing)
    )
    rows = np.flatnonzero((with_face != without).any((0, 2, 3)))
    high = np.flatnonzero(clip.matte.any((0, 2)))
    assert len(rows) and rows.max() < high[0] + 0.45 * (high[-1] - high[0])


def test_a_tracker_is_two_degrees_off():
    still = Pose(torch.zeros(200, 55, 3), torch.zeros(200, 3), torch.zeros(200, 4))
    start = replace(still, rotations=still.rotations + 0.3)
    found = misjudged(start, np.random.default_rng(0)).rotations
    off = matrix_to_axis_angle(rodrigues(start.rotations).mT @ rodrigues(found))
    degrees = torch.rad2deg(off[:, : spoil.BODY_JOINTS].norm(dim=-1))
    assert degrees.square().mean().sqrt() == pytest.approx(2, abs=0.01)
    assert torch.equal(found[:, spoil.BODY_JOINTS :], start.rotations[:, spoil.BODY_JOINTS :])


def test_film_is_grainy_but_stays_where_it_is(truth: Truth):
    clip = truth.turning
    done = spoilt(clip, heads(truth, clip), "clip", 0)
    np.testing.assert_array_equal(done.matte, clip.matte)
    error = np.abs(done.rgb.astype(float) - clip.rgb).mean()
    assert 0.5 < error < 12  # levels: noise of 3, exposure of up to 8 % of the person
