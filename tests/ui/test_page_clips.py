"""A clip on the page in a headless browser: dropped, understood, trained, stopped, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from svad.media.video import write_mp4
from svad.ui import texts
from tests.footage.turning import turning
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline
from tests.ui.visitor import Visitor, lively, until

# A repeat is counted and named in pytest's summary.
pytestmark = [pytest.mark.browser, pytest.mark.flaky(reruns=1)]
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
DRAWN = """
const picture = document.querySelector("#photo img");
return picture && picture.src.includes("look.jpg") && picture.complete && picture.naturalWidth > 0;
"""
DROP_BESIDE = """
const files = new DataTransfer();
files.items.add(new File([new Uint8Array([1, 2, 3])], "second.png", { type: "image/png" }));
const place = document.querySelector("#photo .thumbnail-item");
const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files });
place.dispatchEvent(event);
return event.defaultPrevented;
"""


def test_a_clip_is_dropped_understood_trained_stopped_and_resumed(
    make_studio, launch, browser, clip: Path, capfd
):
    lively(browser)
    pipeline = FakePipeline(0.05, hold="glance")
    visitor = Visitor(browser, launch(make_studio(pipeline)))
    assert visitor.all("#presets")
    assert visitor.drop_and_see(clip, "#check", "Looking through the pictures")
    pipeline.hold = "avatar"  # the look goes on
    assert visitor.says("#check", "12 pictures are used")
    sheet = until(lambda: visitor.all("#photo img"))[0]
    until(lambda: browser.execute_script("return arguments[0].naturalWidth", sheet) == 600)
    until(lambda: not [one for one in visitor.all("#presets") if one.is_displayed()])
    assert visitor.says("#offer", "From a clip")
    visitor.press("#create")
    assert visitor.says("#steps", "Follow the person")
    assert visitor.says("#status", "Match the photo")
    until(lambda: len(visitor.all("#steps .step.done")) == 4)
    visitor.press("#stop")
    assert visitor.says("#status", "The 4 finished steps are kept")
    assert visitor.says("#heading", texts.NOT_FINISHED), "another's avatar is named"

    pipeline.go.set()
    visitor.press("#create")
    assert visitor.says("#status", "Your avatar is ready")
    assert visitor.says("#heading", texts.YOUR_AVATAR)
    until(lambda: len(visitor.all("#steps .step.kept")) == 4)
    visitor.open_tab(texts.TAB_MOTION)
    visitor.all("#follow-row input[type=file]")[0].send_keys(str(clip))
    assert visitor.playing("#motion-video video")
    links = until(lambda: visitor.all("#motion-video a[download]"))
    assert any(str(link.get_attribute("href")).endswith(".npz") for link in links)
    visitor.press("#motion-video button[data-motion]")
    browser.switch_to.frame(until(lambda: visitor.all("iframe.viewer"))[0])
    until(lambda: visitor.all("[data-clip=clip][aria-pressed=true]"))
    browser.switch_to.default_content()
    errors = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert not errors
    assert "Traceback" not in capfd.readouterr().err


def test_bad_clips_are_explained_and_the_next_picture_works(
    make_studio, launch, browser, clip: Path, photo: Path, tmp_path: Path
):
    write_mp4(tmp_path / "short.mp4", list(turning(6).rgb), fps=8)
    (tmp_path / "text.mp4").write_text("This is no clip.")
    (tmp_path / "large.mp4").write_bytes(bytes(3_000_000))
    visitor = Visitor(browser, launch(make_studio(clip_megabytes=2)))
    for files, words in (
        (tmp_path / "short.mp4", "too short to turn around in"),
        (tmp_path / "text.mp4", texts.BAD_CLIP),
        (tmp_path / "large.mp4", "Clips can have up to 2 MB"),
        ((clip, photo), "beside a photo"),
    ):
        assert visitor.drop_and_see(files, "#check .bad", words)
        until(lambda: not visitor.all("#create")[0].is_enabled())
        assert "Traceback" not in visitor.text("body")
        assert visitor.says("#heading", "Ada")
    # taking one of the two away is enough
    visitor.press("#photo button[aria-label='Delete image']")
    assert visitor.says("#check", texts.SEEN)
    until(lambda: visitor.all("#create")[0].is_enabled())


def test_a_second_photo_can_be_added_on_a_phone(
    make_studio, launch, browser, photo: Path, tmp_path: Path
):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    visitor = Visitor(browser, launch(make_studio()))
    place = visitor.all("#photo input[type=file]")[0]
    assert {"image/*", "video/*"} <= set(place.get_attribute("accept").replace(",", " ").split())
    assert place.get_attribute("multiple")
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    until(lambda: browser.execute_script(DRAWN))  # a place that is drawn anew takes no files
    first = visitor.all("#photo img")[0].get_attribute("src")
    visitor.add(save_photo(tmp_path / "back.png", 40))
    assert visitor.says("#check", "2 pictures are used")
    until(lambda: browser.execute_script("return document.documentElement.scrollWidth") <= 360)
    until(lambda: [one.get_attribute("src") for one in visitor.all("#photo img")] != [first])
    until(lambda: len(visitor.all("#photo img")) == 1 and browser.execute_script(DRAWN))
    assert browser.execute_script(DROP_BESIDE), "the browser would open the file in its place"
    assert visitor.says("#check .bad", "picture")
