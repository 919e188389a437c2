"""Job folders: who may use them, when they go, what their cards say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from svad.config.presets import PREVIEW
from svad.core import locks
from svad.core.errors import JobError, OutputError
from svad.core.locks import DEADLINE, is_locked, locked
from svad.run.card import CARD, SCHEMA, read_card, require_finished
from svad.run.jobs import LOCK, open_job
from tests.helpers import aged
from tests.waiting import WAIT, until

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    with locked(path):
        assert is_locked(path)
        with pytest.raises(JobError, match="Another run"), locked(path):
            raise AssertionError("two runs hold one lock")
        assert path.exists()
    assert not path.exists() and not is_locked(path)


def test_of_many_that_want_a_stale_lock_one_gets_it(tmp_path: Path) -> None:
    path, got, go = tmp_path / LOCK, [], threading.Barrier(8, timeout=WAIT)
    path.write_text('{"token": "x"}')
    aged(path, DEADLINE + 1)

    def work() -> None:
        go.wait()
        try:
            with locked(path):
                got.append(1)
                until(lambda: len(got) == 8)  # nobody comes after it is free
        except JobError:
            got.append(0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [0] * 7 + [1]


def test_who_sweeps_too_late_leaves_the_lock_that_was_taken_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, age = tmp_path / LOCK, locks._age

    def taken_after_a_look(place: Path) -> float:
        try:
            return age(place)
        except FileNotFoundError:
            path.write_text('{"token": "of another"}')
            raise

    monkeypatch.setattr(locks, "_age", taken_after_a_look)
    locks._sweep(path)
    assert "of another" in path.read_text() and not list(tmp_path.glob("*-stale"))


def test_a_lock_of_an_ended_process_is_taken_over(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = tmp_path / LOCK
    path.write_text(json.dumps({"pid": ended.pid, "host": os.uname().nodename, "token": "x"}))
    assert not is_locked(path)
    with locked(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_lock_from_another_machine_counts_until_it_goes_quiet(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "token": "x"}))
    assert is_locked(path)
    aged(path, DEADLINE + 1)
    assert not is_locked(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((text, "is damaged") for text in ("", "no json", '{"schema": 1')),
        *(
            (f'{{"schema": 1, {text}}}', "is damaged")
            for text in (
                '"stages": true',
                '"stages": ["x"]',
                '"stages": [{"name": 1, "seconds": 1}]',
                '"stages": [{"name": "a"}]',
                '"stages": [{"name": "a", "seconds": 1, "files": 3}]',
                '"warnings": 2',
                '"warnings": [3]',
                '"result": "x"',
                '"result": {"ply": 1}',
            )
        ),
        *((text, "tells of no run here") for text in ("[]", "{}", "7", '{"schema": "one"}')),
    ],
)
def test_a_damaged_card_is_a_sentence(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / CARD).write_text(text)
    with pytest.raises(JobError, match=words):
        read_card(tmp_path)
    with pytest.raises(JobError, match="is a file"):
        read_card(tmp_path / CARD)


def test_an_avatar_that_was_not_finished_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="not finished: it has no stages/avatar.safetensors"):
        require_finished(tmp_path / "stages" / "avatar.safetensors")


@pytest.mark.parametrize("top", ["/", "/tmp/.."])
def test_the_top_of_the_disk_is_no_folder_for_an_avatar(top: str) -> None:
    with pytest.raises(OutputError, match="top of the whole disk"), open_job(Path(top), "a"):
        pass


def test_a_card_from_the_future_is_left_alone(tmp_path: Path) -> None:
    text = json.dumps({"schema": SCHEMA + 1})
    (tmp_path / CARD).write_text(text)
    with pytest.raises(JobError, match="newer version"), open_job(tmp_path, "a"):
        raise AssertionError("opened")
    assert (tmp_path / CARD).read_text() == text


def test_no_job_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no job"):
        read_card(tmp_path)
    with pytest.raises(JobError, match="no job"), open_job(tmp_path, None):
        raise AssertionError("opened")


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may write everywhere; so these tests are run as somebody else."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)


def test_an_unwritable_folder_is_a_sentence(tmp_path: Path, nobody: None) -> None:
    if os.geteuid() != 65534:
        tmp_path.chmod(0o500)
    for folder in (tmp_path, tmp_path / "out", Path("/proc/out")):
        with pytest.raises(OutputError, match="cannot be"), open_job(folder, "a"):
            raise AssertionError("opened")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no such folder here")
def test_a_folder_that_takes_no_files_is_a_sentence() -> None:
    with (
        pytest.raises(OutputError, match="/proc/self takes no files"),
        locked(Path("/proc/self/x")),
    ):
        raise AssertionError("a lock was made there")


def test_a_file_as_output_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    for folder in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match="cannot be used"), open_job(folder, "a"):
            raise AssertionError("opened")


def test_a_move_that_was_cut_short_is_finished_by_the_next_run(tmp_path: Path) -> None:
    with open_job(tmp_path, "first") as job:
        job.begin(PREVIEW, "first")
        (tmp_path / "input.png").write_bytes(b"first")
        job.record({"name": "subject", "seconds": 1.0, "files": {"input.png": 5}}, ["subject"])
    with open_job(tmp_path, "second") as job:
        assert job.replaces
        job.begin(PREVIEW, "second")
        (tmp_path / CARD).unlink()  # the first step of the move
    with open_job(tmp_path, "second") as job:
        assert job.replaces and job.card["source"] == "second"
        job.publish()
    assert read_card(tmp_path)["source"] == "second" and not (tmp_path / ".next").exists()


def test_a_forged_card_reaches_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    out = tmp_path / "out"
    with open_job(out, "first") as job:
        job.begin(PREVIEW, "first")
        outside = {"../mine.txt": 4, str(tmp_path / "mine.txt"): 4, "stages/../../mine.txt": 4}
        job.record({"name": "subject", "seconds": 1.0, "files": outside}, ["subject"])
        assert not job.files()
        job.remove(job.files())
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "pid 7", "{}", '{"pid": 1}', "[]"])
def test_a_lock_that_was_not_made_here_is_never_taken(text: str, tmp_path: Path) -> None:
    for name in (LOCK, f"{LOCK}-stale"):
        path = tmp_path / name
        path.write_text(text)
        aged(path, DEADLINE + 100)
        if name != LOCK:
            (tmp_path / LOCK).write_text('{"token": "x"}')
            aged(tmp_path / LOCK, DEADLINE + 100)
        with pytest.raises(JobError, match="was not made here"), open_job(tmp_path, "a"):
            raise AssertionError("opened")
        assert path.read_text() == text
        path.unlink()


def test_a_folder_or_a_link_in_the_locks_place_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for make in (Path.mkdir, lambda path: path.symlink_to(tmp_path / "mine")):
        make(tmp_path / LOCK)
        with pytest.raises(JobError, match="was not made here"), open_job(tmp_path, "a"):
            raise AssertionError("opened")
        assert os.path.lexists(tmp_path / LOCK)
        (tmp_path / LOCK).rmdir() if (tmp_path / LOCK).is_dir() else (tmp_path / LOCK).unlink()
    assert (tmp_path / "mine").read_text() == "mine"


def test_without_links_a_lock_is_one_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / LOCK
    with locked(path):
        assert is_locked(path)
        with pytest.raises(JobError, match="Another run"), locked(path):
            raise AssertionError("two runs hold one lock")
    assert not list(tmp_path.iterdir())


def begun(folder: Path, source: str) -> None:
    """A job with one file, and the next of another source beside it, both cut short."""
    with open_job(folder, "first") as job:
        job.begin(PREVIEW, "first")
        (folder / "input.png").write_bytes(b"first")
        job.record({"name": "subject", "seconds": 1.0, "files": {"input.png": 5}}, ["subject"])
    with open_job(folder, source) as job:
        job.begin(PREVIEW, source)


def test_a_next_folder_that_was_not_made_here_stays(tmp_path: Path) -> None:
    mine = tmp_path / ".next" / "deep" / "mine.txt"
    for job in (None, "first"):  # beside nothing, and beside the job of another
        if job:
            mine.unlink()
            mine.parent.rmdir()
            mine.parent.parent.rmdir()
            with open_job(tmp_path, job) as one:
                one.begin(PREVIEW, job)
                (tmp_path / "input.png").write_bytes(b"first")
                one.record({"name": "a", "seconds": 1.0, "files": {"input.png": 5}}, ["a"])
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        words = r"\.next was not made here"
        with pytest.raises(OutputError, match=words), open_job(tmp_path, "second"):
            raise AssertionError("opened")
        assert mine.read_text() == "mine"


def test_a_next_folder_of_ours_gives_way_but_for_what_was_put_into_it(tmp_path: Path) -> None:
    begun(tmp_path, "second")
    with open_job(tmp_path, "third") as job:  # the second is not wanted any more
        assert job.replaces and not (tmp_path / ".next" / CARD).exists()
        job.begin(PREVIEW, "third")
        (tmp_path / ".next" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="was not made here"), open_job(tmp_path, "fourth"):
        raise AssertionError("opened")
    with open_job(tmp_path, "third") as job:
        job.publish()
    assert read_card(tmp_path)["source"] == "third"
    assert [p.name for p in (tmp_path / ".next").iterdir()] == ["mine.txt"]


def test_a_next_that_is_a_file_or_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").write_text("mine")
    (tmp_path / "out" / ".next").symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError, match="was not made here"), open_job(tmp_path / "out", "a"):
        raise AssertionError("opened")
    (tmp_path / "out" / ".next").unlink()
    (tmp_path / "out" / ".next").write_text("mine")
    with pytest.raises(OutputError, match="was not made here"), open_job(tmp_path / "out", "a"):
        raise AssertionError("opened")
    assert (tmp_path / "mine" / "a").read_text() == "mine"


def test_an_example_is_no_job_and_the_advice_can_be_followed() -> None:
    """The examples hold what the page shows, and not the avatar itself."""
    for card in sorted(EXAMPLES.glob("*/example.json")):
        with pytest.raises(JobError, match="without the avatar itself") as found:
            read_card(card.parent)
        photo = Path(str(found.value).split()[-3])
        assert photo.is_file() and photo.parent == card.parent
