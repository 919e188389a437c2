"""Slopes of joints and landmarks against small steps."""

from __future__ import annotations

import numpy as np
import pytest

from svad.body.free import load_free_body
from svad.geometry.rotation import rodrigues_array
from svad.track.chain import OWN, PLACE, TILT, TURNS, Chain, left_jacobian
from svad.track.points import body_points
from tests.track.posed import turned


def standing() -> tuple[Chain, np.ndarray, np.ndarray]:
    """The chain, numbers of two frames, and marks."""
    random = np.random.default_rng(5)
    chain = Chain(body_points(load_free_body(), turned(np.zeros(1)).fit))
    own = np.zeros((2, OWN))
    own[:, 0] = 0.4, -2.0
    own[:, TURNS] = random.normal(0, 0.4, own[:, TURNS].shape)
    own[:, PLACE] = 0.1, -0.05, np.log(3.0)
    return chain, own, random.normal(0, 0.02, (len(chain.moved_by), 3))


def test_slopes_are_those_of_small_steps() -> None:
    chain, own, marks = standing()
    slopes = chain.slopes(chain.pose(own, marks))
    step = 1e-5
    for number in range(OWN):
        more = np.zeros(OWN)
        more[number] = step
        high, low = (chain.pose(own + sign * more, marks) for sign in (1, -1))
        found = np.concatenate([high.joints - low.joints, high.marks - low.marks], 1) / 2 / step
        # points on the skin follow several joints a little, and are taken to follow one
        exact = slice(0, 22 + 12)
        assert slopes[:, exact, :, number] == pytest.approx(found[:, exact], abs=1e-6)
        assert np.abs(slopes[..., number] - found).max() < 0.25 * max(np.abs(found).max(), 0.1)


def test_slopes_by_the_tilt_are_those_of_small_steps() -> None:
    chain, own, marks = standing()
    tilt, step = np.array([0.15, -0.1]), 1e-5
    slopes = chain.slopes(chain.pose(own, marks, tilt))
    for number, more in enumerate(step * np.eye(TILT)):
        high, low = (chain.pose(own, marks, tilt + sign * more) for sign in (1, -1))
        found = np.concatenate([high.joints - low.joints, high.marks - low.marks], 1) / 2 / step
        assert slopes[..., OWN + number] == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-6, 0.3, 3.0])
def test_a_rotation_changes_as_its_jacobian_says(size: float) -> None:
    angle = size * np.array([0.6, -0.48, 0.64])
    for axis in np.eye(3):
        ends = [rodrigues_array((angle + s * 1e-5 * axis)[None])[0] for s in (-1, 1)]
        turn = (ends[1] - ends[0]) / 2e-5 @ rodrigues_array(angle[None])[0].T
        wanted = left_jacobian(angle) @ axis
        assert [turn[2, 1], turn[0, 2], turn[1, 0]] == pytest.approx(wanted, abs=1e-6)
