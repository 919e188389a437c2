"""What memory there is to spare, as the system tells it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from svad.core import memory
from svad.core.memory import memory_free


def test_the_smaller_of_machine_and_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    assert memory_free() == math.inf  # nothing is told
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    assert memory_free() == math.inf
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2000 kB\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_free() == 2000 * 1024
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("3000\n")
    assert memory_free() == 2000
    (tmp_path / "memory.current").write_text("6000\n")
    assert memory_free() == 0
