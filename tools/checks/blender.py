"""Optional: Blender imports the meshes, makes an .fbx of each, and reads that back.

Needs Blender as a Python module in an environment of its own (Python 3.11, 400 MB):

    python3.11 -m venv FOLDER && FOLDER/bin/pip install bpy
    python -m tools.checks.blender OUT FOLDER/bin/python PICTURE.png

Prints a line for each file; the picture shows them waving. Look at it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from svad.export.gltf import unpack
from svad.motion.authored import authored
from svad.run.export import export

INSIDE = Path(__file__).with_name("blender_inside.py")
PATIENCE = 900  # seconds
# Of an unlit surface Blender's writer of FBX keeps no picture: "lit" is the textured mesh for it.
KINDS = {"glb": "glb", "textured": "textured", "vrm": "vrm", "lit": "textured"}
TALL = (1.0, 2.4)  # metres, of a person


def main(out: Path, python: Path, picture: Path) -> int:
    """Prints what is wrong with each file; 1 where something is."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for kind, format_ in KINDS.items():
            made = export(out, format_, folder, lit=kind == "lit")
            made.rename(folder / f"{kind}.glb")  # Blender knows a .vrm by no other name
        names = [f"{kind}.glb" for kind in KINDS]
        command = [str(python), str(INSIDE), str(folder), *names]
        told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if not (folder / "found.json").is_file():
            print(told.stdout[-2000:], told.stderr[-4000:])
            return 1
        found = json.loads((folder / "found.json").read_text("utf-8"))
        shots = [np.asarray(Image.open(folder / f"{n}.png").convert("RGB")) for n in names]
        Image.fromarray(np.concatenate(shots, 1)).save(picture)
        wrong = 0
        for name, one in found.items():
            document, _ = unpack((folder / name.partition(" ")[0]).read_bytes())
            faults = wanting(one, document, painted=_painted(name))
            wrong += len(faults)
            print(
                f"{name}: {len(one['bones'])} bones, {len(one['shapes'])} shapes, "
                f"{len(one['actions'])} actions: {'; '.join(faults) or 'ok'}"
            )
    return int(wrong > 0)


def _painted(name: str) -> bool:
    return not name.startswith("glb") and ("fbx" not in name or name.startswith("lit"))


def wanting(found: dict, document: dict, *, painted: bool) -> list[str]:
    """What of the file is not there after an import."""
    faults = []
    bones = {document["nodes"][j]["name"] for j in document["skins"][0]["joints"]}
    if found["armatures"] != 1 or not bones <= set(found["bones"]) or not found["bound"]:
        faults.append(f"skeleton: {sorted(bones - set(found['bones']))} are missing")
    shapes = document["meshes"][0].get("extras", {}).get("targetNames", [])
    if found["shapes"] != shapes:
        faults.append(f"shapes: {sorted(set(shapes) ^ set(found['shapes']))[:6]} differ")
    for name in authored():
        if not any(name == key.rpartition("|")[2] for key in found["actions"]):
            faults.append(f"motion {name} is missing")
    if painted and not (found["uv"] and [2048, 2048] in found["pictures"]):
        faults.append(f"picture: {found['uv']} UV layers, pictures {found['pictures']}")
    if document["meshes"][0]["primitives"][0]["attributes"].get("COLOR_0") and not found["colours"]:
        faults.append("vertex colours are missing")
    height = found["high"][2] - found["low"][2]
    if not TALL[0] < height < TALL[1] or abs(found["low"][2]) > 0.02:
        faults.append(f"stands from {found['low'][2]:.2f} to {found['high'][2]:.2f} m")
    return faults


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
