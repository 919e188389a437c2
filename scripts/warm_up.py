"""Makes one avatar from a bundled example and throws it away, so that the next run finds all warm.

The loops are compiled once per machine and kept; the libraries write their own caches.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Returns the exit code of the run."""
    photo = next(iter(sorted((ROOT / "examples").glob("*/photo.*"))), None)
    if photo is None:
        return 0
    from svad.cli import main as svad

    quiet = contextlib.redirect_stdout(None)  # the folder it would name is gone at once
    with tempfile.TemporaryDirectory() as folder, quiet:
        return svad([str(photo), "-o", str(Path(folder) / "avatar")])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
