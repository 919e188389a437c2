"""A copy of the program to put something into."""

from __future__ import annotations

import shutil
from pathlib import Path

# Unfinished files of whoever compiles at the same time: Python's, and numba's.
UNFINISHED = shutil.ignore_patterns("*.pyc.*", "*.tmp.*")


def copied(
    source: Path,  # folder
    target: Path,
) -> Path:
    """The folder with what is compiled in it, which stays valid but for what is changed."""
    return Path(shutil.copytree(source, target, ignore=UNFINISHED))
