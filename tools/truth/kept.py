"""What took long to build or draw, kept under a key of the code and parameters that made it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from svad.core.files import write_bytes
from svad.types import Pose
from tools.examples.others import EVERYBODY
from tools.truth.person import MovingPerson, make_person

ROOT = Path(__file__).resolve().parents[2]
UNUSED, IN_USE = 14 * 86400.0, 86400.0  # s
MOST = 4  # of a name: the same code with other parameters, and a change with what was before it
PLACES = (".", "people", "looks", "clips")  # below the cache
# a name and its key; with a point before it and letters after it, of what was not drawn to its end
ENTRY = re.compile(r"(\.?[\w-]+)-[0-9a-f]{16}(\.safetensors|-\w+)?")
PHOTO_HEIGHT = 1024  # px, of the photo whose pose a person is built in
# what a person is made by; how they are moved and drawn is not in it
BUILDERS = (
    *("tools/examples", "svad/body", "svad/motion/standing.py", "svad/geometry/rotation.py"),
    *(f"tools/truth/{name}.py" for name in ("person", "posed", "binding", "colours", "meshes")),
)


def key(
    places: Iterable[str],  # files and folders below the root of the source tree
    *parameters: object,  # whatever JSON takes
) -> str:
    """Changes with the code, its data and the parameters."""
    digest = hashlib.sha256(json.dumps(parameters).encode())
    for place in places:
        top = ROOT / place
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def prune(
    cache: Path,  # folder where what was made is kept
) -> None:
    """Removes what was not read for `UNUSED`, and of each name all but the `MOST` read last.

    What older code made is never asked for again. What was read within `IN_USE` stays. On a disk
    that does not note when a file is read, the time of writing counts.
    """
    now = time.time()
    for place in PLACES:
        known: dict[str, list[tuple[float, Path]]] = {}
        for entry in (cache / place).glob("*"):
            if found := ENTRY.fullmatch(entry.name):
                with suppress(OSError):  # another process was faster
                    known.setdefault(found[1], []).append((_last_use(entry), entry))
        for entries in known.values():
            for rank, (used, entry) in enumerate(sorted(entries, reverse=True)):
                if now - used > (UNUSED if rank < MOST else IN_USE):
                    _remove(entry)


def _remove(entry: Path) -> None:
    with suppress(OSError):  # another process was faster, or this one may only read
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _last_use(entry: Path) -> float:
    """When any file of an entry was read or written last, as seconds of the clock."""
    files = [path for path in entry.rglob("*") if path.is_file()] if entry.is_dir() else [entry]
    return max(max(path.stat().st_atime, path.stat().st_mtime) for path in files or [entry])


def kept_person(
    name: str,  # a key of `EVERYBODY`
    cache: Path,  # folder where what was made is kept
) -> MovingPerson:
    """A person who moves, from the cache if the same code built them before.

    Since they are asked for where something new is drawn, what is old goes then.
    """
    prune(cache)
    path = cache / "people" / f"{name}-{key(BUILDERS, PHOTO_HEIGHT)}.safetensors"
    try:
        return unpacked(load_file(path))
    except (OSError, SafetensorError, KeyError):  # not there yet, or damaged
        made = make_person(EVERYBODY[name], PHOTO_HEIGHT)[0]
        write_bytes(path, save(packed(made)))
        return made


def packed(person: MovingPerson) -> dict[str, np.ndarray]:
    """All arrays of a person by name."""
    own = {
        field: np.ascontiguousarray(getattr(person, field))
        for field in MovingPerson.__dataclass_fields__
        if field not in ("parents", "pose")
    }
    pose = {
        f"pose.{field}": np.ascontiguousarray(getattr(person.pose, field))
        for field in Pose.__dataclass_fields__
    }
    return {**own, **pose, "parents": np.array(person.parents)}


def unpacked(
    arrays: dict[str, np.ndarray],  # as `packed` gives them
) -> MovingPerson:
    """The person whose arrays these are; raises KeyError where one is missing."""
    pose = (torch.from_numpy(arrays[f"pose.{field}"]) for field in Pose.__dataclass_fields__)
    return MovingPerson(
        points=torch.from_numpy(arrays["points"]),
        joint_ids=torch.from_numpy(arrays["joint_ids"]),
        joint_weights=torch.from_numpy(arrays["joint_weights"]),
        joints=torch.from_numpy(arrays["joints"]),
        parents=tuple(arrays["parents"].tolist()),
        pose=Pose(*pose),
        faces=arrays["faces"],
        colours=arrays["colours"],
        along=arrays["along"],
        half=arrays["half"],
    )
