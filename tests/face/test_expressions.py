"""The names of expressions: none twice, and none is used that is not among them."""

from __future__ import annotations

import numpy as np
import pytest

from svad.body.free import load_free_body
from svad.face.expressions import ARKIT, BLINKS
from svad.motion.authored import authored
from svad.motion.rig import Skeleton


def test_there_are_52_with_two_sides_each_where_a_side_is_named() -> None:
    assert len(ARKIT) == len(set(ARKIT)) == 52
    for name in ARKIT:
        if name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            assert name.replace("Left", "Right") in ARKIT
    assert set(BLINKS) < set(ARKIT)


def test_the_default_body_shows_all_but_glances_and_tongue() -> None:
    shown = {name for name in ARKIT if not name.startswith(("eyeLook", "tongueOut"))}
    assert set(load_free_body().expression_names) == shown


@pytest.mark.parametrize("name", authored())
def test_motions_ask_for_expressions_that_exist(name: str) -> None:
    body = load_free_body()
    skeleton = Skeleton(body.joint_template.double().numpy(), tuple(body.parents))
    track = authored()[name].author(skeleton, np.arange(8) / 8)
    assert set(track.expression) <= set(ARKIT)
