"""A clip, or several photos, through the studio: looked through, created, stopped, gone on with."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from svad.config.presets import CLIP, PRESETS
from svad.core.errors import JobError, PhotoError, SourceError, Stopped
from svad.media.video import VideoError, write_mp4
from svad.types import Footage
from svad.ui.beats import Ended, Followed, Making, Seen
from svad.ui.events import Events
from svad.ui.memory import MOST, MOST_FOOTAGES, Memory
from tests.footage.turning import turning
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline, Names


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two photos of one person."""
    return [save_photo(tmp_path / f"{k}.png", 30 * k) for k in range(2)]


def look(studio, sent) -> Seen:
    *beats, seen = studio.look(sent)
    assert all(isinstance(beat, Making) for beat in beats) and isinstance(seen, Seen)
    return seen


def test_a_clip_is_looked_through_and_made_with_its_own_preset(make_studio, clip: Path):
    pipeline = FakePipeline(0.05, hold="glance")
    studio = make_studio(pipeline)
    look = studio.look(clip)
    while "waiting" not in (beat := next(look)).note:
        continue
    assert beat.share == 0.5 and "picture 6 of 10" in beat.note
    pipeline.go.set()
    *_, seen = look
    assert seen.pictures == 12
    with Image.open(seen.picture) as sheet:
        assert sheet.width == 600
    assert not studio.is_photo(seen.job)
    assert studio.preset_for(seen.job, "quick") == studio.preset_for(seen.job) == CLIP.name
    assert studio.preset_of(seen.job) == studio.settings.preset  # what a photo would be made with
    *_, ended = studio.create(seen.job, "quick")
    assert isinstance(ended, Ended) and ended.finished is not None
    assert ended.states[0].name == "footage"
    assert isinstance(pipeline.footages[0], Footage)  # it is not looked through again
    assert pipeline.glances == 1 and pipeline.looks == [None]


def test_several_photos_are_the_same_with_few_pictures(make_studio, photos: list[Path]):
    studio = make_studio(FakePipeline(0.05))
    seen = look(studio, photos)
    assert seen.pictures == 2
    kept = studio.pictures(seen.job)
    assert [path.read_bytes() for path in kept] == [path.read_bytes() for path in photos]
    *_, ended = studio.create(seen.job)
    assert ended.finished is not None


def test_stopped_in_training_and_gone_on_with(make_studio, clip: Path):
    pipeline = FakePipeline(0.2, hold="avatar")
    studio = make_studio(pipeline)
    job = look(studio, clip).job
    run = studio.create(job)
    while not any(s.name == "avatar" and s.done == 5 for s in next(run).states):
        continue
    studio.stop(job)
    *_, ended = run
    states = {state.name: state.state for state in ended.states}
    assert states["film"] == "done" and states["avatar"] == "stopped"
    pipeline.go.set()
    *_, again = studio.create(job)
    states = {state.name: state.state for state in again.states}
    assert states["footage"] == states["film"] == "kept" and states["avatar"] == "done"
    assert again.finished is not None and pipeline.footages[1] is None


def test_a_clip_is_told_its_own_cost_when_its_run_has_ended(make_studio, clip: Path):
    """No preset is chosen for it; the choice that is hidden says another."""
    studio = make_studio(FakePipeline(0.02))
    job = look(studio, clip).job
    events = Events(studio, Names())
    assert PRESETS[CLIP.name].note in unescape(events.cost(job, "preview")["offer"])
    assert PRESETS["preview"].note in events.cost("A" * 22, "preview")["offer"]


def test_a_look_that_nobody_waits_for_is_stopped(make_studio, clip: Path):
    pipeline = FakePipeline(0.05, hold="glance")
    studio = make_studio(pipeline)
    beats = studio.look(clip, "ticket")
    while "waiting" not in next(beats).note:
        continue
    assert studio.halt("ticket") and not studio.halt("another")
    with pytest.raises(Stopped):  # or it would wait for ever
        list(beats)
    assert not studio.halt("ticket")


def test_pictures_that_do_not_go_together_are_said(
    make_studio, clip: Path, photo: Path, photos: list[Path], tmp_path: Path
):
    write_mp4(tmp_path / "short.mp4", list(turning(8).rgb), fps=8)
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    many = [save_photo(tmp_path / f"many{k}.png", 20 * k) for k in range(5)]
    studio = make_studio(FakePipeline(0.05))
    for sent, kind, words in (
        ([clip, photo], SourceError, "beside a photo"),
        ([clip, clip], SourceError, "2 clips"),
        (many, SourceError, "at most 4"),
        ([photos[0], photos[0]], SourceError, "same photo"),
        ([tmp_path / "short.mp4"], VideoError, "too short"),
        ([tmp_path / "cut.mp4"], VideoError, "too short"),
    ):
        with pytest.raises(kind, match=words):
            look(studio, sent)


def test_clips_may_be_larger_than_photos(make_studio, clip: Path, tmp_path: Path):
    (tmp_path / "large.png").write_bytes(bytes(1_500_000))
    with pytest.raises(PhotoError, match="Photos can have up to 1 MB"):
        look(make_studio(upload_megabytes=1), tmp_path / "large.png")
    with pytest.raises(SourceError, match="Clips can have up to 0.001 MB"):
        look(make_studio(clip_megabytes=0.001), clip)


def test_the_avatar_moves_as_somebody_in_a_clip(make_studio, photo: Path, clip: Path, cache: Path):
    pipeline = FakePipeline(0.05, hold="track")
    studio = make_studio(pipeline)
    *_, ended = studio.create(look(studio, photo).job)
    beats = studio.follow(ended.finished, clip)
    while not 0 < (next(beats).share or 0) < 1:
        continue
    pipeline.go.set()
    *_, made = beats
    assert isinstance(made, Followed)
    assert made.bvh.suffix == ".bvh" and made.bvh.is_file()
    assert made.motion.read_bytes() == b"motion" and made.video.read_bytes()[4:8] == b"ftyp"
    assert cache in made.motion.parents, "everybody could read it beside an example"
    assert not list(ended.finished.folder.glob("**/*.npz"))
    with pytest.raises(JobError, match="without a movable avatar"):
        list(studio.follow(replace(ended.finished, movable=False), clip))
    with pytest.raises(VideoError, match="picture, not a clip"):
        list(studio.follow(ended.finished, photo))


def test_only_the_latest_looks_are_kept():
    memory, footage = Memory(), turning(1)
    for k in range(MOST + 1):
        memory.keep(f"photo {k}", object())
    assert memory.take("photo 0") is None and memory.take("photo 1") is not None
    for k in range(MOST_FOOTAGES + 1):
        memory.keep(f"clip {k}", footage)
    assert memory.take("clip 0") is None and memory.take("clip 1") is footage
    assert memory.take("clip 1") is None
