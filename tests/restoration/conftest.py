"""Fixtures of the restoration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.restoration.golden import Golden


@pytest.fixture(scope="session")
def golden(golden_root: Path) -> Golden:
    """The golden cases of the restoration stage."""
    if not (golden_root / "bfrffusion").is_dir():
        pytest.skip(f"no folder bfrffusion in {golden_root}")
    return Golden(golden_root)


@pytest.fixture
def plain_kernels() -> Iterator[None]:
    """Convolutions that sum plainly: the fast ones of some processors cost half the tolerance."""
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False
    yield
    torch.backends.mkldnn.enabled = before
