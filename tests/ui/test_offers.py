"""The presets on the page: what each gives, what it lacks, and that the chosen one runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from svad.config.preset import BODIES, BUILT_IN
from svad.config.presets import PRESETS, QUICK
from svad.core.errors import MissingWeights, SvadError
from svad.run.bodies import STILL_FACE
from svad.run.costs import learn
from svad.run.job_store import JobStore
from svad.run.learned import TRUSTED
from svad.run.offers import offer
from svad.ui import texts
from svad.ui.beats import Ended, Seen
from svad.ui.engine import Engine, Settings, load_engine
from svad.ui.events import Events
from svad.ui.offering import offer_panel
from svad.ui.page.build import build_page
from svad.ui.panels import avatar, offers
from svad.ui.studio import Studio
from tests.ui.page_fakes import FakePipeline, Names


@pytest.fixture(autouse=True)
def no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any pretrained file."""
    from huggingface_hub import constants

    monkeypatch.delenv("SVAD_WEIGHTS", raising=False)
    monkeypatch.setenv("SVAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def test_every_preset_is_on_the_page() -> None:
    for name, preset in PRESETS.items():
        assert name == preset.name and preset.title and preset.note.endswith(".")


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_missing_files_are_named_with_source_and_terms(
    preset: str, make_studio: Callable[..., Studio]
) -> None:
    shown = unescape(Events(make_studio(), Names()).choose(preset)["offer"])
    missing = offer(PRESETS[preset]).missing
    assert len(missing) > 8 and str(len(missing)) in shown
    for entry in missing:
        assert entry.base in shown and entry.where.split(" ")[0] in shown and entry.terms in shown
    assert f"--download --preset {preset}" in shown
    assert ("--accept-terms" in shown) == any(e.gate == "accept-terms" for e in missing)


def test_the_preview_needs_nothing(make_studio: Callable[..., Studio]) -> None:
    events = Events(make_studio(), Names())
    shown = events.choose("preview")
    assert "bad" not in shown["offer"] and "GPU" not in shown["offer"]
    assert "Turn the person around" not in shown["steps"]
    assert "Turn the person around" in events.choose("quick")["steps"]


def test_the_cost_is_told_anew_after_a_run(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio()
    events = Events(studio, Names())
    stages = [{"name": "subject", "state": "done", "seconds": 77.0}]
    assert "77" not in events.cost("", "preview")["offer"]
    for _ in range(TRUSTED):
        learn({"preset": "preview", "state": "done", "stages": stages}, studio.settings.jobs)
    assert "Takes about 77 s here" in events.cost("", "preview")["offer"]


def test_a_wrong_list_of_own_files_is_a_sentence(
    make_studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Events(make_studio(), Names())
    monkeypatch.setenv("SVAD_WEIGHTS", "/nowhere/at/all")
    assert "/nowhere/at/all" in events.choose("quick")["offer"]


def test_the_chosen_preset_runs(tmp_path: Path, photo: Path, cache: Path) -> None:
    preview, quick = FakePipeline(0.05), FakePipeline(0.05)
    settings = Settings(jobs=tmp_path / "jobs", examples=tmp_path / "none")
    engine = Engine(preview, JobStore(settings.jobs), {"preview": preview, "quick": quick})
    studio = Studio(settings, lambda _: engine)
    *_, seen = studio.look(photo)
    assert isinstance(seen, Seen)
    *_, ended = studio.create(seen.job, "quick")
    assert isinstance(ended, Ended) and ended.finished is not None
    assert len(quick.folders) == 1 and not preview.folders
    list(studio.create(seen.job))
    assert len(preview.folders) == 1


def test_on_zero_a_preset_beyond_the_visitors_minutes_is_refused(
    make_studio: Callable[..., Studio], photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = make_studio()
    *_, seen = studio.look(photo)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    with pytest.raises(SvadError, match="more GPU minutes"):
        list(studio.create(seen.job, "paper"))
    words = unescape(offer_panel("quick", studio.settings))
    asks = offer(QUICK).asks
    assert f"Asks for {asks} s of GPU quota ({asks / 1.5:.0f} s" in words
    assert "A day has 2 minutes (without an account), 5 minutes (free account)" in words
    assert "Kept for 6 hours" in words


def test_a_job_is_gone_on_with_the_preset_it_was_begun_with(
    make_studio: Callable[..., Studio], photo: Path
) -> None:
    studio = make_studio()
    *_, seen = studio.look(photo)
    assert studio.preset_of(seen.job) == "preview"
    job = studio.engine().store.open(seen.job)
    job.begin(QUICK, "source")
    assert studio.preset_of(seen.job) == "quick"
    request = SimpleNamespace(query_params={"job": seen.job})
    assert Events(studio, Names()).arrive(request)["preset"] == "quick"


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine has one SMPL-X file."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "SMPLX_MALE.npz").write_bytes(b"male")
    monkeypatch.setenv("SVAD_WEIGHTS", str(folder))
    return folder / "SMPLX_MALE.npz"


def bodies_of(studio: Studio) -> gr.Radio:
    """The choice of a body on the page."""
    blocks = build_page(studio).blocks.values()
    return next(block for block in blocks if block.elem_id == "bodies")


def test_without_a_file_there_is_no_choice_of_a_body(make_studio: Callable[..., Studio]) -> None:
    assert list(texts.BODIES) == list(BODIES)
    choice = bodies_of(make_studio())
    assert not choice.visible and choice.value == BUILT_IN


def test_a_body_whose_file_is_here_can_be_chosen(
    make_studio: Callable[..., Studio], own_file: Path
) -> None:
    choice = bodies_of(make_studio())
    assert choice.visible and [name for _, name in choice.choices] == [BUILT_IN, "smplx_male"]
    assert offers.body_note(BUILT_IN) == ""
    note = unescape(offers.body_note("smplx_male"))
    assert "non-commercial" in note and STILL_FACE in note


def test_the_chosen_body_runs(tmp_path: Path, photo: Path, cache: Path, own_file: Path) -> None:
    plain, male = FakePipeline(0.05), FakePipeline(0.05)
    settings = Settings(jobs=tmp_path / "jobs", examples=tmp_path / "none")
    engine = Engine(plain, JobStore(settings.jobs), bodied={("preview", "smplx_male"): male})
    studio = Studio(settings, lambda _: engine)
    *_, seen = studio.look(photo)
    *_, shown = Events(studio, Names()).create(seen.job, "preview", "smplx_male")
    assert shown["body"].interactive is True
    assert len(male.folders) == 1 and not plain.folders
    with pytest.raises(MissingWeights, match="SMPLX_FEMALE.npz"):
        list(studio.create(seen.job, "preview", "smplx_female"))


def test_the_result_shows_the_terms_of_what_it_was_made_with(
    make_studio: Callable[..., Studio], photo: Path
) -> None:
    studio = make_studio()
    *_, seen = studio.look(photo)
    *_, ended = studio.create(seen.job)
    assert ended.finished.terms == ()
    assert texts.TERMS_TITLE not in avatar.files(ended.finished, studio.shelf, 6)
    job = studio.engine().store.open(seen.job)
    job.begin(QUICK, "source")
    job.card |= {"body": "body.npz: <non-commercial>", "weights": ["net.onnx: free"]}
    job.write()
    shown = avatar.files(studio.finished(f"job:{seen.job}"), studio.shelf, 6)
    assert texts.TERMS_TITLE in shown
    for line in ("body.npz: &lt;non-commercial&gt;", "net.onnx: free"):
        assert f'<p class="terms">{line}</p>' in shown


def test_the_real_engine_has_a_pipeline_for_every_body(tmp_path: Path) -> None:
    engine = load_engine(Settings(jobs=tmp_path / "jobs", examples=tmp_path / "none"))
    for name in PRESETS:
        for body in BODIES:
            preset = engine.of(name, body).preset
            assert (preset.name, preset.body) == (name, body)


def test_a_job_is_gone_on_with_the_body_it_was_begun_with(
    make_studio: Callable[..., Studio], photo: Path, own_file: Path
) -> None:
    studio = make_studio()
    *_, seen = studio.look(photo)
    assert studio.body_of(seen.job) == BUILT_IN
    studio.engine().store.open(seen.job).begin(replace(QUICK, body="smplx_male"), "source")
    request = SimpleNamespace(query_params={"job": seen.job})
    assert Events(studio, Names()).arrive(request)["body"] == "smplx_male"
    own_file.unlink()
    assert studio.body_of(seen.job) == BUILT_IN


def test_only_the_cost_says_how_long_it_takes() -> None:
    """Two places that tell it would tell it differently, since one of them learns."""
    words = " ".join([texts.LEAD, texts.BETTER_CLIP, *(preset.note for preset in PRESETS.values())])
    assert not re.search(r"minute|second|hour|\d s\b", words)
