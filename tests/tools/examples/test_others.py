"""People beside the examples: builds between those of others, a beard, a scarf, a bag."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial import cKDTree

from svad.body.skeleton import JOINTS
from svad.face.landmarks import IBUG, Ibug
from tests.tools.truth.surfaces import plain
from tools.examples.builds import BUILDS_FILE
from tools.examples.carried import headscarf, shoulder_bag
from tools.examples.dressing import hip_middle
from tools.examples.figure import Figure, girth_direction, make_figure
from tools.examples.hair import Head, beard, growth
from tools.examples.others import EVERYBODY, OTHERS
from tools.examples.people import PEOPLE, bare_figure
from tools.examples.tailor import ARM, Garment, both
from tools.truth.binding import surface_weights
from tools.truth.kinds import KINDS
from tools.truth.stances import STANCES

BELOW_BROWS = slice(Ibug.NOSE_BRIDGE, IBUG)  # eyes, nose, mouth
BUILDS = json.loads(BUILDS_FILE.read_text("utf-8"))


@pytest.fixture(scope="module")
def figure() -> Figure:
    return bare_figure(OTHERS["amina"])


def test_everybody_is_somebody_and_builds_are_shares_of_known_ones():
    assert len(EVERYBODY) == len(PEOPLE) + len(OTHERS)
    for name, person in OTHERS.items():
        assert person.name == name and set(person.build) <= set(BUILDS) and not person.first
        assert sum(person.build.values()) == pytest.approx(1)
    assert len({person.seed for person in EVERYBODY.values()}) == len(EVERYBODY)


def test_kinds_name_people_and_stances_that_are_there():
    for kind in KINDS.values():
        assert kind.stance in STANCES and set(kind.people) <= set(EVERYBODY) and kind.people
    worn = {name for kind in KINDS.values() if kind.worn for name in kind.people}
    assert worn == set(OTHERS)


def test_a_fuller_body_is_wider_and_hardly_taller():
    betas = np.array(BUILDS["kenji"])
    slim, full = (make_figure(b, {}, {}) for b in (betas, betas + 0.05 * girth_direction()))
    belly = slim.weight("spine1", "spine2") > 0.9
    middle = slim.rest_joints[JOINTS.index("spine1"), [0, 2]]
    wide = [np.linalg.norm(f.rest[belly][:, [0, 2]] - middle, axis=1).mean() for f in (slim, full)]
    assert 0.03 < wide[1] - wide[0] < 0.07  # metres
    tall = [np.ptp(f.rest[:, 1]) for f in (slim, full)]
    assert abs(tall[1] - tall[0]) < 0.03


def test_a_beard_grows_round_the_mouth_and_not_on_it(figure: Figure):
    head = Head(figure)
    density = beard(head)
    assert (density > 0.5).sum() > 60 and not (density * growth(head, OTHERS["omar"].style)).any()
    lips = figure.rest_landmarks[60:68].mean(0)
    assert density[np.linalg.norm(figure.rest - lips, axis=1) < 0.006].max() == 0


def test_a_headscarf_leaves_the_face_free_and_covers_the_crown(figure: Figure):
    scarf = headscarf(figure, plain, 0.012)[0]
    tree = cKDTree(scarf.vertices)
    assert tree.query(figure.landmarks[BELOW_BROWS])[0].min() > 0.008  # metres
    top = figure.vertices[figure.vertices[:, 1].argmax()]
    assert tree.query(top)[0] < 0.03 and scarf.vertices[:, 1].max() > top[1]


def test_a_strap_lies_on_what_is_worn_and_ends_at_the_bag(figure: Figure):
    skin = Garment(
        vertices=figure.vertices, faces=figure.faces, flat=figure.vertices, rest=figure.rest
    )
    strap, bag, _ = shoulder_bag(figure, skin, plain, plain)
    assert bag.vertices[:, 0].min() > 0.08 and (bag.vertices.mean(0) - hip_middle(figure))[1] < 0
    assert strap.vertices[:, 1].min() < bag.vertices[:, 1].max()
    assert strap.vertices[:, 1].max() > figure.joint("neck")[1] - 0.02
    trunk = figure.vertices[figure.weight("spine2", "spine3") > 0.9]
    height = figure.joint("spine3")[1]
    level = np.abs(trunk[:, 1] - height) < 0.02
    band = np.abs(strap.vertices[:, 1] - height) < 0.02
    assert strap.vertices[band, 2].max() > np.quantile(trunk[level, 2], 0.5)
    arms = surface_weights(bag, figure)[:, [JOINTS.index(name) for name in both(ARM)]]
    assert arms.sum(1).max() < 0.02  # the hand is near, and does not take it along
