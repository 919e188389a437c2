"""A simple person who can move: skin, a shirt that is the trunk's skin moved out, a little hair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.geometry.camera import Camera
from tests.tools.truth.surfaces import plain
from tools.examples import styles
from tools.examples.figure import Figure
from tools.examples.hair import Head, grow
from tools.examples.make import photo_view
from tools.examples.people import PEOPLE, bare_figure
from tools.examples.picture import Piece
from tools.examples.skin import bare_body
from tools.examples.strands import ribbons
from tools.truth.person import MovingPerson, bind

KENJI = PEOPLE["kenji"]


@pytest.fixture(scope="session")
def figure() -> Figure:
    return bare_figure(KENJI)


@pytest.fixture(scope="session")
def pieces(figure: Figure) -> list[Piece]:
    """Skin, a shirt that is the trunk's skin moved out, and a little hair."""
    nothing = np.zeros(len(figure.vertices))
    skin = bare_body(figure, KENJI.tone, nothing, "000000", nothing > 0, levels=0)[0]
    trunk = figure.weight("spine1", "spine2", "spine3", "left_collar", "right_collar") > 0.5
    faces = figure.faces[trunk[figure.faces].all(1)]
    used, faces = np.unique(faces, return_inverse=True)
    out = figure.vertices[used] * [1.03, 1, 1.03]
    shirt = Piece(
        name="shirt", vertices=out, faces=faces.reshape(-1, 3), rest=figure.rest[used],
        material=plain,
    )  # fmt: skip
    style = replace(styles.CROP, strands=200)
    head = Head(figure)
    hair = grow(head, style, head.field(0.008), np.random.default_rng(0))
    return [skin, shirt, ribbons(hair, np.array([0.0, 1.5, 4.0]), KENJI.hair, "hair")]


@pytest.fixture(scope="session")
def camera(figure: Figure) -> Camera:
    return photo_view(KENJI, float(figure.vertices[:, 1].max()), 240)


@pytest.fixture(scope="session")
def person(figure: Figure, pieces: list[Piece], camera: Camera) -> MovingPerson:
    return bind(KENJI, figure, pieces, -camera.rotation.T @ camera.translation)
