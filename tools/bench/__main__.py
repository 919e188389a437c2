"""`python -m tools.bench [ONLY]`: how long things take on this machine, a JSON line per figure."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from svad.core.startup import check_python, prepare

check_python()
prepare()

GROUPS = (
    *("body", "posing", "splat", "loss", "diffusion", "head", "restoration", "train"),
    *("preview", "page", "viewer"),
)


def main() -> int:
    """Prints the figures of all groups, or of one; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("only", nargs="?", choices=GROUPS, metavar="ONLY", help=", ".join(GROUPS))
    parser.add_argument(
        "--photo", type=Path, help="the photo to measure with (default: an example)"
    )
    options = parser.parse_args()
    for group in GROUPS if options.only is None else (options.only,):
        for figure in figures(group, options.photo):
            print(json.dumps(figure), flush=True)
    return 0


def figures(group: str, photo: Path | None) -> Iterator[dict[str, Any]]:
    """The figures of one group, each as soon as it is known."""
    if group == "splat":
        from tools.bench.splat import run

        yield from run()
    elif group not in ("preview", "page"):
        yield from import_module(f"tools.bench.{group}").run()
    elif group == "preview":
        from tools.bench.preview import run

        yield from run(photo)
    else:
        from tools.bench.preview import page

        yield from page()


if __name__ == "__main__":
    sys.exit(main())
