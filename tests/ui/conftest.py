"""A studio with a quick pipeline, the page it serves, and a browser to look at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from svad.run.job_store import JobStore
from svad.ui.engine import Engine, Settings
from svad.ui.studio import Studio
from tests.ui.page_fakes import FakePipeline, draw, filmed_turn, write_example
from tests.waiting import WAIT


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished examples."""
    root = tmp_path_factory.mktemp("examples")
    for name in ("ada", "ben"):
        write_example(root, name)
    return root


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's own cache, empty."""
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def make_studio(tmp_path: Path, examples: Path, cache: Path) -> Callable[..., Studio]:
    """Makes studios with a pipeline of the given speed."""

    def make(pipeline: FakePipeline | None = None, **settings) -> Studio:
        settings = {"jobs": tmp_path / "jobs", "examples": examples} | settings
        pipeline = pipeline or FakePipeline(0.05)
        return Studio(
            Settings(**settings), lambda s: Engine(pipeline, JobStore(s.jobs), mover=pipeline)
        )

    return make


def engine_of(pipeline: FakePipeline, settings: Settings) -> Engine:
    """The pipeline for everything."""
    return Engine(pipeline, JobStore(settings.jobs), mover=pipeline)


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Studio], str]]:
    """Serves pages until the test ends; gives their addresses."""
    from gradio import networking

    from svad.ui.page.build import build_page
    from svad.ui.page.launch import launch_options

    # it gives a page three seconds for its first answer
    monkeypatch.setattr(networking, "url_ok", lambda url: True)
    pages = []

    def start(studio: Studio) -> str:
        page = build_page(studio)
        pages.append(page)
        page.launch(prevent_thread_lock=True, **launch_options(studio))
        return page.local_url

    yield start
    for page in pages:
        page.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture that passes the checks of the file."""
    return save_photo(tmp_path / "person.png")


def save_photo(path: Path, shift: int = 0) -> Path:
    """A picture of the capsule figure; another `shift`, another picture."""
    image = cv2.resize(np.roll(draw(0.3)[:, :, :3], shift, axis=1), (360, 480))
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of three seconds in which the capsule figure turns around."""
    path = tmp_path / "turn.mp4"
    path.write_bytes(filmed_turn())
    return path


@pytest.fixture
def browser(tmp_path: Path) -> Iterator:
    """A headless Chromium that has never been started before, of somebody who wants no motion.

    Avatars that turn and wave by themselves are drawn without a GPU here, which takes a whole
    processor from everything that a test waits for; see `lively`.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    names = ("chromium", "chromium-browser", "google-chrome")
    options.binary_location = next(filter(None, map(shutil.which, names)))
    for flag in (
        *("headless=new", "no-sandbox", "use-angle=swiftshader", "enable-unsafe-swiftshader"),
        *("disable-quic", "no-first-run", "disable-background-networking", "disable-sync"),
        *("disable-component-update", "window-size=1280,1000", f"user-data-dir={tmp_path / 'b'}"),
        # drawn without a GPU a page is cheaper to put together by the processor itself
        *("disable-gpu-compositing", "force-prefers-reduced-motion"),
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    downloads = tmp_path / "downloads"
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    # The path is given: selenium would otherwise look for a driver on the net.
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.downloads = downloads
    driver.set_script_timeout(WAIT)
    yield driver
    driver.quit()
