"""`python -m tools.drill`: faults, hostile visitors, and many jobs in a row, with tiny stages.

Each drill prints one JSON line; the program ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from svad.core.startup import check_python, prepare

check_python()
prepare()

from tools.drill import faults, hostile, soak  # noqa: E402

LIMIT = 600.0  # s in all
Drill = Callable[[argparse.Namespace, Path, float], dict[str, Any]]
DRILLS: dict[str, Drill] = {"faults": faults.drill, "hostile": hostile.drill, "soak": soak.drill}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chosen drills one after another; 0 where all bars are held."""
    parser = argparse.ArgumentParser(prog="python -m tools.drill", description=__doc__)
    parser.add_argument("drills", nargs="*", metavar="DRILL", help=f"{', '.join(DRILLS)}; all")
    parser.add_argument("--runs", type=int, default=200, help="runs that are killed")
    parser.add_argument("--full", type=int, default=20, help="runs on a disk that is full")
    parser.add_argument("--workers", type=int, default=20, help="processes that die")
    parser.add_argument("--inputs", type=int, default=300, help="hostile inputs, one by one")
    parser.add_argument("--quick", type=int, default=200, help="submissions at once")
    parser.add_argument("--jobs", type=int, default=300, help="jobs in a row")
    parser.add_argument("--clients", type=int, default=8, help="of the jobs in a row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", metavar="FILE", help="what the server of hostile wrote")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds in all")
    options = parser.parse_args(arguments)
    unknown = set(options.drills) - set(DRILLS)
    if unknown:
        parser.error(f"there is no drill {min(unknown)}; choose from {', '.join(DRILLS)}")
    end, good = time.monotonic() + options.limit, True
    for name in options.drills or DRILLS:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="svad-drill-") as folder:
            try:
                found = DRILLS[name](options, Path(folder), end)
            except RuntimeError as error:  # the page did not open, or made nothing
                found = {"missed": [str(error)]}
        seconds = round(time.monotonic() - begun, 1)
        good &= not found["missed"]
        print(json.dumps({"drill": name, **found, "seconds": seconds}), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
