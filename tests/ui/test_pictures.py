"""The page's callbacks for what is dropped, added and taken away, and for clips below Motions."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from svad.ui import texts
from svad.ui.events import Events
from svad.ui.parts import Given
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline
from tests.waiting import WAIT, until


class Names:
    """Stands for the page's components: each is its own name."""

    def __getattr__(self, name: str) -> str:
        return name


class Visitor:
    """What a browser would send, and what it was last shown."""

    def __init__(self, studio: Any, cache: Path) -> None:
        self.events, self.cache = Events(studio, Names()), cache
        self.shown: dict[str, Any] = {"given": Given(), "job": "", "photo": []}

    def upload(self, path: Path) -> str:
        """A file in the page's cache."""
        target = self.cache / path.name
        target.write_bytes(path.read_bytes())
        return str(target)

    def has(self, *paths: str) -> list[dict]:
        kind = {True: "video", False: "image"}
        self.shown["photo"] = list(paths)
        return [{kind[path.endswith("mp4")]: {"path": path}} for path in paths]

    def drop(self, *paths: str) -> dict[str, Any]:
        """The gallery holds these files now; what changed on the page."""
        given, job, changed = self.shown["given"], self.shown["job"], {}
        for updates in self.events.look(self.has(*paths), given, job, "preview"):
            changed |= updates
            self.shown |= updates
        return changed


@pytest.fixture
def visit(make_studio, cache: Path):
    def start(pipeline: FakePipeline | None = None, **settings: Any) -> Visitor:
        return Visitor(make_studio(pipeline or FakePipeline(0.05), **settings), cache)

    return start


def test_a_clip_hides_the_choice_and_says_what_it_gives(visit, clip: Path):
    visitor = visit()
    changed = visitor.drop(visitor.upload(clip))
    check = unescape(changed["check"])
    assert "12 pictures are used" in check and texts.LEGEND_DIAL in check
    assert texts.LARGE in check and Path(changed["photo"][0]).is_file()
    assert changed["preset"].visible is False and changed["create"].interactive
    assert "clip of somebody turning" in changed["offer"]
    assert "Follow the person" in changed["steps"]
    gone = visitor.drop()
    assert gone["preset"].visible is True and texts.TIPS_CLIP in unescape(gone["check"])
    assert gone["job"] == "" and "Follow the person" not in gone["steps"]


def test_what_the_page_drew_itself_is_not_looked_at_again(visit, photo: Path):
    pipeline = FakePipeline(0.05)
    visitor = visit(pipeline)
    changed = visitor.drop(visitor.upload(photo))
    job = changed["job"]
    assert job and "preset" not in changed  # the choice stays as it was
    assert set(visitor.drop(*changed["photo"])) == {"status"}
    assert visitor.shown["job"] == job


def test_a_second_photo_beside_the_first_is_one_person_from_two_sides(
    visit, photo: Path, tmp_path: Path
):
    visitor = visit()
    first = visitor.drop(visitor.upload(photo))
    back = save_photo(tmp_path / "back.png", 40)
    changed = visitor.drop(*first["photo"], visitor.upload(back))
    assert "2 pictures are used" in changed["check"]
    kept = visitor.events.studio.pictures(changed["job"])
    assert [path.read_bytes() for path in kept] == [photo.read_bytes(), back.read_bytes()]


def test_a_failed_clip_is_explained_and_nothing_is_lost(visit, clip: Path, photo: Path):
    visitor = visit()
    (clip.parent / "cut.mp4").write_bytes(clip.read_bytes()[:300])
    changed = visitor.drop(bad := visitor.upload(clip.parent / "cut.mp4"))
    assert 'role="alert"' in changed["check"] and texts.BAD_CLIP in changed["check"]
    assert texts.OTHER_PICTURES in changed["check"] and changed["job"] == ""
    assert set(visitor.drop(bad)) == {"status"}  # the browser tells of it twice
    beside = visitor.drop(visitor.upload(clip), visitor.upload(photo))
    assert texts.BAD_PICTURES in beside["check"] and "beside a photo" in beside["check"]
    assert visitor.drop(visitor.upload(photo))["job"]


def test_files_that_were_not_uploaded_are_refused(visit, clip: Path):
    changed = visit().drop("/etc/passwd", str(clip))
    assert texts.NO_FILE in changed["check"] and changed["job"] == ""


def test_a_clip_taken_away_is_not_looked_at_to_the_end(visit, clip: Path):
    pipeline = FakePipeline(0.3, hold="glance")
    visitor = visit(pipeline)
    file = visitor.upload(clip)
    thread = Thread(target=visitor.drop, args=[file], daemon=True)
    thread.start()
    until(lambda: pipeline.glances)
    visitor.events.interrupt(visitor.has(file), visitor.shown["given"])
    assert thread.is_alive()  # it is still the same file
    visitor.events.interrupt([], visitor.shown["given"])
    thread.join(WAIT)
    assert not thread.is_alive() and visitor.shown["job"] == ""
    assert "cannot be used" not in visitor.shown["check"]
    assert texts.TIPS in unescape(visitor.drop()["check"])


def test_a_link_to_a_clips_job_brings_its_choice_back(visit, clip: Path):
    visitor = visit()
    job = visitor.drop(visitor.upload(clip))["job"]
    shown = visitor.events.arrive(SimpleNamespace(query_params={"job": job}))
    assert shown["preset"].visible is False and shown["given"].several
    assert shown["given"].paths == tuple(shown["photo"]) and shown["job"] == job
    *_, last = visitor.events.create(job, "preview")
    assert "ready" in last["status"] and last["follow"].interactive


def test_a_clip_below_motions_moves_the_avatar_or_says_why_not(visit, photo: Path, clip: Path):
    visitor = visit()
    job = visitor.drop(visitor.upload(photo))["job"]
    *_, _ = visitor.events.create(job, "preview")
    file = {"path": visitor.upload(clip)}
    first, *_, last = visitor.events.follow_clip(file, f"job:{job}")
    assert first["follow_stop"].visible and first["following"]
    assert "Nobody is seen from 1.0" in last["motion_video"]
    for ending in (".npz", ".bvh"):
        assert texts.MOTION_FILE.format(ending=ending) in last["motion_video"]
    assert texts.MOTION_MESH.format(ending=".glb") in last["motion_video"]
    assert ".mp4" in last["motion_video"]
    assert re.search(r'data-motion="/[^"]+\.rig"', last["motion_video"])
    assert last["follow"].interactive and last["motion"].interactive
    for clip_file, key, words in (
        (file, "", texts.MOTION_NOTHING),
        ({"path": "/etc/passwd"}, f"job:{job}", texts.NO_FILE),
        ({"path": visitor.upload(photo)}, f"job:{job}", "not a clip"),
    ):
        *_, last = visitor.events.follow_clip(clip_file, key)
        assert words in unescape(last["motion_video"]) and last["follow"].interactive


def test_a_motions_file_moves_the_avatar_or_says_why_not(visit, photo: Path, tmp_path: Path):
    visitor = visit()
    job = visitor.drop(visitor.upload(photo))["job"]
    *_, _ = visitor.events.create(job, "preview")
    for name, content, words in (
        ("walk.bvh", b"!", texts.MOTION_FILE.format(ending=".bvh")),
        ("walk.fbx", b"?", texts.BAD_MOTION),
    ):
        (tmp_path / name).write_bytes(content)
        file = {"path": visitor.upload(tmp_path / name)}
        *_, last = visitor.events.follow_clip(file, f"job:{job}")
        assert words in unescape(last["motion_video"]) and last["follow"].interactive


def test_a_clip_below_motions_can_be_stopped(visit, photo: Path, clip: Path):
    visitor = visit(FakePipeline(0.05, hold="track"))
    job = visitor.drop(visitor.upload(photo))["job"]
    *_, _ = visitor.events.create(job, "preview")
    beats = visitor.events.follow_clip({"path": visitor.upload(clip)}, f"job:{job}")
    ticket = next(beats)["following"]
    next(beats)
    assert visitor.events.halt_follow(ticket)["follow_stop"].interactive is False
    *_, last = beats
    assert texts.FOLLOW_STOPPED in last["motion_video"] and last["motion"].interactive
    assert visitor.events.halt_follow(ticket)["follow_stop"].visible is False


def test_a_video_with_choices_is_shown_and_leaves_nothing_beside_the_avatar(
    visit, photo: Path
) -> None:
    visitor = visit()
    job = visitor.drop(visitor.upload(photo))["job"]
    *_, _ = visitor.events.create(job, "preview")
    wall = {"path": visitor.upload(photo)}
    for chosen, words in (
        (("front", "picture", "", wall, 480, 0, False), "<video"),
        (("front", "transparent", "", None, 480, 0, False), ".webm"),
        (("front", "studio", "", None, 480, 0, True), "Download the video (.zip)"),
        (("front", "picture", "", None, 480, 0, True), texts.FILM_NO_PICTURE),
    ):
        *_, last = visitor.events.move("wave", f"job:{job}", *chosen)
        (html,) = last.values()
        assert words in unescape(html)
    folder = visitor.events.studio.job(job).folder
    assert not list(folder.glob("motions/*"))
