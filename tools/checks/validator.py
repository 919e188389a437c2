"""Optional: every mesh and VRM animation passes Khronos's validator without an error or a warning.

Needs node and the npm package gltf-validator in a folder of your own:

    npm install --prefix FOLDER gltf-validator
    python -m tools.checks.validator OUT FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from svad.run.export import BONES, export
from svad.run.filming import motion_video

VALIDATE = """
const fs = require("fs"), validator = require(process.argv[1]);
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])))
  .then((report) => console.log(JSON.stringify(report.issues)));
"""
# format and bone names; the textured mesh of other names has the same surface
KINDS = (*(("glb", bones) for bones in BONES), ("textured", BONES[0]), ("vrm", None))


def main(out: Path, packages: Path) -> int:
    """Prints a line per file; 1 where one has errors or warnings."""
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        files = []
        for format_, bones in KINDS:
            made = export(out, format_, Path(place), bones=bones)
            files.append(made.rename(made.with_name(f"{bones or 'humanoid'}-{made.name}")))
        files.append(motion_video(out, "wave", Path(place) / "wave.vrma"))
        for path in files:
            found = validated(path, packages / "node_modules" / "gltf-validator")
            bad = found["numErrors"] + found["numWarnings"]
            wrong += bad
            print(
                f"{path.name:24} {path.stat().st_size / 1e6:5.1f} MB, {found['numErrors']} errors, "
                f"{found['numWarnings']} warnings, {found['numInfos']} infos, "
                f"{found['numHints']} hints"
            )
            for message in found["messages"][:5] if bad else ():
                print(f"  {message['code']}: {message['message']}")
    return int(wrong > 0)


def validated(path: Path, package: Path) -> dict:
    """What the validator says of a file."""
    command = ["node", "-e", VALIDATE, str(package.resolve()), str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
