"""Fixtures of the restoration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.restoration.golden import Golden


@pytest.fixture(scope="session")
def golden(golden_root: Path) -> Golden:
    """The golden cases of the restoration stage."""
    if not (golden_root / "bfrffusion").is_dir():
        pytest.skip(f"no folder bfrffusion in {golden_root}")
    return Golden(golden_root)
