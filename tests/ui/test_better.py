"""A finished preview made better in the same job: by a further preset, by a clip, by photos."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest

from svad.config.presets import CLIP, PRESETS
from svad.core.errors import JobError
from svad.run.costs import cost
from svad.run.job_store import JobStore
from svad.run.offers import Offer
from svad.ui import better, texts
from svad.ui.beats import Ended, Seen
from svad.ui.engine import Engine, Settings
from svad.ui.events import Events
from svad.ui.panels import offers
from svad.ui.studio import Studio
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline, Names
from tests.ui.visitor import Visitor, until


def ready(preset) -> Offer:
    return Offer(preset.name, (), (), True, "gpu", 0, True)


@pytest.fixture
def studio(tmp_path: Path, cache: Path) -> Studio:
    """One with a pipeline for the preview and one for `quick`."""
    settings = Settings(jobs=tmp_path / "jobs", examples=tmp_path / "none")
    first, quick = FakePipeline(0.02), FakePipeline(0.02, preset="quick")
    engine = Engine(first, JobStore(settings.jobs), {"quick": quick})
    return Studio(settings, lambda _: engine)


@pytest.fixture
def job(studio: Studio, photo: Path) -> str:
    """A job whose preview is finished."""
    *_, seen = studio.look(photo)
    list(studio.create(seen.job))
    return seen.job


def test_a_further_preset_keeps_the_first_avatar(studio: Studio, job: str) -> None:
    assert studio.next_better(job) == ["quick", "paper"]
    *_, ended = studio.create(job, "quick")
    assert isinstance(ended, Ended) and ended.finished.key == f"job:{job}/quick"
    keys = [(one.key, one.preset) for one in studio.versions(job)]
    assert keys == [(f"job:{job}", "preview"), (f"job:{job}/quick", "quick")]
    folders = {one.archive.parent for one in studio.versions(job)}
    assert len(folders) == 2 and all(studio.finished(key).archive.is_file() for key, _ in keys)
    assert studio.next_better(job) == ["paper"]


def test_only_presets_name_a_version(studio: Studio, job: str) -> None:
    assert studio.finished(f"job:{job}/../x") is studio.finished(f"job:{job}/etc") is None
    assert studio.finished(f"job:{job}/quick") is None
    with pytest.raises(JobError):
        studio.versions("A" * 22)


def test_a_clip_is_added_to_the_photo(studio: Studio, job: str, clip: Path) -> None:
    *_, seen = studio.add(job, [clip])
    assert isinstance(seen, Seen) and seen.job == job and seen.pictures == 12
    *_, ended = studio.create(job, CLIP.name)
    assert ended.finished.key == f"job:{job}/clip" and studio.is_photo(job)
    assert [one.preset for one in studio.versions(job)] == ["preview", "clip"]
    assert studio.next_better(job) == ["quick", "paper"]


def test_photos_are_added_beside_the_first(studio: Studio, job: str, tmp_path: Path) -> None:
    *_, seen = studio.add(job, [save_photo(tmp_path / "back.png", 40)])
    assert seen.pictures == 2


def test_the_page_offers_what_can_be_run(
    studio: Studio, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Events(studio, Names())
    here = events.better(job)
    assert not here["improve"].visible and here["more"].visible
    assert texts.BETTER_CPU in here["better"] or "not here" in here["better"]
    monkeypatch.setattr(better, "offer", ready)
    assert events.better(job)["improve"].visible
    *_, last = events.improve(job, "default", "")
    assert last["shown"] == f"job:{job}/quick"
    assert last["versions"].visible and len(last["versions"].choices) == 2
    assert last["side"].count("<video") == 2
    first = events.pick_version(f"job:{job}")
    assert first["shown"] == f"job:{job}" and first["versions"].value == f"job:{job}"
    arrived = events.arrive(SimpleNamespace(query_params={"job": job}))
    assert arrived["shown"] == f"job:{job}/quick", "the link does not show the better one"


def test_bad_pictures_leave_the_avatar(studio: Studio, job: str, tmp_path: Path, cache: Path):
    (cache / "text.mp4").write_text("This is no clip.")
    sent = [{"path": str(cache / "text.mp4")}]
    *_, last = Events(studio, Names()).add(sent, job, "default", "")
    assert texts.ADD_KEPT in last["status"] and last["more"].interactive
    assert [one.preset for one in studio.versions(job)] == ["preview"]


@pytest.mark.parametrize("missing", [False, True])
def test_what_stands_in_the_way_is_said(missing: bool, tmp_path: Path) -> None:
    found = Offer("quick", ("a", "b") if missing else (), (), True, "gpu", 0, True)
    words = unescape(offers.better([found], cost(CLIP, tmp_path)))
    assert texts.duration(cost(CLIP, tmp_path).seconds) in words
    assert PRESETS["quick"].title in words and texts.BETTER_CLIP in words
    assert ("2 files" in words) == missing


@pytest.mark.browser
@pytest.mark.flaky(reruns=1)
def test_from_preview_to_more_in_the_browser(
    studio: Studio, launch, browser, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preview, *Make it better*, and both beside each other; on a phone in the dark, too."""
    monkeypatch.setattr(better, "offer", ready)
    url = launch(studio)
    visitor = Visitor(browser, url)
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    visitor.press("#create")
    assert visitor.says("#better", texts.BETTER)
    visitor.press("#improve")
    assert visitor.says("#status", "Your avatar is ready") and visitor.says("#versions", "Quick")
    visitor.open_tab(texts.TAB_COMPARE)
    assert len(until(lambda: visitor.all("#side video"))) == 2
    visitor.all("#versions label")[0].click()
    assert visitor.says("#heading", PRESETS["preview"].title)
    assert not [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    until(lambda: browser.execute_script("return document.documentElement.scrollWidth") <= 360)
