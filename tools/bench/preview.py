"""Seconds and memory of the whole preview, from photo to zip, and of the page's start."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 3
PATIENCE = 120.0  # seconds until a page that does not answer counts as broken


@dataclass(frozen=True)
class Run:
    """One run of the command line in a process of its own."""

    seconds: float  # wall, start of the interpreter included
    peak_gb: float  # largest resident memory
    stages: dict[str, float]  # name to seconds


def run(photo: Path | None = None) -> Iterator[dict[str, Any]]:
    """The first run on a machine (nothing compiled yet), then the median of three."""
    photo = photo or _example()
    with tempfile.TemporaryDirectory() as empty:
        first = _create(photo, {"NUMBA_CACHE_DIR": empty})
    yield _figure("preview.first_run", first.seconds, first.peak_gb)
    runs = [_create(photo, {}) for _ in range(REPEATS)]
    for name in runs[0].stages:
        yield _figure(f"preview.{name}", statistics.median(r.stages[name] for r in runs))
    total = statistics.median(r.seconds for r in runs)
    yield _figure("preview.total", total, max(r.peak_gb for r in runs))


def page() -> Iterator[dict[str, Any]]:
    """Seconds from the start of the page to its first answer."""
    port = _free_port()
    begun = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "GRADIO_SERVER_PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/"):
            if server.poll() is not None or time.monotonic() - begun > PATIENCE:
                raise RuntimeError("the page did not start; `python app.py` tells why")
            time.sleep(0.05)
        yield _figure("page.first_request", time.monotonic() - begun)
    finally:
        server.terminate()
        server.wait()


def _create(photo: Path, environment: dict[str, str]) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "svad", str(photo.resolve()), "-o", str(out)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)  # tells the memory of this one process
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        if process.returncode != 0:
            raise RuntimeError(f"the run ended with exit code {process.returncode}")
        unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kilobytes elsewhere
        card = json.loads((out / "job.json").read_text())
        stages = {e["name"]: e["seconds"] for e in card["stages"] if e["state"] == "done"}
        return Run(seconds, usage.ru_maxrss * unit / 1e9, stages)


def _figure(name: str, seconds: float, peak_gb: float | None = None) -> dict[str, Any]:
    figure: dict[str, Any] = {"bench": name, "seconds": round(seconds, 2)}
    if peak_gb is not None:
        figure["peak_gb"] = round(peak_gb, 2)
    return figure


def _example() -> Path:
    photos = sorted((ROOT / "examples").glob("*/photo.*"))
    if not photos:
        raise SystemExit("There is no example to measure with: name a photo with --photo.")
    return photos[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False  # not up yet
