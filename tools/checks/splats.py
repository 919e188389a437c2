"""Optional: every splat format is read by PlayCanvas's splat-transform, with the same Gaussians.

Needs node and the npm package @playcanvas/splat-transform in a folder of your own:

    npm install --prefix FOLDER @playcanvas/splat-transform
    python -m tools.checks.splats OUT FOLDER
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.run.export import export
from svad.splat.files import load_ply

FORMATS = ("ply", "ply-full", "splat", "spz", "sog")
SAMPLE = 3000  # Gaussians that are looked up


def main(out: Path, packages: Path) -> int:
    """Prints a line per format; 1 where one differs."""
    program = packages / "node_modules" / "@playcanvas" / "splat-transform" / "bin" / "cli.mjs"
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        first = None
        for name in FORMATS:
            path = export(out, name, Path(place))
            back = Path(place) / f"{name}-read.ply"
            command = ["node", str(program), "-w", str(path), str(back)]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
            read = load_ply(back)
            first = first or read
            far, nearest = cKDTree(read.means.numpy()).query(first.means.numpy()[:SAMPLE])
            color = (read.colors[nearest] - first.colors[:SAMPLE]).abs().median()
            same = len(read) == len(first) and bool(np.isfinite(read.means.numpy()).all())
            good = same and far.max() < 1e-3 and float(color) < 0.01
            wrong += not good
            size = path.stat().st_size / 1e6
            print(
                f"{name:9} {len(read)} Gaussians, {size:.1f} MB, places differ by at most "
                f"{far.max() * 1e3:.3f} mm, colours by {float(color):.4f}: {'ok' if good else 'NO'}"
            )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
