"""What a visitor can do, without a page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from gradio.context import LocalContext
from PIL import Image

from svad.config.preset import BUILT_IN
from svad.config.presets import PRESETS
from svad.core.errors import JobError, OutputError, PhotoError
from svad.run.sources import photo_hash
from svad.subject.checks import read_photo
from svad.ui.beats import Ended, Progress, Seen
from svad.ui.callers import CallerError
from svad.ui.engine import Unwatched
from svad.ui.studio import Studio
from svad.ui.work import Task
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline
from tests.waiting import WAIT, until


def look(studio, photo: Path) -> Seen:
    *_, seen = studio.look(photo)
    assert isinstance(seen, Seen)
    return seen


def create(studio, job: str) -> Ended:
    *beats, ended = studio.create(job)
    assert all(isinstance(beat, Progress) for beat in beats) and isinstance(ended, Ended)
    return ended


def test_from_photo_to_avatar(make_studio, photo: Path, cache: Path):
    studio = make_studio()
    seen = look(studio, photo)
    assert cache in seen.picture.parents and len(seen.job) == 22
    ended = create(studio, seen.job)
    assert ended.finished.key == f"job:{seen.job}"
    assert ended.finished.archive.is_file() and ended.finished.viewer.is_file()
    assert studio.finished(f"job:{seen.job}").name == "Your avatar"
    assert (studio.settings.jobs / seen.job).stat().st_mode & 0o077 == 0


def test_a_look_serves_only_presets_that_work_at_its_size(make_studio, photo: Path):
    pipeline = FakePipeline(0.05)
    studio = make_studio(pipeline)
    assert PRESETS["quick"].subject != PRESETS[studio.settings.preset].subject
    for preset in ("preview", "quick"):
        list(studio.create(look(studio, photo).job, preset))
    first, second = pipeline.looks
    assert first is not None and second is None  # looked at again, larger


def test_stop_is_quick_and_keeps_what_is_finished(make_studio, photo: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    job = look(studio, photo).job
    run = studio.create(job)
    while not any(s.state == "done" for s in next(run).states):
        continue
    assert studio.stop(job)
    *_, ended = run  # or it would wait for ever
    assert ended.finished is None and any(s.state == "done" for s in ended.states)
    assert studio.finished(f"job:{job}") is None
    pipeline.go.set()
    again = create(studio, job)
    assert again.states[0].state == "kept" and again.finished is not None
    assert not studio.stop(job)


def test_a_stage_that_does_not_listen_cannot_hold_the_page(make_studio, photo: Path):
    pipeline = FakePipeline(0.05, deaf=True, hold="relief")
    studio = make_studio(pipeline)
    job = look(studio, photo).job
    run = studio.create(job)
    next(run)
    until(lambda: pipeline.running)
    studio.stop(job)
    *_, ended = run
    assert pipeline.running == 1 and ended.finished is None
    again = studio.create(job)  # waits for the first run to end
    while not next(again).winding_down:
        continue
    pipeline.hear.set()
    pipeline.go.set()
    assert list(again)[-1].finished is not None


def leave(studio: Studio, job: str, pipeline: FakePipeline) -> None:
    """Begins a run, and closes the page when it works."""
    run = studio.create(job)
    next(run)
    until(lambda: pipeline.running == 1)
    run.close()


def test_a_run_goes_on_without_its_page_and_is_seen_by_who_comes_back(make_studio, photo: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    job = look(studio, photo).job
    leave(studio, job, pipeline)
    back = studio.watch(job)
    while not any(s.state == "done" for s in next(back).states):
        continue
    pipeline.go.set()
    ended = list(back)[-1]
    assert ended.finished.key == f"job:{job}" and len(pipeline.folders) == 1
    (late,) = studio.watch(job)  # who comes after the end is told the same
    assert late.finished.key == ended.finished.key and late.seconds == ended.seconds
    assert not list(studio.watch("another"))


def test_two_pages_watch_one_run_and_either_stops_it(make_studio, photo: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    job = look(studio, photo).job
    first, second = studio.create(job), studio.create(job)
    next(first), next(second)
    until(lambda: pipeline.running == 1)
    assert not next(second).winding_down and len(pipeline.folders) == 1
    studio.stop(job)
    for run in (first, second):
        assert list(run)[-1].finished is None
    assert pipeline.running == 0


def test_who_asks_for_something_else_meanwhile_is_told_what_goes_on(make_studio, photo: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    job = look(studio, photo).job
    assert studio.begin(job, "preview") == ("preview", BUILT_IN)
    same, other = studio.create(job, "preview"), studio.create(job, "quick")
    assert next(same).other is None and next(other).other == ("preview", BUILT_IN)
    with pytest.raises(JobError, match="made at the moment"):
        next(studio.add(job, [photo]))  # it would be written over what the run reads
    studio.stop(job)
    assert list(other)[-1].finished is None
    assert next(studio.create(job, "quick")).other is None
    assert studio.stop(job) and len(pipeline.folders) == 2


def test_a_run_that_nobody_watches_ends_after_a_while(make_studio, photo: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline, unwatched=Unwatched(nobody_waits=0))
    job = look(studio, photo).job
    leave(studio, job, pipeline)
    until(lambda: studio.progress(job) is None)
    (ended,) = studio.watch(job)
    assert ended.abandoned and ended.finished is None and pipeline.running == 0


def test_it_ends_sooner_where_somebody_waits_and_not_before(make_studio, tmp_path: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline, unwatched=Unwatched(others_wait=0))
    jobs = [look(studio, save_photo(tmp_path / f"{k}.png", 40 * k)).job for k in range(2)]
    leave(studio, jobs[0], pipeline)
    other = studio.create(jobs[1])
    next(other)
    until(lambda: len(pipeline.folders) == 2)
    (ended,) = studio.watch(jobs[0])
    assert ended.abandoned and pipeline.most_running == 1
    pipeline.go.set()
    assert list(other)[-1].finished is not None


def test_a_run_that_is_left_keeps_place_and_request_until_it_ends(make_studio, tmp_path: Path):
    """Or a visitor might have any number made at once, and the GPU would not know whose it is."""
    pipeline, seen = FakePipeline(0.05, hold="relief"), []
    studio = make_studio(pipeline, hosted=True, per_visitor=1)
    request = SimpleNamespace(headers={"x-forwarded-for": "93.184.216.34"})
    real = pipeline.run

    def run(*sent, **more):
        try:
            return real(*sent, **more)
        finally:
            seen.append(LocalContext.request.get())

    pipeline.run = run
    jobs = [look(studio, save_photo(tmp_path / f"{k}.png", 40 * k)).job for k in range(2)]
    before = LocalContext.request.set(request)
    try:
        leave(studio, jobs[0], pipeline)
        with pytest.raises(CallerError):
            next(studio.create(jobs[1]))
        assert next(studio.create(jobs[0]))  # which is the run that has the place
        pipeline.go.set()
        list(studio.watch(jobs[0]))
        assert list(studio.create(jobs[1]))[-1].finished is not None
    finally:
        LocalContext.request.reset(before)
    assert seen == [request, request]


def test_visitors_wait_in_line_and_stay_apart(make_studio, tmp_path: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    jobs = [look(studio, save_photo(tmp_path / f"{k}.png", 40 * k)).job for k in range(2)]
    first, second = (studio.create(job) for job in jobs)
    next(first)
    until(lambda: pipeline.running == 1)
    while next(second).ahead != 1:
        continue
    pipeline.go.set()
    ended = [list(run)[-1] for run in (first, second)]
    assert pipeline.most_running == 1
    folders = [end.finished.folder for end in ended]
    assert folders[0] != folders[1]
    assert (folders[0] / "picture-1").read_bytes() != (folders[1] / "picture-1").read_bytes()


def test_stop_reaches_who_waits_in_line(make_studio, tmp_path: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    jobs = [look(studio, save_photo(tmp_path / f"{k}.png", 40 * k)).job for k in range(2)]
    first, second = (studio.create(job) for job in jobs)
    next(first)
    until(lambda: pipeline.running == 1)
    next(second)
    studio.stop(jobs[1])
    assert list(second)[-1].finished is None and len(pipeline.folders) == 1
    studio.stop(jobs[0])


@pytest.mark.parametrize("key", ["job:../../etc", "job:" + "A" * 22, "job:", "example:../ada", "x"])
def test_only_who_knows_the_id_sees_a_job(make_studio, key: str):
    studio = make_studio()
    if key.startswith("job:"):
        with pytest.raises(JobError, match="does not work any more"):
            studio.finished(key)
    else:
        assert studio.finished(key) is None


def test_a_motion_is_made_once(make_studio, photo: Path, monkeypatch: pytest.MonkeyPatch):
    pipeline, calls = FakePipeline(0.02), []
    real = pipeline.motion_video
    monkeypatch.setattr(pipeline, "motion_video", lambda *a, **k: calls.append(a) or real(*a, **k))
    studio = make_studio(pipeline)
    finished = create(studio, look(studio, photo).job).finished
    videos = [list(studio.move(finished, "wave"))[-1] for _ in range(2)]
    assert videos[0] == videos[1] and videos[0].stat().st_size > 0 and len(calls) == 1
    with pytest.raises(JobError):
        list(studio.move(finished, "../wave"))


def test_errors_come_as_they_are_and_leave_the_place_free(make_studio, photo: Path):
    pipeline = FakePipeline(0.05)
    studio = make_studio(pipeline)
    job = look(studio, photo).job

    def full(*args, **more):
        raise OutputError("There is no room left.")

    pipeline.run, real = full, pipeline.run
    with pytest.raises(OutputError, match="no room left"):
        list(studio.create(job))
    pipeline.run = real
    assert create(studio, job).finished is not None


def test_an_output_folder_that_cannot_be_written_is_said(make_studio, photo: Path, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    studio = make_studio(jobs=tmp_path / "file" / "jobs")
    with pytest.raises(OutputError):
        list(studio.look(photo))


def test_bad_files_are_refused_in_words(make_studio, tmp_path: Path):
    (tmp_path / "text.png").write_text("This is no picture.")
    with pytest.raises(PhotoError, match="not a picture"):
        list(make_studio().look(tmp_path / "text.png"))


def test_a_task_may_be_silent(make_studio):
    assert Task(lambda task: 3).join(WAIT)


def test_of_a_photo_its_pixels_are_kept_and_not_where_it_was_taken(make_studio, tmp_path: Path):
    exif = Image.Exif()
    exif[274] = 6  # turn clockwise to see it upright
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    with Image.open(save_photo(tmp_path / "a.png", 40)) as photo:
        photo.save(tmp_path / "at home.jpg", exif=exif, quality=95)
    studio = make_studio(FakePipeline(0.1))
    folder = studio.engine().store.open(look(studio, tmp_path / "at home.jpg").job).folder
    with Image.open(folder / "picture-1") as kept, Image.open(tmp_path / "at home.jpg") as sent:
        assert not kept.getexif() and not kept.info
        assert kept.size == sent.size[::-1]  # upright already
    assert photo_hash(read_photo(folder / "picture-1")) == photo_hash(
        read_photo(tmp_path / "at home.jpg")
    )
