"""The page in a headless browser, as a visitor uses it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from svad.ui import texts
from svad.ui.panels.avatar import SHOWN
from svad.ui.studio import Studio
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline
from tests.ui.relay import Relay
from tests.ui.visitor import Visitor, lively, until
from tests.waiting import WAIT

# A repeat is counted and named in pytest's summary.
pytestmark = [pytest.mark.browser, pytest.mark.flaky(reruns=1)]


def test_a_visit(make_studio, launch, browser, photo: Path, tmp_path: Path, capfd):
    """Looks at the example, uploads, creates, stops, creates again, downloads, moves."""
    lively(browser)
    pipeline = FakePipeline(0.2, hold="relief")
    visitor = Visitor(browser, launch(make_studio(pipeline)))
    assert visitor.says("#heading", "Ada")
    assert visitor.playing("#turntable video")
    picture = visitor.drawn().astype(int)
    blue = (picture[..., 2] > picture[..., 0] + 40) & (picture[..., 2] > 90)  # the figure's shirt
    rows = np.flatnonzero(blue.any(1)) / len(blue)
    assert blue.mean() > 0.01 and 0.1 < rows.mean() < 0.5, "it does not stand upright"

    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    visitor.press("#create")
    until(lambda: visitor.all("#steps .step.done"))
    assert visitor.says("#steps", "Working") and visitor.says("#status", " s so far")
    until(lambda: len(visitor.all("#steps progress")) == 6)
    assert visitor.says("#heading", texts.NOT_FINISHED), "another's avatar is named"
    until(lambda: not visitor.all("#download")[0].is_enabled())
    until(lambda: not visitor.all(".examples [aria-pressed=true]"))
    visitor.press("#stop")
    assert visitor.says("#status", "Stopped.")
    assert "is kept" in visitor.text("#status") or "are kept" in visitor.text("#status")
    assert visitor.says("#heading", texts.NOT_FINISHED)
    assert not visitor.all("#download")[0].is_enabled()

    pipeline.go.set()
    visitor.press("#create")
    assert visitor.says("#status", "Your avatar is ready")
    assert visitor.says("#heading", texts.YOUR_AVATAR)
    assert visitor.playing("#turntable video")
    browser.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 20_000

    visitor.press("#download")
    archive = until(lambda: list(browser.downloads.glob("avatar-*.zip")))[0]
    assert "turntable.mp4" in zipfile.ZipFile(archive).namelist()
    visitor.open_tab(texts.TAB_MOTION)
    choice = next(one for one in visitor.all("#motions label") if one.text == "Wave")
    choice.click()
    assert visitor.playing("#motion-video video")
    visitor.open_tab(texts.TAB_COMPARE)
    until(lambda: visitor.all("#compare img"))

    errors = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert not errors
    assert "Traceback" not in capfd.readouterr().err  # every callback gave what gradio expects
    assert visitor.hosts() == {"127.0.0.1"}, "something was asked for outside this machine"


def test_bad_photos_are_explained_and_nothing_is_lost(
    make_studio, launch, browser, photo: Path, tmp_path: Path
):
    (tmp_path / "text.png").write_text("This is no picture.")
    (tmp_path / "cut.png").write_bytes(photo.read_bytes()[:900])
    (tmp_path / "large.png").write_bytes(bytes(3_000_000))
    save_photo(tmp_path / "good.png")
    visitor = Visitor(browser, launch(make_studio(upload_megabytes=2)))
    for name, words in (
        ("text.png", "not a picture"),
        ("cut.png", "damaged or incomplete"),
        ("large.png", "Photos can have up to 2 MB"),
    ):
        assert visitor.drop_and_see(tmp_path / name, "#check .bad", words)
        until(lambda: not visitor.all("#create")[0].is_enabled())
        assert "Traceback" not in visitor.text("body")
        assert visitor.says("#heading", "Ada")
    assert visitor.drop_and_see(tmp_path / "good.png", "#check", texts.SEEN)
    visitor.press("#photo button[aria-label='Clear']")
    assert visitor.says("#check", texts.TIPS[:30])
    until(lambda: not visitor.all("#create")[0].is_enabled())


FIRST_MOMENT = """
new MutationObserver((_, observer) => {
  const place = document.querySelector("#photo input[type=file]");
  const example = document.querySelectorAll(".examples button")[1];
  if (place && !window.given) {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(3e6)], "large.png", { type: "image/png" }));
    place.files = files.files;
    window.given = place.dispatchEvent(new Event("change", { bubbles: true })) || true;
  }
  if (example) example.click();
  if (example && window.given) observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


def test_what_comes_in_the_first_moment_is_not_lost(make_studio, launch, browser):
    """A file and a click as soon as there is a place for them, long before all is drawn."""
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FIRST_MOMENT})
    visitor = Visitor(browser, launch(make_studio(upload_megabytes=2)))
    assert visitor.says("#check .bad", "Photos can have up to 2 MB")
    assert visitor.says("#heading", "Ben")


def test_on_a_phone_a_link_leads_to_the_avatar(make_studio, launch, browser, photo: Path):
    size = {"width": 390, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    visitor = Visitor(browser, launch(make_studio(FakePipeline(0.02))))
    place = "return document.querySelector('#photo button[aria-dropeffect]').ariaLabel"
    until(lambda: texts.TAP in (browser.execute_script(place) or ""))
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    visitor.press("#create")
    assert visitor.says("#status", texts.SEE_IT)
    top = "return document.querySelector('#heading').getBoundingClientRect().top"
    until(lambda: browser.execute_script(top) > 740)
    visitor.press("#status a")
    until(lambda: 0 <= browser.execute_script(top) < 370)
    assert browser.execute_script("return document.activeElement.id") == SHOWN


def test_on_a_phone_in_the_dark_by_keyboard(make_studio, launch, browser):
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    visitor = Visitor(browser, launch(make_studio()) + "?__theme=dark")
    until(lambda: browser.execute_script("return document.documentElement.scrollWidth") <= 360)
    assert browser.execute_script("return document.documentElement.lang") == "en"
    until(lambda: visitor.all(".examples button"))
    second = visitor.all(".examples button")[1]
    browser.execute_script("arguments[0].focus()", second)
    from selenium.webdriver.common.keys import Keys

    second.send_keys(Keys.ENTER)
    assert visitor.says("#heading", "Ben")
    browser.switch_to.frame(until(lambda: visitor.all("iframe.viewer"))[0])
    dark = "return document.documentElement.classList.contains('dark')"
    assert until(lambda: browser.execute_script(dark))
    browser.switch_to.default_content()


def test_an_enlarged_page_shows_both_views_beside_each_other_and_names_its_choices(
    make_studio, launch, browser
):
    size = {"width": 640, "height": 500, "deviceScaleFactor": 2, "mobile": False}  # 200 % of 1280
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    visitor = Visitor(browser, launch(make_studio()))
    until(lambda: visitor.all("#turntable video") and visitor.all("#viewer iframe"))
    place = "return arguments[0].getBoundingClientRect().toJSON()"
    video, viewer = (
        browser.execute_script(place, visitor.all(css)[0])
        for css in ("#turntable video", "#viewer iframe")
    )
    assert video["top"] == viewer["top"] and video["height"] < 500
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 640
    until(lambda: visitor.all(f"#presets[aria-label='{texts.QUALITY}']"))


def test_a_link_brings_the_avatar_back(make_studio, launch, browser, photo: Path):
    studio = make_studio(FakePipeline(0.02))
    *_, seen = studio.look(photo)
    list(studio.create(seen.job))
    url = launch(studio)
    visitor = Visitor(browser, f"{url}?job={seen.job}")
    assert visitor.says("#heading", texts.YOUR_AVATAR)
    visitor = Visitor(browser, f"{url}?job={'A' * 22}")
    assert visitor.says("#status", "does not work any more")


def test_a_run_outlives_a_cut_line_and_a_closed_tab(make_studio, launch, browser, photo: Path):
    pipeline = FakePipeline(0.02, hold="relief")
    line = Relay(launch(make_studio(pipeline)))
    visitor = Visitor(browser, line.url)
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    visitor.press("#create")
    until(lambda: pipeline.running == 1)
    assert visitor.says("#status", "so far")
    browser.execute_script("window.before = true")
    line.cut()
    assert visitor.says("body", "Connection to the server was lost")
    line.mend()
    until(lambda: not browser.execute_script("return window.before"))  # it was loaded anew
    assert visitor.says("#status", "so far") and visitor.says("#steps", "Working")
    link = browser.current_url
    browser.get("about:blank")
    visitor = Visitor(browser, link)
    assert visitor.says("#status", "so far") and visitor.all("#stop")
    pipeline.go.set()
    assert visitor.says("#status", "Your avatar is ready")
    assert visitor.says("#heading", texts.YOUR_AVATAR) and len(pipeline.folders) == 1
    line.close()


def test_two_tabs_watch_one_job_and_stop_reaches_both(make_studio, launch, browser, photo: Path):
    pipeline = FakePipeline(0.02, hold="relief")
    visitor = Visitor(browser, launch(make_studio(pipeline)))
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    until(lambda: "job=" in browser.current_url)
    visitor.press("#create")
    until(lambda: pipeline.running == 1)
    first, link = browser.current_window_handle, browser.current_url
    browser.switch_to.new_window("tab")
    other = Visitor(browser, link)
    assert other.says("#status", "so far")
    other.press("#stop")
    assert other.says("#status", "Stopped.")
    browser.switch_to.window(first)
    assert visitor.says("#status", "Stopped.") and len(pipeline.folders) == 1


READ_OUT = """
window.heard = [];
new MutationObserver(() => window.heard.push(document.querySelector("#live").textContent))
  .observe(document.querySelector("#live"), { childList: true });
"""


def test_a_second_tab_that_asks_for_something_else_is_told_why_it_watches(
    make_studio, launch, browser, photo: Path, monkeypatch: pytest.MonkeyPatch
):
    pipeline = FakePipeline(0.02, hold="relief")
    studio = make_studio(pipeline)
    arrived, watch = Event(), studio.watch

    def watched(job: str):
        yield from watch(job)
        arrived.set()  # and this page has found no run to watch

    monkeypatch.setattr(studio, "watch", watched)
    visitor = Visitor(browser, launch(studio))
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    until(lambda: "job=" in browser.current_url)
    browser.refresh()
    until(lambda: visitor.all("#create:not([disabled])"))
    assert arrived.wait(WAIT)
    browser.execute_script(READ_OUT)
    studio.begin(browser.current_url.partition("job=")[2], "quick")  # in another tab
    visitor.press("#create")
    assert visitor.says("#status", "begun in another tab: Quick")
    assert visitor.says("#status", "so far") and visitor.says("#status", "press Stop and then")
    visitor.press("#stop")
    assert visitor.says("#status", "Stopped.")
    pipeline.go.set()
    visitor.press("#create")
    assert visitor.says("#status", "Your avatar is ready")
    heard = browser.execute_script("return window.heard")
    assert sum("in another tab" in one for one in heard) == 1, "it is read out again and again"


def stands(studio: Studio, job: str, place: int) -> bool:
    """Whether a run has come to stand in the line behind so many; the first one is being made."""
    now = studio.progress(job)
    return now is not None and now.ahead == place and bool(place or now.states)


def test_who_comes_third_is_told_the_place_and_the_time(
    make_studio, launch, browser, photo: Path, tmp_path: Path
):
    pipeline = FakePipeline(0.02, hold="subject")
    studio = make_studio(pipeline)
    visitor = Visitor(browser, launch(studio))
    runs = []
    for shade in (40, 80):
        *_, seen = studio.look(save_photo(tmp_path / f"{shade}.png", shade))
        runs.append(Thread(target=list, args=(studio.create(seen.job),), daemon=True))
        runs[-1].start()
        until(lambda job=seen.job: stands(studio, job, len(runs) - 1))
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    visitor.press("#create")
    assert visitor.says("#status", f"{texts.WAITING_MANY.format(n=2)}: about ")
    pipeline.go.set()
    assert visitor.says("#status", "Your avatar is ready")
    for run in runs:
        run.join()
