"""`python -m tools.gpu_check`: all GPU tests and the whole bench, into one JSON file.

For whoever has a GPU at hand for some minutes. Each part is a process with a time limit of its own;
one that fails, hangs or lacks a package is noted and stops no other. The file is written after
every part, so that a killed run leaves what it had. Ends with 0 if all is well, 1 if a part is not,
and 2 where there is no GPU.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from svad.core.files import write_json
from svad.core.startup import check_python, prepare
from tools.bench.__main__ import GROUPS
from tools.gpu_tests import MISSING, rooms

check_python()
prepare()

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "gpu-check.json"
LIMIT = 470.0  # seconds in all
LIMITS = {  # of those that may take long
    **{"tests.splat": 120.0, "tests.avatar": 90.0},
    **{"bench.diffusion": 150.0, "bench.train": 120.0},
}
USUAL = 60.0
NEEDS = {  # packages that a part uses in processes of its own; others are found missing there
    "tests": ("pytest",),
    "bench.preview": ("mediapipe",),
    "bench.page": ("gradio",),
}
LATE = ("bench.body", "bench.preview", "bench.page")  # tell little of the GPU
VERSIONS = ("torch", "numpy", "numba", "gsplat", "warp-lang", "diffusers", "triton")
TAIL = 2000  # characters of what a failed part last said


@dataclass(frozen=True)
class Part:
    """A process that prints one JSON object a line: a figure, or the outcome of a test."""

    name: str
    command: tuple[str, ...]
    limit: float = USUAL  # seconds
    needs: tuple[str, ...] = ()  # packages


def all_parts() -> list[Part]:
    """The tests of each room that has some for a GPU, and each group of the bench."""
    python = sys.executable
    commands = {f"tests.{room}": (python, "-m", "tools.gpu_tests", room) for room in rooms()}
    commands |= {f"bench.{group}": (python, "-m", "tools.bench", group) for group in GROUPS}
    parts = []
    for name in sorted(commands, key=lambda name: name in LATE):
        kind = name.partition(".")[0]
        needs = (*NEEDS.get(kind, ()), *NEEDS.get(name, ()))
        parts.append(Part(name, commands[name], LIMITS.get(name, USUAL), needs))
    return parts


def main(arguments: Sequence[str] | None = None, parts: Sequence[Part] | None = None) -> int:
    """Runs the parts; returns the exit code."""
    parts = all_parts() if parts is None else parts
    names = [part.name for part in parts]
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check", description=__doc__)
    parser.add_argument("--parts", nargs="+", metavar="PART", help=f"of {', '.join(names)}")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds in all (%(default)g)")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.parts or ()) - set(names))
    if unknown:
        parser.error(f"no part is named {', '.join(unknown)}; there are {', '.join(names)}")
    device = found_device()
    if device is None:
        print("There is no GPU that torch can use here: nothing to check.", file=sys.stderr)
        return 2
    chosen = [part for part in parts if not options.parts or part.name in options.parts]
    report = {"device": device, "versions": versions(), "finished": False, "parts": []}
    return checked(chosen, report, options.limit, options.output)


def checked(
    parts: Sequence[Part],
    report: dict[str, Any],  # gets the results under "parts"
    limit: float,  # seconds in all
    output: Path,
) -> int:
    """Runs parts one after the other, writing the report after each; returns the exit code."""
    begun = time.monotonic()
    for part in parts:
        left = limit - (time.monotonic() - begun)
        result = outcome(part, left)
        report["parts"].append(result)
        report["seconds"] = round(time.monotonic() - begun, 1)
        report["finished"] = len(report["parts"]) == len(parts)
        write_json(output, report)
        print(f"{part.name}: {result['state']}, {result['seconds']} s", file=sys.stderr)
    print(output)
    fine = all(result["state"] in ("passed", "skipped") for result in report["parts"])
    return 0 if fine else 1


def outcome(part: Part, left: float) -> dict[str, Any]:
    """What came of a part within its limit and the seconds left.

    state: passed, failed, out of time, or skipped with the reason.
    """
    absent = [name for name in part.needs if find_spec(name) is None]
    if absent or left <= 0:
        reason = f"{', '.join(absent)} not installed" if absent else "no time was left"
        return {"part": part.name, "state": "skipped", "seconds": 0.0, "reason": reason}
    limit, begun = min(part.limit, left), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        said, wrong = Path(folder) / "stdout", Path(folder) / "stderr"
        code = _run(part.command, limit, said, wrong)
        lines = list(_objects(said.read_text(encoding="utf-8", errors="replace")))
        complaint = wrong.read_text(encoding="utf-8", errors="replace")[-TAIL:]
    result: dict[str, Any] = {"part": part.name, "seconds": round(time.monotonic() - begun, 1)}
    tests = [line for line in lines if "test" in line]
    missing = MISSING.search(complaint)
    if code is None:
        result |= {"state": "out of time", "reason": f"longer than {limit:.0f} s"}
    elif code != 0 and missing and not lines:
        result |= {"state": "skipped", "reason": f"{missing[1]} not installed"}
    elif code != 0 or any(test["outcome"] == "failed" for test in tests):
        result |= {"state": "failed", "exit_code": code, "reason": complaint}
    else:
        result |= {"state": "passed"}
    if tests:
        kinds = ("passed", "failed", "skipped")
        result["tests"] = {k: sum(test["outcome"] == k for test in tests) for k in kinds}
        result["messages"] = [test for test in tests if test["outcome"] != "passed"]
    figures = [line for line in lines if "test" not in line]
    return result | ({"figures": figures} if figures else {})


def _run(command: Sequence[str], limit: float, said: Path, wrong: Path) -> int | None:
    """The exit code of a process, or None when it was ended at its limit with its children."""
    with open(said, "wb") as stdout, open(wrong, "wb") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=stdout, stderr=stderr, start_new_session=True
        )
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The lines that are JSON objects; the last one may be cut off, others are a library's."""
    for line in text.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            value = json.loads(line)
            if isinstance(value, dict):
                yield value


def found_device() -> dict[str, Any] | None:
    """Name, memory and driver of the GPU; None where torch has none."""
    import torch

    if not torch.cuda.is_available():
        return None
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "memory_gb": round(properties.total_memory / 1e9, 1),
        "capability": f"{properties.major}.{properties.minor}",
        "count": torch.cuda.device_count(),
        "cuda": torch.version.cuda,
        "driver": _driver(),
        "cpu_cores": os.cpu_count(),
    }


def _driver() -> str | None:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.partition("\n")[0].strip()


def versions() -> dict[str, str | None]:
    """Of Python and the packages that matter; None for those that are not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the running part ends, too
    sys.exit(main())
