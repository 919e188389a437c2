"""Tests of the example people: bodies, hair, clothes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from svad.body.free import load_free_body
from tools.examples import styles
from tools.examples.builds import BUILDS_FILE, PHENOTYPES
from tools.examples.cloth import border
from tools.examples.figure import Figure, make_figure
from tools.examples.garments import Top, make_top
from tools.examples.hair import Head, brows, grow, growth, lashes
from tools.examples.people import PEOPLE
from tools.examples.shoes import Shoe, make_shoe
from tools.examples.tailor import Tailor, finished

BUILDS = json.loads(BUILDS_FILE.read_text("utf-8"))


@pytest.fixture(scope="module")
def figure() -> Figure:
    """Kenji without clothes."""
    person = PEOPLE["kenji"]
    return make_figure(np.array(BUILDS["kenji"]), person.turns, person.expression, person.heel)


def test_everybody_has_a_build_of_their_own():
    assert set(BUILDS) == set(PEOPLE) == set(PHENOTYPES) and len(PEOPLE) >= 4
    betas = np.array(list(BUILDS.values()))
    assert betas.shape[1] == load_free_body().shape_dirs.shape[-1]
    apart = np.linalg.norm(betas[:, None] - betas[None], axis=2)
    assert apart[~np.eye(len(betas), dtype=bool)].min() > 1
    assert sum(person.first for person in PEOPLE.values()) == 1


def test_figures_stand_on_their_soles(figure):
    assert abs(figure.vertices[:, 1].min() - PEOPLE["kenji"].heel) < 1e-6
    assert 1.5 < np.ptp(figure.vertices[:, 1]) < 2.0
    assert figure.joint("left_wrist")[0] > 0.25 > figure.joint("left_hip")[0]


def test_hair_grows_on_the_scalp_and_nowhere_else(figure):
    head = Head(figure)
    density = growth(head, styles.CROP)
    assert 200 < (density > 0.5).sum() < len(figure.lists["head"])
    mouth = figure.rest_landmarks[48:68].mean(0)
    near = np.linalg.norm(figure.rest - mouth, axis=1) < 0.05
    assert density[near].max() == 0
    np.testing.assert_allclose(head.to_head(head.to_world(head.marks)), head.marks, atol=1e-9)


def test_strands_stay_outside_the_head(figure):
    head, rng = Head(figure), np.random.default_rng(0)
    field = head.field(0.008)
    small = styles.CROP.__class__(**{**vars(styles.CROP), "strands": 300})
    hair = grow(head, small, field, rng)
    assert hair.paths.shape == (300, small.steps, 3) and np.isfinite(hair.paths).all()
    length = np.linalg.norm(np.diff(hair.paths, axis=1), axis=2).sum(1)
    assert length.min() > 0.004 and length.max() < 0.12
    centre = head.to_world(np.array([[0, 0.04, 0.0]]))
    tips = np.linalg.norm(hair.paths[:, -1] - centre, axis=1)
    assert tips.min() > 0.05  # a skull's half width
    for drawn in (brows(head, rng), lashes(head, rng)):
        away = np.linalg.norm(drawn.paths[:, 0, None] - figure.landmarks[17:48], axis=2).min(1)
        assert away.max() < 0.025


def test_a_top_has_four_openings_and_a_rim(figure):
    tailor = Tailor(figure)
    top = make_top(tailor, Top())
    rim = border(top.faces)
    links = dict(rim.tolist())
    loops, left = 0, set(links)
    while left:
        here = left.pop()
        while links[here] in left:
            here = links[here]
            left.discard(here)
        loops += 1
    assert loops == 4  # neck, hem, two sleeves
    assert np.quantile(tailor.distance(top.vertices), 0.02) > 0.003  # outside the skin
    vertices, faces, rest, extra = finished(top, levels=0)
    assert len(vertices) == len(rest) == len(extra) and faces.max() < len(vertices)
    assert len(border(faces[:0])) == 0 and extra[:, 3].min() == 0


def test_shoes_stand_on_the_floor_round_the_foot(figure):
    shoe = make_shoe(figure, "left", Shoe(sole=PEOPLE["kenji"].heel))
    assert abs(shoe.vertices[:, 1].min()) < 0.004
    foot = figure.vertices[figure.lists["left_foot"]]
    low, high = shoe.vertices.min(0), shoe.vertices.max(0)
    assert (low[[0, 2]] < foot.min(0)[[0, 2]]).all() and (high[[0, 2]] > foot.max(0)[[0, 2]]).all()
    assert shoe.flat[:, 0].min() > -0.2 and shoe.flat[:, 0].max() < 1.2
