"""The figures of the preview, measured on stand-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench import preview

ROOT = Path(__file__).parents[3]


def test_medians_of_three_after_a_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([40.0, 9.0, 7.0, 8.0])
    asked = []

    def create(photo: Path, environment: dict[str, str]) -> preview.Run:
        asked.append(environment)
        value = next(seconds)
        return preview.Run(value, 1 + value / 100, {"subject": value / 2, "package": value / 4})

    monkeypatch.setattr(preview, "_create", create)
    figures = list(preview.run(Path("photo.png")))
    assert figures == [
        {"bench": "preview.first_run", "seconds": 40.0, "peak_gb": 1.4},
        {"bench": "preview.subject", "seconds": 4.0},
        {"bench": "preview.package", "seconds": 2.0},
        {"bench": "preview.total", "seconds": 8.0, "peak_gb": 1.09},
    ]
    assert "NUMBA_CACHE_DIR" in asked[0] and asked[1:] == [{}, {}, {}]
    assert json.loads(json.dumps(figures)) == figures


def test_a_bad_photo_ends_the_measurement(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(RuntimeError, match="exit code 2"):
        next(preview.run(tmp_path / "a.png"))


def test_unknown_groups_are_refused() -> None:
    command = [sys.executable, "-m", "tools.bench", "everything"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "everything" in done.stderr and not done.stdout
