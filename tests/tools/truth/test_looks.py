"""Stances put hands where they belong; a picture and its unseen sides are one person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from svad.body.skeleton import ARMS, Joint
from svad.core.errors import SvadError
from svad.evaluate.views import posed_joints
from tools.truth import looks
from tools.truth.kinds import shown_by
from tools.truth.person import MovingPerson
from tools.truth.stances import STANCES, posed, standing

QUIET = lambda *_: None  # noqa: E731


def joints(person: MovingPerson, stance: str) -> np.ndarray:  # [55, 3]
    return posed_joints(person.joints, person.parents, posed(person, stance))[0]


@pytest.mark.parametrize("stance", STANCES)
def test_bones_keep_their_lengths(person: MovingPerson, stance: str):
    places, rest = joints(person, stance), person.joints.double().numpy()
    for collar, shoulder, elbow, wrist in ARMS.values():
        for a, b in ((collar, shoulder), (shoulder, elbow), (elbow, wrist)):
            length = np.linalg.norm(rest[b] - rest[a])
            np.testing.assert_allclose(np.linalg.norm(places[b] - places[a]), length, atol=1e-5)


def test_hands_come_to_their_places(person: MovingPerson):
    pelvis, left, right = Joint.PELVIS, Joint.LEFT_WRIST, Joint.RIGHT_WRIST
    found = joints(person, "hand_at_hip")
    assert abs(found[left, 1] - found[pelvis, 1] - 0.08) < 0.01  # metres
    assert found[left, 0] < found[Joint.LEFT_ELBOW, 0]
    crossed = joints(person, "arms_crossed")
    assert crossed[left, 0] < 0 < crossed[right, 0] and (crossed[[left, right], 2] > 0.1).all()
    assert joints(person, "hand_at_head")[left, 1] > joints(person, "hand_at_head")[Joint.HEAD, 1]
    assert (joints(person, "behind_back")[[left, right], 2] < 0).all()
    sitting = joints(person, "sitting")
    assert (sitting[[Joint.LEFT_KNEE, Joint.RIGHT_KNEE], 2] > sitting[pelvis, 2] + 0.25).all()


def test_the_surface_beside_and_before_a_person_is_the_trunks(person: MovingPerson):
    found = standing(person)
    height = found.joint(Joint.SPINE2)[1]
    assert (
        -0.25 < found.beside("right", height) < -0.08 < 0.08 < found.beside("left", height) < 0.25
    )
    assert found.before(0.0, height, -1.0) < 0 < found.before(0.0, height)


def test_a_look_is_drawn_once_and_its_first_side_is_the_front(
    person: MovingPerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(looks, "kept_person", lambda name, cache: person)
    monkeypatch.setattr(looks, "PHOTO_HEIGHT", 96)
    monkeypatch.setattr(looks, "NOVEL", looks.NOVEL[:1])
    made = looks.look("turned", "kenji", 64, tmp_path, QUIET)
    monkeypatch.setattr(looks, "frame", None)  # a second drawing would fail
    again = looks.look("turned", "kenji", 64, tmp_path, QUIET)
    np.testing.assert_array_equal(made.sides.rgb, again.sides.rgb)
    assert made.photo.rgb.shape == (1, 96, 72, 3) and made.count == 8
    assert made.sides.rgb.shape == (16, 64, 64, 3)
    np.testing.assert_allclose(np.degrees(made.photo.yaw), [-looks.TURNED], atol=1e-4)
    np.testing.assert_allclose(np.abs(np.degrees(made.sides.yaw[[0, 4]])), [0, 180], atol=1e-4)
    wide = [np.ptp(np.flatnonzero(matte.any(0))) for matte in made.sides.matte[:8] > 127]
    assert wide[0] > 1.4 * wide[2] and wide[4] > 1.4 * wide[6]  # arms off: front and side
    for matte in made.sides.matte:
        assert not matte[[0, -1]].any() and not matte[:, [0, -1]].any()


def test_strangers_get_a_sentence(tmp_path: Path):
    with pytest.raises(SvadError, match="no flying here"):
        looks.look("flying", "ada", 64, tmp_path, QUIET)
    with pytest.raises(SvadError, match="no carl here"):
        looks.look("turned", "carl", 64, tmp_path, QUIET)
    assert shown_by("turned", ("ada",)) == ("ada",)
