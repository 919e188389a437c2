"""Sliders on the server move what the viewer's do, within the same limits."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from svad.body.skeleton import Joint
from svad.core.errors import SettingError
from svad.export.sliders import slid, sliders, values_of
from svad.motion.standing import standing
from svad.types import Avatar
from tests.helpers import tiny_avatar


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(200)


def test_a_turn_of_the_head_is_shared_with_the_neck(avatar: Avatar) -> None:
    """About the own axes, and nothing else moves."""
    rest = replace(standing(avatar).poses, rotations=torch.zeros(1, 55, 3))
    turned = slid(avatar, rest, {"turn": 30.0}).rotations[0]
    both = turned[Joint.NECK] + turned[Joint.HEAD]
    assert torch.allclose(both, torch.tensor([0.0, math.radians(30), 0.0]), atol=1e-5)
    others = [joint for joint in Joint if joint not in (Joint.NECK, Joint.HEAD)]
    assert torch.allclose(turned[others], torch.zeros(1))


def test_arms_are_the_two_arms(avatar: Avatar) -> None:
    pose = standing(avatar).poses
    both = slid(avatar, pose, {"left_arm": 70.0, "right_arm": 70.0})
    assert torch.allclose(both.rotations, slid(avatar, pose, {"arms": 70.0}).rotations, atol=1e-5)
    assert not torch.allclose(both.rotations, pose.rotations, atol=0.1)


def test_expressions_add_up_and_go_either_way(avatar: Avatar) -> None:
    pose, names = standing(avatar).poses, avatar.expression_names

    def shown(values: dict[str, float]) -> dict[str, float]:
        face = slid(avatar, pose, values).expression[0]
        return {name: float(v) for name, v in zip(names, face, strict=True) if v}

    up = sliders()["smile"].up
    known = {name: 0.5 for name in up if name in names}
    assert known and shown({"smile": 0.5}) == known
    assert shown({"smile": -1.0}) == {n: 1.0 for n in sliders()["smile"].down if n in names}
    assert shown({names[0]: 1.0}) == {names[0]: 1.0}


def test_an_avatar_without_a_face_opens_its_jaw_by_the_joint(avatar: Avatar) -> None:
    blank = replace(
        avatar, expression_names=(), expression_ids=avatar.expression_ids[:0],
        expression_dirs=avatar.expression_dirs[:0, :0],
    )  # fmt: skip
    pose = replace(standing(avatar).poses, expression=torch.zeros(1, 0))
    jaw = slid(blank, pose, {"jaw": 1.0}).rotations[0, Joint.JAW]
    assert torch.allclose(jaw, torch.tensor([math.radians(20), 0, 0]), atol=1e-5)
    with pytest.raises(SettingError, match="smile moves nothing"):
        slid(blank, pose, {"smile": 1.0})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tur": 1.0}, "no slider named tur. Choose from turn, nod"),
        ({"brow": 1.0}, "such as jawOpen, mouthSmileLeft"),
        ({"turn": 61.0}, "turn goes from -60 to 60; 61 was given"),
        ({"jaw": math.nan}, "jaw goes from 0 to 1"),
        ({"jawOpen": 7.0}, "jawOpen goes from 0 to 1"),
    ],
)
def test_what_cannot_be_is_a_sentence(avatar: Avatar, values: dict, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        slid(avatar, standing(avatar).poses, values)


def test_values_are_read_from_words() -> None:
    assert values_of(["turn=20, smile=.5", "nod = -3"]) == {"turn": 20, "smile": 0.5, "nod": -3}
    for word in ("turn", "turn=far", "=3", "turn=inf", ""):
        with pytest.raises(SettingError, match="name=value"):
            values_of([word])
    with pytest.raises(SettingError, match="turn is given twice"):
        values_of(["turn=20", "smile=1,turn=30"])
