"""Fixtures of the video diffusion tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diffusion.golden import Golden


@pytest.fixture(scope="session")
def golden(golden_root: Path) -> Golden:
    """The golden cases of the video diffusion networks."""
    if not (golden_root / "musepose").is_dir():
        pytest.skip(f"no folder musepose in {golden_root}")
    return Golden(golden_root)
