"""`python -m tools.gpu_tests ROOM`: the GPU tests of a room, one JSON line for each.

A line has test, outcome, seconds and, if it did not pass, a message. A test module that a package
is missing for is a skipped test with that reason.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
MARK = "pytest.mark.gpu"
MISSING = re.compile(r"No module named '(?!svad|tests|tools)([\w.]+)'")
LONGEST = 2000  # characters of a message, from its end


def rooms(tests: Path = TESTS) -> list[str]:
    """Folders of tests, and modules beside them, with a test for a GPU."""
    marked = [m for m in tests.rglob("*.py") if MARK in m.read_text(encoding="utf-8")]
    return sorted({module.relative_to(tests).parts[0] for module in marked})


def modules(place: Path) -> list[Path]:
    """All test modules of a folder, or the one module: a mark may come from another's list."""
    return sorted(place.rglob("test_*.py")) if place.is_dir() else [place]


class Lines:
    """A plugin of pytest that prints a line for each test as soon as it is over."""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase of a test is over: the call, or a set-up that left nothing to call."""
        if report.when == "call" or report.outcome != "passed":
            self._line(report.nodeid, report.outcome, report.duration, report)

    def pytest_collectreport(self, report: Any) -> None:
        """A module was imported, or was not."""
        if report.outcome == "failed":
            missing = MISSING.search(str(report.longrepr))
            outcome = "skipped" if missing else "failed"
            self._line(report.nodeid, outcome, 0.0, report)

    def _line(self, test: str, outcome: str, seconds: float, report: Any) -> None:
        line = {"test": test, "outcome": outcome, "seconds": round(seconds, 2)}
        if outcome != "passed":
            line["message"] = str(report.longrepr)[-LONGEST:]
        print(json.dumps(line), flush=True)


def main(arguments: list[str]) -> int:
    """Runs them; returns 0 whatever their outcomes, which the lines tell, unless pytest broke."""
    import pytest

    unknown = sorted(set(arguments) - set(rooms(TESTS)))
    if unknown or not arguments:
        print(f"There are no GPU tests in {', '.join(unknown) or 'no room'}.", file=sys.stderr)
        return 1
    files = [str(module) for room in arguments for module in modules(TESTS / room)]
    # without pytest's own words, and so without the project's options for them
    options = ["-o", "addopts=--import-mode=importlib", "-p", "no:terminal"]
    options += ["-m", "gpu", "-p", "no:cacheprovider", "--capture=fd"]
    code = pytest.main([*options, "--continue-on-collection-errors", *files], plugins=[Lines()])
    told = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
    return 0 if code in told or code == pytest.ExitCode.INTERRUPTED else int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
