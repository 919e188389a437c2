"""Files fetched from the page, over a small Hub on this machine."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from svad.core.errors import SvadError
from svad.ui import fetching, texts
from svad.ui.events import Events
from svad.ui.fetching import Fetcher, fetch_at_start
from svad.ui.studio import Studio
from svad.weights import Store
from svad.weights.download import download
from svad.weights.manifest import Entry
from tests.ui.page_fakes import Names
from tests.waiting import until
from tests.weights.conftest import clean, hub  # noqa: F401 - fixtures
from tests.weights.hub_server import Hub

pytestmark = pytest.mark.usefixtures("clean")
CONTENT = os.urandom(3000)


@pytest.fixture
def files(hub: Hub) -> Callable[..., list]:  # noqa: F811
    """The Hub with two small files that are not pinned, and how to fetch from it."""
    names = ("unet/config.json", "image_encoder/config.json")
    hub.files["lambdalabs/sd-image-variations-diffusers"] = dict.fromkeys(names, CONTENT)

    def from_hub(store: Store, entries: Iterable[Entry], *arguments: Any, **options: Any) -> list:
        on_hub = [entry for entry in entries if entry.repo]  # other servers are not asked in tests
        return download(store, on_hub, *arguments, **options, endpoint=hub.url, pause=0.0)

    return from_hub


@pytest.fixture
def events(make_studio: Callable[..., Studio], files: Callable[..., list]) -> Events:
    studio = make_studio()
    studio.fetcher = Fetcher(files)
    return Events(studio, Names())


def test_what_the_hub_has_comes_and_the_rest_is_told(events: Events) -> None:
    first, *beats, last = events.fetch("quick", False)
    assert first["fetch"].visible is False and first["halt"].visible is True
    assert last["halt"].visible is False and last["preset"].interactive is True
    shown = last["offer"]
    assert texts.FETCH_FAILED in shown  # the other repositories are not on this Hub
    assert "denoising_unet.pth: The Hub has no repository" in shown
    assert "needs 9 files" in shown  # 11 less the two that came
    store = Store.from_environment()
    assert store.resolve("unet_config").read_bytes() == CONTENT
    assert last["fetch"].visible is True


def test_a_bar_per_file() -> None:
    from svad.ui.fetching import Fetching, FileState
    from svad.ui.panels import offers

    html = offers.fetching("quick", Fetching((FileState("a<b>.onnx", 500, 2000, "checking"),)))
    assert "a&lt;b&gt;.onnx" in html and 'value="0.250"' in html and "500 B of 2.00 kB" in html
    assert "checking" in html


def test_terms_are_accepted_first(events: Events, hub: Hub) -> None:  # noqa: F811
    hub.files["xg-chu/GAGAvatar"] = {"assets/FLAME_with_eye.pt": b"not a checkpoint"}
    assert events.choose("paper")["accept"].visible is True
    *_, last = events.fetch("paper", False)
    assert "FLAME_with_eye.pt" in last["offer"] and "comes under these terms" in last["offer"]
    assert not [p for _, p, _, _ in hub.log if "FLAME" in p]
    *_, last = events.fetch("paper", True)
    assert "comes under these terms" not in last["offer"]
    assert [p for _, p, _, _ in hub.log if "FLAME" in p]


def test_visitors_of_a_hosted_page_cannot_fetch(
    make_studio: Callable[..., Studio],
    files: Callable[..., list],
    hub: Hub,  # noqa: F811
) -> None:
    studio = make_studio(hosted=True)
    studio.fetcher = Fetcher(files)
    events = Events(studio, Names())
    assert events.choose("quick")["fetch"].visible is False
    *_, last = events.fetch("quick", True)
    assert texts.FETCH_HOSTED in last["offer"] and not hub.log


def slow(store: Store, entries, progress, accepted: bool) -> list:
    """A download that goes on until it is stopped."""
    show = progress(next(iter(entries)))
    while True:
        show(1, 2000, "")
        time.sleep(0.02)


def test_stop_ends_it_and_two_at_once_are_refused() -> None:
    fetcher = Fetcher(slow)
    beats = fetcher.fetch("quick", False)
    while not (beat := next(beats)).files:
        continue
    assert beat.files[0].total == 2000
    with pytest.raises(SvadError, match="already"):
        next(fetcher.fetch("paper", False))
    fetcher.stop()
    last = list(beats)[-1]
    assert last.over and last.stopped and not last.errors
    until(lambda: not fetcher._task.running)
    closed = fetcher.fetch("quick", False)  # the page is closed
    next(closed)
    closed.close()
    until(lambda: not fetcher._task.running)


def test_an_owner_has_the_files_fetched_at_the_start(
    files: Callable[..., list], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(fetching.FETCH, "quick")
    with caplog.at_level(logging.INFO, "svad.ui.fetching"):
        fetch_at_start(files)
    assert Store.from_environment().locate("image_encoder_config") is not None
    assert "denoising_unet.pth was not fetched" in caplog.text and "config.json" in caplog.text
    caplog.clear()
    monkeypatch.setenv("SVAD_WEIGHTS", "/nowhere")
    fetch_at_start(files)
    assert "were not fetched" in caplog.text


def test_nothing_is_fetched_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from svad.ui import serve

    monkeypatch.delenv(fetching.FETCH, raising=False)
    monkeypatch.setattr(fetching, "fetch_at_start", lambda: (tmp_path / "asked").touch())
    serve.fetch_at_start()
    assert not (tmp_path / "asked").exists()
    monkeypatch.setenv(fetching.FETCH, "quick")
    serve.fetch_at_start()
    assert (tmp_path / "asked").exists()


def test_an_owners_own_repository_is_fetched_with_a_preset_or_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Store.from_environment()
    mine = replace(known.entry("smplx_male"), repo="me/mine", gate="none")
    store = Store(known.entries | {mine.name: mine}, known.cache)
    monkeypatch.setattr(fetching, "store_to_fill", lambda: store)
    monkeypatch.setenv("SVAD_WEIGHTS", "me/mine")
    asked: list[list[str]] = []

    def fake(store: Store, entries: Iterable[Entry], *rest: Any, accepted: bool) -> list:
        asked.append([entry.name for entry in entries])
        return []

    monkeypatch.setenv(fetching.FETCH, "own, quick")
    fetch_at_start(fake)
    quick = [entry.name for entry in store.of_preset("quick")]
    assert asked == [["smplx_male"], [*quick, "smplx_male"]]
