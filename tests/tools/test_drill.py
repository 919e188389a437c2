"""The drills, with a handful of runs and inputs: they hold their bars, and notice what misses."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from svad.run.jobs import LOCK
from tools.drill import bodies, faults, hostile, soak
from tools.drill.server import Answer
from tools.drill.tiny import noting, save_photo

ROOT = Path(__file__).parents[2]


def drilled(*words: str) -> tuple[int, dict]:
    """In a process of its own: the drill copies its process, which no test may."""
    command = [sys.executable, "-m", "tools.drill", *words]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.stdout, told.stderr[-2000:]
    return told.returncode, json.loads(told.stdout)


def test_killed_runs_and_full_disks() -> None:
    code, found = drilled("faults", "--runs", "2", "--full", "1", "--workers", "0")
    assert (code, found["missed"], found["finished"]) == (0, [], 2)


def test_what_is_left_in_a_folder_is_noticed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    noting(tmp_path / "log").run(save_photo(tmp_path / "photo.png"), out)
    assert not faults._whole(out)
    (out / LOCK).touch()
    (out / ".svad-part-0000-1-00000000-x").touch()
    assert "svad-part" in faults._whole(out)[0] and LOCK in faults._whole(out)[0]
    (out / "avatar.zip").unlink()
    assert "not finished" in faults._whole(out)[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(0, b"", 0), "no answer"),
        (Answer(500, b"", 0), "status 500"),
        (Answer(200, b"root:x:0:0", 0), "file of the machine"),
        (Answer(200, b"..a picture..", 0), "another visitor's picture"),
        (Answer(200, b'{"job": "the-job"}', 0), "another visitor's job"),
        (Answer(200, b'{"error": "Traceback"}', 0), "nobody expected"),
        (Answer(403, b"no", 0), ""),
        (Answer(503, b'{"detail": "Queue is full."}', 0), ""),
    ],
)
def test_what_a_hostile_visitor_must_not_get_is_noticed(answer: Answer, words: str) -> None:
    victim = Namespace(pictures=[b"a picture"], job="the-job")
    watch = hostile._Watch(None, victim)
    watch.look("path", "/x", answer)
    assert words in "".join(watch.missed) and bool(watch.missed) == bool(words)


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [("large", 0, ""), ("large", 413, ""), ("large", 200, "taken"), ("cut", 0, ""),
     ("cut", 500, "status 500")],
)  # fmt: skip
def test_bodies_may_be_hung_up_on_but_not_taken(kind: str, status: int, words: str) -> None:
    watch = hostile._Watch(None, Namespace(pictures=[], job="the-job"))
    watch.look(kind, "", Answer(status, b"", 0))
    assert words in "".join(watch.missed) and bool(watch.missed) == bool(words)


def test_what_stays_of_a_refused_upload_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Namespace(cache=tmp_path)
    (tmp_path / "a").write_bytes(b"a good picture")
    assert bodies.left(page) == []
    (tmp_path / "b").write_bytes(bodies.HEAD + 9 * bodies.MARK)
    monkeypatch.setattr(bodies, "GIVEN_BACK", 0.0)
    assert bodies.left(page) == ["b"]


def test_memory_that_grows_is_noticed() -> None:
    rows = soak._Rows(None, 40)
    rows.memory, rows.disk = [100] * 20 + [120] * 20, [5]
    found = soak._found(Namespace(jobs=40, clients=2), rows, left=0, ended="")
    assert "memory grew" in found["missed"][0]
    rows.memory = [100] * 40
    assert not soak._found(Namespace(jobs=40, clients=2), rows, left=0, ended="")["missed"]
