"""The folder of jobs: ids that open one job only, and its janitor."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from pathlib import Path

import pytest

from svad.core import locks
from svad.core.errors import JobError, OutputError
from svad.run.job_store import ID, JobStore, start_janitor
from svad.run.jobs import LOCK
from tests.helpers import aged
from tests.waiting import until


def filled(store: JobStore, size: int, age: float) -> Path:
    job = store.create()
    (job.folder / "avatar.ply").write_bytes(bytes(size))
    aged(job.folder, age)
    return job.folder


def test_ids_cannot_be_guessed_nor_folders_read_by_others(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    ids = {store.create().id for _ in range(50)}
    assert len(ids) == 50 and all(ID.fullmatch(id) for id in ids)
    for id in ids:
        assert stat.S_IMODE((tmp_path / "jobs" / id).stat().st_mode) == 0o700
    assert store.open(next(iter(ids))).id in ids


@pytest.mark.parametrize(
    "id", ["", ".", "..", "../jobs", "a" * 22, "/etc", "a/../../etc/passwd123456"]
)
def test_no_other_folder_is_opened(id: str, tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    store.create()
    with pytest.raises(JobError):
        store.open(id)


def test_the_janitor_takes_the_old_then_the_oldest_but_nothing_locked(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    ages = {age: filled(store, 1000, age) for age in (5000, 4000, 300, 200, 100)}
    (ages[5000] / LOCK).write_text(json.dumps({"pid": os.getpid(), "host": os.uname().nodename}))
    aged(ages[5000] / LOCK, 0)
    aged(ages[5000], 5000)
    os.utime(ages[5000] / LOCK)
    (tmp_path / "jobs" / "not a job").mkdir()
    assert store.clean(max_age=3600, max_bytes=3500) == 2
    left = {age for age, folder in ages.items() if folder.exists()}
    assert left == {5000, 200, 100} and (tmp_path / "jobs" / "not a job").exists()
    assert store.clean(max_age=3600, max_bytes=3500) == 0


def test_a_full_disk_is_freed_though_it_has_no_room_for_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: dict) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    store = JobStore(tmp_path / "jobs")
    old, running, new = (filled(store, 1000, age) for age in (5000, 5000, 5))
    (running / LOCK).write_text(json.dumps({"pid": os.getpid(), "host": os.uname().nodename}))
    monkeypatch.setattr(locks, "_write", full)
    assert store.clean(max_age=3600, max_bytes=10**9) == 1
    assert not old.exists() and running.exists()
    with pytest.raises(OutputError, match="no room"):
        store.remove(running.name)
    store.remove(new.name)
    assert not new.exists() and running.exists()


def test_the_janitor_works_in_the_background_and_ends(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    before = filled(store, 10, age=100)
    end = start_janitor(store, every=0.05, max_age=50, max_bytes=10**9)
    after = filled(store, 10, age=100)
    until(lambda: not before.exists() and not after.exists())
    end()
    later = filled(store, 10, age=100)
    time.sleep(0.2)
    assert later.exists()
