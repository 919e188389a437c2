"""A Hub with an account, and a small checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from svad.deploy.files import FOLDERS, TOP
from tests.weights.conftest import account, clean, hub  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files at the top of this one, little in its folders, and what must not go up."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in TOP:
        shutil.copy(ROOT / name, root / name)
    for name in FOLDERS:
        (root / name).mkdir()
        (root / name / "__init__.py").write_text("1\n")
    return root


def keep(root: Path) -> None:
    """Makes a git repository of it."""
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)
