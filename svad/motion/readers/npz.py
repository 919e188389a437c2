"""Motions as AMASS and SMPL-X programs keep them (.npz): read and written without pickle.

Also bare arrays (.npy), of poses or in the order of Motion-X.
"""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from svad.core.files import write_bytes
from svad.geometry.rotation import rodrigues_array
from svad.motion.readers.files import LARGEST, MotionError, require_usable
from svad.motion.readers.parameters import KNOWN, PARTS, ROOT, Z_UP, axis_angle, recorded
from svad.motion.recorded import Recorded
from svad.motion.rest import smplx_rest

# what zip and numpy raise over damaged, encrypted or made-up files
BROKEN = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
ENCRYPTED = 0x1  # bit of a zip's entry
PICKLES = (
    "{name} keeps its numbers as objects of Python, which are never opened, since they can run "
    "anything. Save it again with plain arrays of numbers."
)
MOTIONX, MOTIONX_FPS = 322, 30.0  # numbers for each frame of Motion-X (Lin et al. 2023)
MOTIONX_PARTS = {
    "root_orient": slice(0, 3),
    "pose_body": slice(3, 66),
    "pose_hand": slice(66, 156),
    "pose_jaw": slice(156, 159),
    "trans": slice(309, 312),
}


def read_npz(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints taken where the file has none, metres
) -> Recorded:
    """The motion of a file of named arrays.

    Raises `MotionError` with a sentence for whatever is no motion.
    """
    return recorded(arrays_of(Path(path)), joints)


def read_npy(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints, metres
) -> Recorded:
    """The motion of a bare array [T, C]: poses, or the 322 numbers of Motion-X.

    Raises `MotionError` with a sentence for whatever is no motion.
    """
    require_usable(path)
    try:
        with open(path, "rb") as file:
            value = np.load(file, allow_pickle=False)
    except ValueError as error:
        if "pickle" in str(error).lower():
            raise MotionError(PICKLES.format(name=path.name)) from error
        raise _unreadable(path) from error
    except BROKEN as error:
        raise _unreadable(path) from error
    if not isinstance(value, np.ndarray):  # an .npz under another name
        return read_npz(path, joints)
    if value.ndim == 3 and value.shape[1:] in ((22, 3), (24, 3)):
        raise MotionError(
            f"{path.name} seems to hold places of joints, which do not tell how bones turn. "
            "Rotations are expected, as in the .npz of AMASS or SMPL-X."
        )
    if value.ndim == 2 and value.shape[1] == MOTIONX:
        found = {name: value[:, place] for name, place in MOTIONX_PARTS.items()}
        return recorded(found | {"fps": np.array(MOTIONX_FPS)}, joints)
    if value.ndim not in (2, 3):
        raise MotionError(f"{path.name} is expected to hold a row of numbers for each frame.")
    return recorded({"poses": value}, joints)


def write_npz(path: Path, motion: Recorded) -> None:
    """Writes a motion with z up, as AMASS has it, whole and by its parts.

    Arms are turned from SMPL-X's rest pose. `betas` are zero: the body's own rest joints, in that
    pose, are in `joints`, which `read_npz` takes. Raises `OutputError`.
    """
    motion = motion.at_rest_as(smplx_rest(motion.joints))
    turns = motion.poses.rotations.double().numpy()
    root = Z_UP.T @ rodrigues_array(turns[:, 0])
    poses = turns.reshape(len(turns), -1).copy()
    poses[:, :3] = axis_angle(root)
    arrays: dict[str, np.ndarray] = {
        "poses": poses,
        "trans": motion.pelvis @ Z_UP - ROOT,
        "betas": np.zeros(16),
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "up_axis": np.array("z"),
        "mocap_framerate": np.array(motion.fps),
        "mocap_frame_rate": np.array(motion.fps),
        **{name: poses[:, place] for name, place in PARTS.items()},
        "joints": motion.joints,
        "expression": motion.poses.expression.numpy(),
        "expression_names": np.array(motion.expression_names, np.str_),
    }
    held = io.BytesIO()
    np.savez_compressed(held, allow_pickle=False, **arrays)
    write_bytes(path, held.getvalue())


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz that are no objects of Python; raises `MotionError`."""
    require_usable(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        if sum(item.file_size for item in entries) > LARGEST:
            raise MotionError(f"{path.name} is too large for a motion.")
        if any(item.flag_bits & ENCRYPTED for item in entries):
            raise MotionError(
                f"{path.name} is encrypted. Unpack it with its password and save it without one."
            )
        found, pickled = _opened(path)
    except BROKEN as error:
        raise _unreadable(path) from error
    if pickled & KNOWN or (pickled and not any(value.ndim > 1 for value in found.values())):
        raise MotionError(PICKLES.format(name=path.name))
    return found


def _opened(path: Path) -> tuple[dict[str, np.ndarray], set[str]]:
    """The arrays, and the names of those that are objects of Python."""
    found, pickled = {}, set()
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            try:
                value = archive[name]
            except ValueError:  # objects of Python, which are never unpacked
                pickled.add(name)
                continue
            if isinstance(value, np.ndarray):  # other files come as bytes
                found[name] = value
    return found, pickled


def _unreadable(path: Path) -> MotionError:
    return MotionError(
        f"{path.name} cannot be read as a motion. An .npz file as of AMASS or SMPL-X is expected."
    )
