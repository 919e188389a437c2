"""Engines: a plain call here, one worker process with messages on ZeroGPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from svad.compute import engine as gpu
from svad.core.errors import MissingWeights, NothingToDo, SettingError, Stopped, SvadError
from tests.compute import engine_work as gpu_work
from tests.compute.engine_work import FakeSpaces
from tests.waiting import WAIT


def silent(*_: object) -> None:
    """A report nobody reads."""


@pytest.fixture
def zero(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSpaces]:
    """This machine as if it were a ZeroGPU Space."""
    spaces = FakeSpaces()
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    gpu.dispatcher.cache_clear()
    yield spaces
    gpu.dispatcher.cache_clear()


def test_elsewhere_it_is_a_plain_call() -> None:
    told: list[tuple] = []
    found = gpu.run(gpu_work.add, 2, 3, report=lambda *a: told.append(a))
    assert found == (5, os.getpid()) and told == [(1, 2, "adding", None)]
    with pytest.raises(ZeroDivisionError):
        gpu.run(gpu_work.breaks, report=silent)
    with pytest.raises(MissingWeights):
        gpu.run(gpu_work.lacks, report=silent)


def test_a_full_gpu_is_a_sentence_here_too() -> None:
    with pytest.raises(gpu.GpuUnavailable, match="too little free memory.*smaller preset"):
        gpu.run(gpu_work.full, report=silent)


def test_on_zero_the_work_runs_in_a_worker(zero: FakeSpaces) -> None:
    told: list[tuple] = []
    value, process = gpu.run(gpu_work.add, 2, 3, seconds=42, report=lambda *a: told.append(a))
    assert value == 5 and process == zero.workers[0] != os.getpid()
    assert told == [(1, 2, "adding", None)] and zero.asked == [42]


def test_there_is_one_decorated_function_for_everything(zero: FakeSpaces) -> None:
    gpu.run(gpu_work.add, 1, 1, report=silent)
    with pytest.raises(NothingToDo, match="no face in the photo"):
        gpu.run(gpu_work.nothing, report=silent)
    with pytest.raises(MissingWeights, match="face.pth is missing"):
        gpu.run(gpu_work.lacks, report=silent)
    with pytest.raises(gpu.GpuUnavailable, match="too little free memory"):
        gpu.run(gpu_work.full, report=silent)
    with pytest.raises(SvadError, match="does not fit"):
        gpu.run(gpu_work.fails, report=silent)
    assert zero.decorated == [gpu.worker]


@pytest.mark.parametrize("work", [gpu_work.nothing, gpu_work.lacks, gpu_work.misfits])
def test_an_error_of_the_worker_is_the_error_that_was_raised(
    zero: FakeSpaces, work: gpu.Work
) -> None:
    with pytest.raises(SvadError) as there:
        gpu.run(work, report=silent)
    with pytest.raises(SvadError) as here:
        gpu.InProcess().run(work, (), 1, silent)
    assert type(there.value) is type(here.value) is not SvadError
    assert str(there.value) == str(here.value) and vars(there.value) == vars(here.value)
    assert type(there.value) in (NothingToDo, MissingWeights, SettingError)


def test_the_platforms_words_reach_the_visitor(zero: FakeSpaces) -> None:
    zero.refuse = "You have exceeded your GPU quota (60s requested vs. 12s left)."
    with pytest.raises(gpu.GpuUnavailable, match=r"60s requested.*What was finished is kept"):
        gpu.run(gpu_work.add, 1, 1, report=silent)


def test_a_defect_in_the_worker_is_not_silent(zero: FakeSpaces) -> None:
    with pytest.raises(gpu.GpuUnavailable, match="ZeroDivisionError"):
        gpu.run(gpu_work.breaks, report=silent)


def test_stop_ends_the_work_in_the_worker(zero: FakeSpaces) -> None:
    """Or it would go on for ever: that the process has ended, `FakeSpaces` looks for itself."""

    def report(done: int, *_: object) -> None:
        if done >= 3:
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        gpu.run(gpu_work.endless, report=report)


def test_seconds_of_a_call_that_the_platform_ended_are_known(monkeypatch) -> None:
    def ended(*_: object) -> Iterator[object]:
        yield gpu.Alive()
        time.sleep(0.05)
        raise gpu_work.QuotaExceeded("GPU task aborted")

    monkeypatch.setattr(gpu, "dispatcher", lambda: ended)
    for seconds, told in ((0, 1), (100, 0)):  # asked for: it had them all, or hardly begun
        with gpu.timed() as spent, pytest.raises(gpu.GpuUnavailable, match="aborted"):
            gpu.ZeroGpu().run(gpu_work.add, (1, 2), seconds, silent)
        assert len(spent) == told


def test_stop_gets_through_while_the_work_is_silent(zero: FakeSpaces, tmp_path: Path) -> None:
    told: list[tuple] = []

    def report(*values: object) -> None:
        told.append(values)
        if told.count((1, 5, "loading")) == 2:  # said again, without a picture
            (tmp_path / "mark").touch()  # the worker itself is waited for
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        gpu.run(gpu_work.silent_until, str(tmp_path / "mark"), report=report)


def test_on_the_platforms_own_package_durations_worker_refusals_and_stop(tmp_path: Path) -> None:
    """The real `spaces` before a stub of the device API; see `zero_stub`."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tests.compute.zero_stub"]
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=3 * WAIT,
    )
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    # before a card it does not know the package counts every second once
    assert seen["asked"] == [*seen["table"], gpu.MOST_SECONDS] and seen["sizes"] == ["large"]
    assert max(seen["platform's"]) == gpu.ASKED_FACTOR  # what a visitor is told
    assert seen["in all"] == round(sum(seen["table"]) * gpu.ASKED_FACTOR)
    assert seen["workers"] == seen["tasks"] == 1 and seen["elsewhere"]
    quota, none = seen["refused"]["quota"], seen["refused"]["none"]
    assert "Space app has reached its GPU limit" in quota and "What was finished is kept" in quota
    assert "No GPU was available" in none
    assert "Expired ZeroGPU proxy token" in seen["old token"] and seen["fresh token"] == 3
    assert seen["stopped"]
    (taken,) = seen["taken"]
    # the seconds in which there was no GPU are not the stage's
    assert 0.2 <= taken <= seen["whole"] - seen["wait"]
    assert seen["asked after learning"] < min(seen["table"])
    assert 0 < seen["told after learning"] < seen["in all"]
