"""Shapes of a talking mouth, mixed of those of the face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.export.visemes import VISEMES, with_visemes
from svad.face.expressions import ARKIT
from svad.types import SkinnedMesh
from tests.helpers import tiny_mesh


@pytest.fixture(scope="module")
def face() -> SkinnedMesh:
    mesh = tiny_mesh()
    dirs = np.random.default_rng(0).normal(0, 0.01, (len(mesh.expression_ids), 52, 3))
    return replace(mesh, expression_dirs=dirs.astype(np.float16))


def test_fifteen_under_the_names_that_programs_look_for(face: SkinnedMesh) -> None:
    shaped, names = with_visemes(face, ARKIT)
    sounds = "sil PP FF TH DD kk CH SS nn RR aa E I O U"
    assert names == (*ARKIT, *(f"viseme_{sound}" for sound in sounds.split()))
    assert shaped.expression_dirs.shape[1] == 67
    assert (shaped.expression_dirs[:, :52] == face.expression_dirs).all()


def test_each_is_its_mixture(face: SkinnedMesh) -> None:
    shaped, names = with_visemes(face, ARKIT)
    own = face.expression_dirs.astype(float)
    for name, mixture in VISEMES.items():
        wanted = sum(
            (share * own[:, ARKIT.index(shape)] for shape, share in mixture.items()),
            np.zeros_like(own[:, 0]),
        )
        # 3e-5: sums of a few hundredths of a metre, rounded to 16 bits
        np.testing.assert_allclose(shaped.expression_dirs[:, names.index(name)], wanted, atol=3e-5)
    jaws = [mixture.get("jawOpen", 0) for mixture in VISEMES.values()]
    assert max(jaws) == VISEMES["viseme_aa"]["jawOpen"]
    assert VISEMES["viseme_sil"] == {}


def test_a_face_without_the_shapes_stays_as_it_is(face: SkinnedMesh) -> None:
    few = replace(face, expression_dirs=face.expression_dirs[:, :4])
    assert with_visemes(few, ARKIT[:4]) == (few, ARKIT[:4])
    none = replace(
        face,
        expression_ids=face.expression_ids[:0],
        expression_dirs=face.expression_dirs[:0, :0],
    )
    assert with_visemes(none, ()) == (none, ())
