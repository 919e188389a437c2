"""Coming back, sharing, deleting."""

from __future__ import annotations

import io
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from svad.core.errors import JobError, Stopped
from svad.core.files import write_bytes
from svad.core.progress import Report
from svad.export.formats import EVERY
from svad.ui import texts
from svad.ui.beats import Followed
from svad.ui.engine import Unwatched
from svad.ui.events import Events
from svad.ui.extras import EXPORT
from svad.ui.gallery import own_job
from svad.ui.sharing import SIZE, job_of, picture, token_of
from svad.ui.shooting import filming
from svad.ui.studio import Studio
from tests.ui.page_fakes import FakePipeline, Names
from tests.ui.visitor import Visitor, until
from tests.waiting import WAIT


@pytest.fixture
def studio(make_studio) -> Studio:
    return make_studio(FakePipeline(0.02))


@pytest.fixture
def job(studio: Studio, photo: Path, cache: Path) -> str:
    """A finished job; the photo was uploaded."""
    sent = cache / "upload" / "my holiday.png"
    sent.parent.mkdir()
    sent.write_bytes(photo.read_bytes())
    *_, seen = studio.look(sent)
    list(studio.create(seen.job))
    return seen.job


def arrive(studio: Studio, **query: str) -> dict:
    return Events(studio, Names()).arrive(SimpleNamespace(query_params=query))


def test_a_shared_link_shows_no_photo_unless_it_is_ticked(studio: Studio, job: str) -> None:
    token = token_of(job)
    assert token not in job and job_of(studio.settings.jobs, token) == job
    shown = arrive(studio, avatar=token)
    assert shown["shown"] == f"share:{token}" and not shown["compare"].visible
    assert "viewer" in shown["viewer"] and "avatar.ply" in shown["files"]
    assert not shown["photo_too"].visible and job not in str(shown)
    studio.share_photo(job, True)
    assert arrive(studio, avatar=token)["compare"].visible
    assert arrive(studio, job=job)["photo_too"].value is True
    studio.share_photo(job, False)
    assert studio.shared(token).photo is None


@pytest.mark.parametrize("token", ["A" * 22, "", "..", "x/../y"])
def test_a_wrong_token_shows_nothing(studio: Studio, token: str) -> None:
    assert studio.shared(token) is None and studio.finished(f"share:{token}") is None
    if token:
        assert texts.SHARE_GONE in arrive(studio, avatar=token)["status"]


def test_nothing_stays_of_what_is_deleted(studio: Studio, job: str, cache: Path) -> None:
    events = Events(studio, Names())
    events.show(studio.finished(f"job:{job}"))
    list(studio.move(studio.finished(f"job:{job}"), "wave"))
    names = {path.name for path in cache.rglob("*") if path.is_file()}
    assert {"my holiday.png", "look.jpg", "compare_photo.jpg", "wave.mp4"} <= names
    gone = events.delete(job, f"job:{job}")
    assert gone["job"] == gone["shown"] == "" and f'data-forget="{job}"' in gone["mark"]
    assert not (studio.settings.jobs / job).exists()
    left = {path.name for path in cache.rglob("*") if path.is_file()}
    assert not left, left
    with pytest.raises(JobError):
        studio.delete(job)
    assert texts.DELETED in gone["status"] and "hours" in events.delete(job, "")["status"]


def test_a_running_job_is_stopped_and_deleted(make_studio, photo: Path) -> None:
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    *_, seen = studio.look(photo)
    run = studio.create(seen.job)
    next(run)
    until(lambda: pipeline.running == 1)
    studio.delete(seen.job)
    assert pipeline.running == 0 and not (studio.settings.jobs / seen.job).exists()
    assert list(run)[-1].finished is None


@pytest.mark.parametrize("whose", ["job", "share"])
def test_what_is_made_meanwhile_ends_with_the_avatar(
    studio: Studio, job: str, cache: Path, whose: str
) -> None:
    """It would make the folder anew, and with it the link."""
    begun, go = threading.Event(), threading.Event()

    def export(folder: Path, name: str, report: Report) -> Path:
        begun.set()
        while not go.wait(0.02):
            report(0, 1, "")
        write_bytes(folder / "avatar.obj", b"v 0 0 0")
        return folder / "avatar.obj"

    studio._engine = replace(studio.engine(), export=export)
    finished = studio.finished(f"job:{job}" if whose == "job" else f"share:{token_of(job)}")
    assert finished is not None
    making = studio.export(finished, "obj")
    next(making)
    assert begun.wait(WAIT)
    studio.delete(job)
    go.set()
    with pytest.raises(Stopped):
        list(making)
    assert not (studio.settings.jobs / job).exists()
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_what_was_sent_for_a_motion_goes_with_the_avatar(
    studio: Studio, job: str, clip: Path, photo: Path, cache: Path
) -> None:
    sent = cache / "upload" / "dancing at home.mp4", cache / "upload" / "wall.png"
    for file, source in zip(sent, (clip, photo), strict=True):
        file.write_bytes(source.read_bytes())
    finished = studio.finished(f"job:{job}")
    assert finished is not None
    behind = filming(background="picture", picture={"path": str(sent[1])})
    *_, followed = studio.follow(finished, sent[0], how=behind)
    assert isinstance(followed, Followed) and followed.moving is not None
    studio.delete(job)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def slow_export(go: threading.Event) -> Callable[[Path, str, Report], Path]:
    """Exports once it may go on, and listens to a stop until then."""

    def export(folder: Path, name: str, report: Report) -> Path:
        while not go.wait(0.02):
            report(0, 2, "packing")
        write_bytes(folder / EVERY[name].file, b"splats")
        return folder / EVERY[name].file

    return export


def test_a_file_is_made_without_its_page_and_found_again(studio: Studio, job: str) -> None:
    go, key = threading.Event(), f"job:{job}"
    studio._engine = replace(studio.engine(), export=slow_export(go))
    events = Events(studio, Names())
    left = events.export("spz", key)
    next(left)
    left.close()  # the page is gone
    back = events.attend_export(key)
    assert next(back) == {"exported": gr.skip()} and next(back)["export"].value == "spz"
    assert "packing" in next(back)["exported"]
    go.set()
    *_, last = back
    assert 'download="avatar.spz"' in last["exported"]
    *_, later = events.attend_export(key)
    assert later == last
    assert len(list(events.attend_export("example:ada"))) == 1, "an example is everybody's"


def test_a_file_that_nobody_waits_for_is_given_up(make_studio, photo: Path) -> None:
    studio = make_studio(FakePipeline(0.02), unwatched=Unwatched(nobody_waits=0))
    *_, seen = studio.look(photo)
    *_, ended = studio.create(seen.job)
    studio._engine = replace(studio.engine(), export=slow_export(threading.Event()))
    left = studio.export(ended.finished, "spz")
    next(left)
    left.close()
    until(lambda: not studio._makings.all()[0].running)
    with pytest.raises(Stopped):
        list(studio.again(ended.finished.key, EXPORT)[1])


@pytest.mark.parametrize("clip_too", [False, True])
def test_a_video_is_made_without_its_page_and_found_again(
    studio: Studio, job: str, clip: Path, cache: Path, clip_too: bool, monkeypatch
) -> None:
    pipeline, key, go = studio.engine().mover, f"job:{job}", threading.Event()
    real = pipeline.motion_video

    def held(*given, report: Report, **more) -> Path:
        while not go.wait(0.02):
            report(0, 1, "frame")
        return real(*given, report=report, **more)

    monkeypatch.setattr(pipeline, "motion_video", held)
    events, sent = Events(studio, Names()), cache / "upload" / "dance.mp4"
    sent.write_bytes(clip.read_bytes())
    ways = events.move("wave", key), events.follow_clip({"path": str(sent)}, key)
    left = ways[clip_too]
    until(lambda: "frame" in str(next(left)) or texts.DRAWING in str(next(left)))
    left.close()
    *_, nothing = events.attend_motion("example:ada")
    assert nothing == {"motion_video": gr.skip()}
    back = events.attend_motion(key)
    next(back)
    again = next(back)
    assert again["motion"].value == (None if clip_too else "wave")
    if clip_too:  # it can be stopped from the page that has come back
        assert studio.halt(again["following"])
        assert texts.FOLLOW_STOPPED in list(back)[-1]["motion_video"]
        assert len(list(events.attend_motion(key))) == 1
    else:
        go.set()
        assert "<video" in list(back)[-1]["motion_video"]
        assert (studio.finished(key).folder / "motions" / "wave.mp4").is_file()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_shared_link_has_words_a_picture_and_a_clip(
    studio: Studio, job: str, launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = launch(studio)
    link = f"{url}share/{token_of(job)}"
    status, page = get(link)
    words = unescape(page.decode())
    assert status == 200 and f'property="og:image" content="{link}/picture.jpg"' in words
    assert f"url=../?avatar={token_of(job)}" in words and job not in words
    monkeypatch.setenv("SPACE_HOST", "me-svad.hf.space")
    assert b"https://me-svad.hf.space/share/" in get(link)[1]
    with Image.open(io.BytesIO(get(f"{link}/picture.jpg")[1])) as image:
        assert image.size == SIZE
    assert get(f"{link}/clip.mp4")[1][4:8] == b"ftyp"
    for wrong in ("A" * 22, job, "..%2f..%2fetc"):
        assert get(f"{url}share/{wrong}")[0] == get(f"{url}share/{wrong}/clip.mp4")[0] == 404


def test_the_share_picture_shows_the_whole_figure(tmp_path: Path) -> None:
    figure = Image.new("RGBA", (400, 900))
    figure.paste((200, 0, 0, 255), (150, 100, 250, 800))
    figure.save(tmp_path / "front.png")
    with Image.open(io.BytesIO(picture(tmp_path / "front.png"))) as image:
        red = image.convert("RGB").getchannel("G").point(lambda g: 255 * (g < 60)).getbbox()
    assert red is not None and red[3] - red[1] >= SIZE[1] - 70
    assert abs((red[0] + red[2]) / 2 - SIZE[0] / 2) < 3


def test_what_is_not_a_visitors_own_has_no_job(studio: Studio) -> None:
    assert own_job("example:ada") == own_job("share:x") == own_job("") == ""
    assert own_job("job:abc/quick") == own_job("job:abc") == "abc"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Counts the pages that show the avatar they came for: before, its tab is opened by itself."""
    pages, attend = threading.Semaphore(0), Events.attend_export

    def attended(self: Events, key: str) -> Iterator[dict]:
        pages.release()
        yield from attend(self, key)

    monkeypatch.setattr(Events, "attend_export", attended)
    return pages


@pytest.mark.browser
@pytest.mark.flaky(reruns=1)
def test_a_file_that_is_being_made_is_there_after_a_reload(
    studio: Studio, job: str, shown: threading.Semaphore, launch, browser
) -> None:
    go = threading.Event()
    studio._engine = replace(studio.engine(), export=slow_export(go))
    visitor = Visitor(browser, f"{launch(studio)}?job={job}")
    assert visitor.says("#heading", texts.YOUR_AVATAR) and shown.acquire(timeout=WAIT)
    visitor.open_tab(texts.TAB_FILES)
    labels = until(lambda: [x for x in visitor.all("#exports label") if "avatar.spz" in x.text])
    labels[0].click()
    assert visitor.says("#exported", "packing")
    browser.refresh()
    assert visitor.says("#heading", texts.YOUR_AVATAR) and shown.acquire(timeout=WAIT)
    visitor.open_tab(texts.TAB_FILES)
    assert visitor.says("#exported", "packing")
    assert visitor.says("#exports label.selected", "avatar.spz")
    go.set()
    assert visitor.says("#exported", "avatar.spz")


@pytest.mark.browser
@pytest.mark.flaky(reruns=1)
def test_reload_remember_and_delete_in_the_browser(
    make_studio, launch, browser, photo: Path
) -> None:
    """Stop, reload, go on by the address; come back from memory; delete."""
    pipeline = FakePipeline(0.1, hold="relief")
    url = launch(make_studio(pipeline))
    visitor = Visitor(browser, url)
    assert visitor.drop_and_see(photo, "#check", texts.SEEN)
    until(lambda: "job=" in browser.current_url)
    visitor.press("#create")
    until(lambda: visitor.all("#steps .step.done"))
    visitor.press("#stop")
    assert visitor.says("#status", "Stopped.")
    browser.refresh()
    assert visitor.says("#status", "Press Create avatar to go on")
    pipeline.go.set()
    visitor.press("#create")
    assert visitor.says("#status", "Your avatar is ready")
    visitor = Visitor(browser, url)  # without the link
    assert visitor.says("#last", texts.LAST_OPEN)
    visitor.press("#last a")
    assert visitor.says("#heading", texts.YOUR_AVATAR)
    visitor.press("#delete")
    visitor.press("#sure")
    assert visitor.says("#status", "Deleted")
    until(lambda: "job=" not in browser.current_url)
    until(lambda: browser.execute_script("return localStorage.getItem('svad-last')") is None)
