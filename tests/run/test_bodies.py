"""Which body a run stands on: chosen by name, found on this machine, part of every stage's key."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from svad.body.free import load_free_body
from svad.compute import engine as gpu
from svad.config.preset import BODIES, BUILT_IN
from svad.config.presets import PREVIEW, QUICK
from svad.core.errors import MissingWeights, SettingError
from svad.media.images import save_png
from svad.run import stages as table
from svad.run.bodies import STILL_FACE, bodies_here, limits, load_body, own_body
from svad.run.card import read_card
from svad.run.pipeline import Pipeline
from svad.weights.manifest import load_manifest
from tests.body.smplx_form import write_smplx_file
from tests.fakes import FakeStages
from tests.helpers import tiny_subject


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folder of files, still empty."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("SVAD_WEIGHTS", str(folder))
    monkeypatch.setenv("SVAD_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    save_png(tmp_path / "photo.png", tiny_subject(300, 400).photo.rgb)
    return tmp_path / "photo.png"


def run(fakes: FakeStages, body: str, photo: Path, out: Path) -> dict:
    Pipeline(replace(PREVIEW, body=body), makers=fakes.makers()).run(photo, out)
    return read_card(out)


def test_a_body_is_here_when_its_file_is(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bodies_here() == (BUILT_IN,)
    (own / "SMPLX_MALE.npz").write_bytes(b"male")
    assert bodies_here() == (BUILT_IN, "smplx_male")
    (own / "mine.npz").write_bytes(b"female")
    (own / "list.yaml").write_text("smplx_female: mine.npz\n")
    monkeypatch.setenv("SVAD_WEIGHTS", str(own / "list.yaml"))
    assert bodies_here() == (BUILT_IN, "smplx_female")
    assert own_body("smplx_female").path == own / "mine.npz"


def test_the_built_in_body_needs_no_file() -> None:
    assert own_body(BUILT_IN) is None and load_body(BUILT_IN) is load_free_body()
    assert limits(BUILT_IN) == () and limits("smplx_male") == (STILL_FACE,)


@pytest.mark.parametrize("name", BODIES[1:])
def test_a_missing_file_is_named_with_source_and_terms(
    name: str, photo: Path, tmp_path: Path
) -> None:
    entry = load_manifest()[name]
    with pytest.raises(MissingWeights) as error:
        run(FakeStages(), name, photo, tmp_path / "out")
    for words in (entry.file, entry.source, entry.terms, "SVAD_WEIGHTS"):
        assert words in str(error.value)
    assert not (tmp_path / "out").exists()


def test_an_unknown_body_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="Choose one of: default, smplx_neutral"):
        load_body("mannequin")


def test_the_card_names_the_file_and_its_terms(own: Path, photo: Path, tmp_path: Path) -> None:
    (own / "SMPLX_NEUTRAL.npz").write_bytes(b"neutral")
    card = run(FakeStages(), "smplx_neutral", photo, tmp_path / "out")
    assert card["body"].startswith(load_manifest()["smplx_neutral"].notice)
    assert card["body"].endswith("terms cover the whole avatar.")
    assert card["settings"]["body"] == "smplx_neutral" and STILL_FACE in card["warnings"]
    assert str(own) not in (tmp_path / "out" / "job.json").read_text()
    card = run(FakeStages(), BUILT_IN, photo, tmp_path / "out")
    assert "body" not in card and STILL_FACE not in card["warnings"]


def test_another_body_makes_every_stage_anew(own: Path, photo: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    (own / "SMPLX_MALE.npz").write_bytes(b"male")
    for body in (BUILT_IN, "smplx_male", "smplx_male"):
        run(fakes, body, photo, out)
    assert set(fakes.ran.values()) == {2}  # the third run kept everything
    (own / "other.npz").write_bytes(b"MALE")  # as many bytes
    (own / "weights.yaml").write_text("smplx_male: other.npz\n")
    run(fakes, "smplx_male", photo, out)
    assert set(fakes.ran.values()) == {3}


def test_every_stage_stands_on_the_chosen_body(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_smplx_file(own / "SMPLX_NEUTRAL.npz", load_free_body())
    body = load_body("smplx_neutral")
    assert body is load_body("smplx_neutral") and body is not load_free_body()
    assert len(body.expression_names) == 10
    preset = replace(QUICK, body="smplx_neutral")
    stages = table.stage_makers(preset)
    for name in ("subject", "relief"):
        assert body in vars(stages[name]()).values(), name
    assert body in vars(stages["diffusion"]().stage).values()

    def elsewhere(work, *arguments, seconds: int, report) -> object:
        name, there, *_ = pickle.loads(pickle.dumps(arguments))
        assert callable(work) and seconds > 0
        return table.stage(name).made(there)

    monkeypatch.setattr(gpu, "run", elsewhere)
    for name in ("identity", "restoration"):
        stage = stages[name]().run(None, None, print)
        assert any(value is body for value in vars(stage).values()), name
