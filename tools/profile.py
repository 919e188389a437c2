"""`python -m tools.profile [PRESET]`: where the seconds of a run go, as a table and as a trace.

The table and `profile.pstats` (for snakeviz or pstats) count Python calls. Where there is a GPU,
`trace.json` (for chrome://tracing or ui.perfetto.dev) holds the kernels of the run as well.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import pstats
import sys
from collections.abc import Iterator
from pathlib import Path

from svad.core.startup import check_python, prepare

check_python()
prepare()

ROOT = Path(__file__).resolve().parents[1]
ROWS = 40  # of the table


def main() -> int:
    """Runs a preset on an example's photo; returns the exit code of the run."""
    from svad.cli import main as svad
    from svad.config.presets import PHOTO_PRESETS

    parser = argparse.ArgumentParser(prog="python -m tools.profile", description=__doc__)
    parser.add_argument("preset", nargs="?", default="preview", choices=sorted(PHOTO_PRESETS))
    parser.add_argument("--photo", type=Path, help="the photo (default: an example)")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "out" / "profile")
    options = parser.parse_args()
    photo = options.photo or next(iter(sorted((ROOT / "examples").glob("*/photo.*"))))
    options.output.mkdir(parents=True, exist_ok=True)
    command = [str(photo), "-o", str(options.output / "avatar"), "--preset", options.preset]
    profile = cProfile.Profile()
    with kernels(options.output / "trace.json"):
        code = profile.runcall(svad, command)
    profile.dump_stats(options.output / "profile.pstats")
    stats = pstats.Stats(profile, stream=sys.stdout).strip_dirs()
    stats.sort_stats("cumulative").print_stats(ROWS)
    print(options.output)
    return code


@contextlib.contextmanager
def kernels(path: Path) -> Iterator[None]:
    """Writes a trace of what runs on the GPU meanwhile, where there is one."""
    import torch

    if not torch.cuda.is_available():
        yield
        return
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
        yield
    trace.export_chrome_trace(str(path))


if __name__ == "__main__":
    sys.exit(main())
