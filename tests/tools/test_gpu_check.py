"""The check for machines with a GPU, run with made-up parts on one without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import WAIT, until
from tools import gpu_check, gpu_tests
from tools.gpu_check import Part, all_parts, main, outcome

FIGURE = 'print(\'{"bench": "a.figure", "ms": 1.5}\', flush=True)'
LINE = """print('{"test": "%s", "outcome": "%s", "seconds": 0.1, "message": "why"}', flush=True)"""


def part(name: str, code: str, limit: float = WAIT, needs: tuple[str, ...] = ()) -> Part:
    return Part(name, (sys.executable, "-c", code), limit, needs)


PARTS = (
    part("tests.good", LINE % ("t.py::one", "passed") + "\n" + LINE % ("t.py::two", "skipped")),
    part("tests.bad", LINE % ("t.py::three", "failed")),
    part("bench.breaks", FIGURE + "\nprint('a library talks')\nraise RuntimeError('no memory')"),
    part("bench.hangs", FIGURE + "\nimport time\ntime.sleep(100)", limit=1.5),
    part("bench.page", FIGURE, needs=("json", "no_such_package")),
    part("bench.poor", "import no_such_library"),
    part("bench.good", FIGURE),
)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "found_device", lambda: {"name": "a card"})


class FromItsFirstWord(subprocess.Popen):
    """A process whose limit counts from what it says first, however long Python takes to begin."""

    def __init__(self, *arguments: Any, stdout: Any = None, **named: Any) -> None:
        self._said = stdout
        super().__init__(*arguments, stdout=stdout, **named)

    def wait(self, timeout: float | None = None) -> int:
        if timeout is not None:
            until(lambda: os.fstat(self._said.fileno()).st_size or self.poll() is not None)
        return super().wait(timeout)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check.subprocess, "Popen", FromItsFirstWord)


def report(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_part_is_told_whatever_became_of_the_others(
    device: None, unhurried: None, tmp_path: Path
) -> None:
    file = tmp_path / "found.json"
    assert main(["-o", str(file)], PARTS) == 1
    found = report(file)
    assert found["device"] == {"name": "a card"} and found["finished"]
    assert found["versions"]["torch"] and "python" in found["versions"]
    parts = {result["part"]: result for result in found["parts"]}
    assert [*parts] == [p.name for p in PARTS]
    assert {name: result["state"] for name, result in parts.items()} == {
        "tests.good": "passed", "tests.bad": "failed", "bench.breaks": "failed",
        "bench.hangs": "out of time", "bench.page": "skipped", "bench.poor": "skipped",
        "bench.good": "passed",
    }  # fmt: skip
    assert parts["tests.good"]["tests"] == {"passed": 1, "failed": 0, "skipped": 1}
    assert [m["test"] for m in parts["tests.good"]["messages"]] == ["t.py::two"]
    assert parts["tests.bad"]["messages"][0]["message"] == "why"
    figure = [{"bench": "a.figure", "ms": 1.5}]
    for name in ("bench.breaks", "bench.hangs", "bench.good"):  # what was told before counts
        assert parts[name]["figures"] == figure
    assert "no memory" in parts["bench.breaks"]["reason"]
    assert parts["bench.page"]["reason"] == "no_such_package not installed"
    assert parts["bench.poor"]["reason"] == "no_such_library not installed"
    assert parts["bench.hangs"]["seconds"] >= 1


def test_parts_may_be_chosen(device: None, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    assert main(["-o", str(file), "--parts", "bench.good", "tests.good"], PARTS) == 0
    assert [result["part"] for result in report(file)["parts"]] == ["tests.good", "bench.good"]
    with pytest.raises(SystemExit):
        main(["--parts", "bench.best"], PARTS)


def test_the_limit_holds_for_all_together(device: None, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    slow = [part("bench.slow", "import time\ntime.sleep(100)"), PARTS[-1]]
    assert main(["-o", str(file), "--limit", "1"], slow) == 1
    first, second = report(file)["parts"]
    assert first["state"] == "out of time"
    assert (second["state"], second["reason"]) == ("skipped", "no time was left")


def test_a_killed_run_leaves_what_it_had(device: None, tmp_path: Path) -> None:
    file = tmp_path / "found.json"

    class Killed(BaseException):
        pass

    def parts():
        yield PARTS[0]
        raise Killed

    class Lazy(list):
        def __iter__(self):
            return parts()

    with pytest.raises(Killed):
        gpu_check.checked(Lazy(PARTS[:2]), {"parts": []}, 60, file)
    assert [result["part"] for result in report(file)["parts"]] == ["tests.good"]
    assert report(file)["finished"] is False


def test_a_part_takes_its_children_along(unhurried: None, tmp_path: Path) -> None:
    note = tmp_path / "child"
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        with open({str(note)!r}, "w") as file:
            file.write(str(child.pid))
        print("{{}}", flush=True)
        time.sleep(1000)
    """
    found = outcome(part("bench.parent", textwrap.dedent(code), limit=1), WAIT)
    assert found["state"] == "out of time"
    child = int(note.read_text())

    def gone() -> bool:
        try:
            state = Path(f"/proc/{child}/stat").read_text()
        except OSError:
            return True
        return state.rpartition(")")[2].split()[0] == "Z"

    try:
        until(gone)
    except AssertionError:
        os.kill(child, 9)
        raise


def test_without_a_gpu_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu_check, "found_device", lambda: None)
    file = tmp_path / "found.json"
    assert main(["-o", str(file)], PARTS) == 2
    assert "no GPU" in capsys.readouterr().err and not file.exists()


def test_the_parts_are_all_groups_of_the_bench_and_all_rooms_with_gpu_tests() -> None:
    from tools.bench.__main__ import GROUPS

    names = [p.name for p in all_parts()]
    assert {f"bench.{group}" for group in GROUPS} <= set(names)
    assert {f"tests.{room}" for room in gpu_tests.rooms()} <= set(names)
    assert {"tests.splat", "tests.learn", "tests.diffusion", "tests.test_types.py"} <= set(names)
    assert "tests.tools" not in names
    assert names[0].startswith("tests.") and names[-1] == "bench.page"


MODULE = """
    import pytest
    {first}

    @{mark}
    def test_it():
        print("words of its own")
        {body}

    def test_for_any_machine():
        raise AssertionError
"""


def test_tests_are_told_line_by_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bodies = {
        "good": ("", "pass"),
        "bad": ("", "assert 1 == 2"),
        "off": ("", "pytest.skip('no such kernel')"),
        "poor": ("import no_such_package", "pass"),
    }
    (tmp_path / "room").mkdir()
    for name, (first, body) in bodies.items():
        text = textwrap.dedent(MODULE).format(first=first, body=body, mark=gpu_tests.MARK)
        (tmp_path / "room" / f"test_{name}.py").write_text(text)
    monkeypatch.setattr(gpu_tests, "TESTS", tmp_path)
    assert gpu_tests.rooms(tmp_path) == ["room"]
    assert gpu_tests.main(["room"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    found = {Path(line["test"].partition("::")[0]).stem: line for line in lines}
    assert {name: line["outcome"] for name, line in found.items()} == {
        "test_good": "passed", "test_bad": "failed", "test_off": "skipped", "test_poor": "skipped",
    }  # fmt: skip
    assert "1 == 2" in found["test_bad"]["message"]
    assert "no_such_package" in found["test_poor"]["message"]
    assert gpu_tests.main(["nowhere"]) == 1
