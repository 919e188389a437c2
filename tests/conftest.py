"""Options and fixtures that all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from svad.core.startup import prepare

prepare()  # before any test module imports torch or mediapipe

TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden-root",
        type=Path,
        default=TESTS / "golden",
        help="folder with the golden arrays of the parity tests (default: tests/golden)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a headless Chromium (skipped without one)")
    config.addinivalue_line("markers", "gpu: needs a CUDA device (skipped without one)")
    config.addinivalue_line("markers", "node: needs node and an npm package (skipped without)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips what this machine cannot run, with the reason."""
    reasons = {
        "browser": None if _chromium() else "no Chromium and chromedriver on this machine",
        "node": None if shutil.which("node") else "node is not installed",
    }
    for item in items:
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("gpu") and not _cuda():
            item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that were repeated, so that a repeat is never silent."""
    repeated = terminalreporter.stats.get("rerun", [])
    if repeated:
        terminalreporter.section(f"{len(repeated)} repeated after a failure")
        for report in repeated:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr.reprcrash.message[:200]}")


def _chromium() -> bool:
    browser = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    return browser and shutil.which("chromedriver") is not None


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(scope="session")
def golden_root(request: pytest.FixtureRequest) -> Path:
    """Folder of the golden arrays; each room has one of its own below it, with an index."""
    root: Path = request.config.getoption("--golden-root")
    if not root.is_dir():
        pytest.skip(f"no golden data in {root}")
    return root
