"""A job made better: what is kept of the first avatar, and that both stay."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from svad.config.preset import Preset
from svad.config.presets import PREVIEW
from svad.core.errors import JobError, Stopped
from svad.core.locks import locked
from svad.media.images import save_png
from svad.run.card import read_card
from svad.run.job_store import JobStore
from svad.run.jobs import BETTER, LOCK, Job
from svad.run.pipeline import Pipeline
from svad.run.results import read_result
from svad.run.versions import better_than, finished_in, is_finished, place_of, prepare
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

LATER = replace(PREVIEW, name="quick", relief=replace(PREVIEW.relief, views=4))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A job with a photo whose preview is finished."""
    save_png(tmp_path / "photo.png", tiny_subject(300, 400).photo.rgb)
    job = JobStore(tmp_path / "jobs").create()
    run(FakeStages(0.0), job.folder)
    return job.folder


def run(stages: FakeStages, folder: Path, preset: Preset = PREVIEW, **more: object) -> None:
    photo = folder.parents[next(k for k, p in enumerate(folder.parents) if p.name == "jobs") + 1]
    Pipeline(preset, makers=stages.makers()).run(photo / "photo.png", folder, **more)


def test_what_is_done_is_not_done_again_and_both_stay(home: Path) -> None:
    before = {path.name: path.read_bytes() for path in home.glob("*") if path.is_file()}
    place, stages = prepare(home, "quick"), FakeStages(0.0)
    assert place == home / BETTER / "quick" and finished_in(home) == [""]
    run(stages, place, LATER)
    assert stages.ran["subject"] == 0 and stages.ran["relief"] == stages.ran["avatar"] == 1
    assert finished_in(home) == ["", "quick"]
    assert {path.name: path.read_bytes() for path in home.glob("*") if path.is_file()} == before
    for folder, preset in ((home, "preview"), (place, "quick")):
        assert read_card(folder)["preset"] == preset and read_result(folder).archive.is_file()
    assert prepare(home, "quick") == place and prepare(home, "preview") == home
    again = FakeStages(0.0)
    run(again, home)
    assert not again.ran  # the first is still whole, too


def test_a_version_that_was_stopped_goes_on_from_there(home: Path) -> None:
    stop = threading.Event()

    def listen(states: tuple) -> None:
        if any(s.name == "avatar" and s.state == "running" for s in states):
            stop.set()

    with pytest.raises(Stopped):
        run(FakeStages(0.0), prepare(home, "quick"), LATER, listener=listen, stop=stop)
    assert finished_in(home) == [""]
    stages = FakeStages(0.0)
    run(stages, prepare(home, "quick"), LATER)
    assert stages.ran["relief"] == 0 and finished_in(home) == ["", "quick"]


@pytest.mark.parametrize("first", ["preview", "quick"])
def test_a_job_without_an_avatar_is_its_own_place(tmp_path: Path, first: str) -> None:
    home = JobStore(tmp_path).create().folder
    assert place_of(home, first) == prepare(home, first) == home
    Job(home).begin(PREVIEW, "source")
    assert not is_finished(home) and place_of(home, "quick") == home
    assert finished_in(home) == []


def test_where_there_are_no_links_files_are_copied(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", refuse)
        place = prepare(home, "quick")
    stages = FakeStages(0.0)
    run(stages, place, LATER)
    assert stages.ran["subject"] == 0


def test_a_forged_card_reaches_no_other_file(home: Path) -> None:
    (home.parent / "secret").write_text("secret")
    job = Job(home)
    job.entry("subject")["files"]["../secret"] = 6
    job.write()
    prepare(home, "quick")
    assert not list(home.rglob("secret"))


def test_a_job_goes_with_all_its_versions_but_not_while_one_runs(home: Path) -> None:
    store, place = JobStore(home.parent), prepare(home, "quick")
    with locked(place / LOCK):
        assert store.clean(max_age=-1, max_bytes=0) == 0
        with pytest.raises(JobError, match="Another run"):
            store.remove(home.name)
    assert (place / "job.json").is_file()
    store.remove(home.name)
    assert not home.exists()


@pytest.mark.parametrize(
    ("preset", "more"),
    [("preview", ["quick", "paper"]), ("quick", ["paper"]), ("paper", []), ("clip", []), ("", [])],
)
def test_what_is_better_than_what(preset: str, more: list[str]) -> None:
    assert better_than(preset) == more
