"""A folder with one file of body parameters for each frame, as fitting programs leave it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from svad.motion.readers.files import LARGEST, LONGEST, MotionError, contents
from svad.motion.readers.npz import arrays_of
from svad.motion.readers.parameters import recorded
from svad.motion.recorded import Recorded, poses_at

# where published programs keep them below a subject's folder, the better first
WITHIN = (
    *("smplx_optimized/smplx_params_smoothed", "smplx_optimized/smplx_params"),
    *("smplx_params_smoothed", "smplx_params", "smplx_init", "params", "smplx"),
)
ENDINGS = {".json", ".npz"}
SMALL = 2**22  # bytes of one frame's file
NUMBER = re.compile(r"(\d+)(?!.*\d)")  # the last number in a name


def read_folder(
    folder: Path,
    joints: np.ndarray,  # [55, 3] rest joints of the body, metres
) -> Recorded:
    """The motion of a folder of frames; numbers that are left out are bridged.

    Raises `MotionError` with a sentence for a folder without frames, and for broken ones.
    """
    files = _frames(folder)
    rows = [_frame(path) for path in files.values()]
    shared = set(rows[0]).intersection(*rows[1:])
    found = {}
    for name in shared:
        shapes = {row[name].shape for row in rows}
        if len(shapes) == 1:
            found[name] = np.stack([row[name].reshape(-1) for row in rows])
            if rows[0][name].shape[-2:] == (3, 3):  # rotation matrices keep their shape
                found[name] = np.stack([row[name].reshape(-1, 3, 3) for row in rows])
    made = recorded({n: v for n, v in found.items() if n != "joints"}, joints)
    number = np.array(list(files), np.float64)
    if np.all(np.diff(number) == 1):
        return made
    wanted = np.arange(number[0], number[-1] + 1)
    if len(wanted) > LONGEST:
        raise MotionError(f"The numbers of the frames in {folder.name} are too far apart.")
    return replace(made, poses=poses_at(made.poses, number, wanted))


def _frames(folder: Path) -> dict[int, Path]:
    """The files by the number in their name, rising."""
    for place in (folder, *(folder / name for name in WITHIN)):
        files = {}
        for path in place.glob("*") if place.is_dir() else ():
            number = NUMBER.search(path.stem)
            if number is not None and path.suffix.lower() in ENDINGS:
                files[int(number[1])] = path
        if len(files) > LONGEST or sum(path.stat().st_size for path in files.values()) > LARGEST:
            raise MotionError(f"{folder.name} holds more than a motion can have.")
        if len(files) > 1:
            return dict(sorted(files.items()))
    raise MotionError(
        f"{folder.name or folder} holds no motion: a file of SMPL-X parameters for each frame is "
        "expected (.json or .npz, with the number of the frame as its name)."
    )


def _frame(path: Path) -> dict[str, np.ndarray]:
    if path.suffix.lower() == ".npz":
        return arrays_of(path)
    data = contents(path)
    if len(data) > SMALL:
        raise MotionError(f"{path.name} is too large for one frame.")
    try:
        told: Any = json.loads(data)
        return {
            name: np.asarray(value, np.float64)
            for name, value in told.items()
            if isinstance(value, list)
        }
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MotionError(
            f"{path.name} cannot be read as a frame of SMPL-X parameters. A JSON object with lists "
            "of numbers is expected."
        ) from error
