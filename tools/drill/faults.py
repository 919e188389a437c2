"""Runs that are killed, whose disk is full, or whose process dies: begun again, they finish."""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from svad.config.presets import PREVIEW
from svad.core.errors import JobError, Stopped, SvadError
from svad.core.parts import PART
from svad.run.batch.batch import batch
from svad.run.batch.local import Local
from svad.run.card import read_card
from svad.run.jobs import LOCK, NAMES, NEXT
from svad.run.results import read_result
from tools.drill import tiny

LONGEST = 60.0  # s that a run may take
LANES = 2  # runs at once: one waits for the disk much of its time
TOLD = 7  # the code by which a process says that its run ended with a sentence


def drill(options: argparse.Namespace, folder: Path, end: float) -> dict[str, Any]:
    """200 runs are killed at a random moment, 20 meet a full disk, 20 photos lose their process."""
    photo = tiny.save_photo(folder / "photo.png")
    _run(photo, folder / "first")  # here, so that no child has to import and compile

    def killed(k: int) -> dict[str, Any]:
        chance = random.Random(f"{options.seed} killed {k}")
        return _killed_run(photo, folder / f"run-{k}", chance.uniform(0, 1.1 * seconds))

    def full(k: int) -> dict[str, Any]:
        kilobytes = random.Random(f"{options.seed} full {k}").randrange(12, 160)
        return {"wrong": _full_disk(photo, folder / f"full-{k}", kilobytes)}

    seconds = _usual_seconds(photo, folder / "usual")
    runs = _in_lanes(folder / "runs", options.runs, killed, end)
    disks = _in_lanes(folder / "disks", options.full, full, end)
    missed = [wrong for found in (*runs, *disks) for wrong in found["wrong"]]
    for done, wanted, what in (
        (runs, options.runs, "runs"), (disks, options.full, "full disks"),
    ):  # fmt: skip
        if len(done) < wanted:
            missed.append(f"only {len(done)} of {wanted} {what} in the time")
    missed += _dying_workers(folder / "batch", options.workers, end)
    return {
        "runs": len(runs),
        "killed": sum(one["killed"] for one in runs),  # before they had come to their end
        "finished": sum(not one["wrong"] for one in runs),
        "stages_repeated": sum(one["repeated"] for one in runs),
        "full_disk": len(disks),
        "workers": options.workers,
        "missed": missed[:10],
    }


def _in_lanes(
    place: Path, count: int, work: Callable[[int], dict[str, Any]], end: float
) -> list[dict[str, Any]]:
    """What `work` gives for each number, begun before `end`; in copies of this process."""

    def lane(first: int) -> None:
        with place.with_name(f"{place.name}-{first}").open("w") as file:
            for k in range(first, count, LANES):
                if time.monotonic() > end:
                    return
                file.write(json.dumps(work(k)) + "\n")

    lanes = [_in_child(lambda first=first: lane(first)) for first in range(min(LANES, count))]
    for one in lanes:
        _wait(one, max(0.0, end - time.monotonic()) + 3 * LONGEST)
    lines = [line for k in range(len(lanes)) for line in _lines(Path(f"{place}-{k}"))]
    return [json.loads(line) for line in lines]


def _usual_seconds(photo: Path, out: Path) -> float:
    begun = time.monotonic()
    _wait(_in_child(lambda: _run(photo, out)))
    seconds = time.monotonic() - begun
    shutil.rmtree(out)
    return seconds


def _run(photo: Path, out: Path) -> None:
    tiny.noting(out.with_suffix(".log")).run(photo, out)


def _killed_run(photo: Path, out: Path, moment: float) -> dict[str, Any]:
    """One run, killed after `moment` seconds and begun again."""
    child = _in_child(lambda: _run(photo, out))
    time.sleep(moment)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    killed = _wait(child) == -signal.SIGKILL
    log = out.with_suffix(".log")
    before, done = _lines(log), _done(out)
    wrong = []
    code = _wait(_in_child(lambda: _run(photo, out)))
    again = _lines(log)[len(before) :]
    repeated = len(done & set(again))
    if code != 0:
        wrong.append(f"{out.name}: the second run ended with {code}")
    if repeated:
        wrong.append(f"{out.name}: {sorted(done & set(again))} ran again")
    if len(again) != len(set(again)):
        wrong.append(f"{out.name}: a stage ran twice in one run")
    wrong += _whole(out)
    shutil.rmtree(out, ignore_errors=True)
    return {"killed": killed, "repeated": repeated, "wrong": wrong}


def _done(out: Path) -> set[str]:
    """The stages that the card of a killed run says are done."""
    try:
        entries = read_card(out)["stages"]
    except (JobError, KeyError):
        return set()
    return {entry["name"] for entry in entries if entry["state"] == "done"}


def _whole(out: Path) -> list[str]:
    """What is wrong with a finished folder: no result, or something left behind."""
    try:
        read_result(out)
    except JobError as error:
        return [f"{out.name}: {error}"]
    names = {path.name for path in out.iterdir()}
    left = sorted(names - set(NAMES)) + [p.name for p in out.rglob(f"{PART}*")]
    left += [p.name for p in (out / "stages").glob("*.part.safetensors")]
    left += [name for name in (LOCK, NEXT) if name in names]
    return [f"{out.name}: {left} were left"] if left else []


def _full_disk(photo: Path, place: Path, kilobytes: int) -> list[str]:
    """A run on a disk with too little room ends with a sentence; with room it goes on."""
    with _small_disk(place, kilobytes) as disk:
        out = disk / "out"
        code = _wait(_in_child(lambda: _sentence(photo, out, disk == place, kilobytes)))
        done = _done(out)
        if code not in (0, TOLD):
            return [f"{place.name} ({kilobytes} kB): ended with {code} instead of a sentence"]
        log = disk.parent / f"{place.name}.log"
        before = len(_lines(log))
        _enlarge(disk, mounted=disk == place)
        code = _wait(_in_child(lambda: tiny.noting(log).run(photo, out)))
        repeated = done & set(_lines(log)[before:])
        wrong = [f"{place.name}: the run with room ended with {code}"] if code else _whole(out)
        return wrong + ([f"{place.name}: {sorted(repeated)} ran again"] if repeated else [])


def _sentence(photo: Path, out: Path, mounted: bool, kilobytes: int) -> None:
    if not mounted:  # no file may become larger, which is told as a full disk is
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * kilobytes // 4, resource.RLIM_INFINITY))
    try:
        tiny.noting(out.parent.parent / f"{out.parent.name}.log").run(photo, out)
    except SvadError as error:
        os._exit(TOLD if "no room left" in str(error) else 1)


@contextmanager
def _small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of so many kilobytes, or a folder where such disks may not be made."""
    place.mkdir()
    size = f"size={kilobytes}k"
    words = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]
    mounted = not subprocess.run(words, check=False, capture_output=True).returncode
    folder = place if mounted else place / "disk"
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=False, capture_output=True)


def _enlarge(disk: Path, mounted: bool) -> None:
    if mounted:
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)


def _dying_workers(folder: Path, count: int, end: float) -> list[str]:
    """Processes of a batch die, one for each photo: each is a sentence, and the next time done."""
    if not count:
        return []
    photos = folder / "photos"
    for k in range(count):
        tiny.save_photo(photos / f"{k}.png", 300 + k)
    wrong, stop = [], threading.Event()
    clock = threading.Timer(max(0.0, end - time.monotonic()), stop.set)
    clock.daemon = True
    clock.start()
    for expected in ("failed", "done"):
        try:
            rows = batch(
                photos, folder / "out", PREVIEW, lambda *_: Local(2, 1), listener=lambda _: None,
                stop=stop, say=lambda _: None, make=tiny.dying,
            )  # fmt: skip
        except Stopped:
            wrong.append(f"not all of {count} workers in the time")
            break
        for row in rows:
            told = row.error and "SIGKILL" in row.error and row.error.endswith(".")
            if row.state != expected or (expected == "failed" and not told):
                wrong.append(f"{row.photo}: {row.state} ({row.error}) instead of {expected}")
            if expected == "failed" and "subject" not in _done(folder / "out" / row.folder):
                wrong.append(f"{row.photo}: what was finished is lost")
            if expected == "done":
                wrong += _whole(folder / "out" / row.folder)
    clock.cancel()
    return wrong


def _in_child(work: Callable[[], Any]) -> int:
    """Runs the work in a copy of this process; it ends with 0, or 1 where something was raised."""
    child = os.fork()
    if child:
        return child
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        work()
        os._exit(0)
    except BaseException:
        os._exit(1)


def _wait(child: int, longest: float = LONGEST) -> int:
    """The code with which a child ended; negative for a signal, 124 where it took too long."""
    end = time.monotonic() + longest
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
