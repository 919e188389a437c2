"""Motions as AMASS and SMPL-X programs keep them (.npz): read and written without pickle.

`poses` are axis-angles in the order of SMPL-X (165 numbers), SMPL-H (156) or SMPL (72), or the
parts have a name each: root_orient, pose_body, pose_jaw, pose_eye, pose_hand. AMASS (Mahmood et al.
2019) has z up; other programs write y up, or a camera's y down: which, the bodies themselves tell.
"""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from svad.body.skeleton import Joint
from svad.core.errors import SvadError
from svad.core.files import write_bytes
from svad.core.given import require_file
from svad.geometry.rotation import axis_rotation, rodrigues_array
from svad.motion.recorded import Recorded
from svad.types import Pose

LARGEST = 2**29  # bytes, unpacked
LONGEST = 200_000  # frames: 27 minutes at 120 a second
FPS = 30.0  # of files that do not tell
RATES = ("mocap_framerate", "mocap_frame_rate", "fps", "framerate")
ROOT = np.array([0.0031, -0.3514, 0.0120])  # metres, pelvis of SMPL-X's mean body at rest
BODY, SMPL, SMPLH, SMPLX = 66, 72, 156, 165
# of `poses`, or of each named part: where its numbers go among the 165
PARTS = {
    "root_orient": slice(0, 3),
    "pose_body": slice(3, 66),
    "pose_jaw": slice(66, 69),
    "pose_eye": slice(69, 75),
    "pose_hand": slice(75, 165),
}
ALSO = {"global_orient": "root_orient", "body_pose": "pose_body", "jaw_pose": "pose_jaw"}
Z_UP = axis_rotation(0, -np.pi / 2)  # z up to y up
Y_DOWN = axis_rotation(0, np.pi)
# what zip and numpy raise over damaged, encrypted or made-up files
BROKEN = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
NO_RATE = "The file does not tell how many frames a second it has; 30 are taken."


class MotionError(SvadError):
    """A file of a motion that cannot be used."""


def read_npz(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints taken where the file has none, metres
) -> Recorded:
    """The motion of a file.

    Raises `MotionError` with a sentence for whatever is no motion.
    """
    found = _arrays(Path(path))
    poses = _poses(found)
    trans = _numbers(found, "trans" if "trans" in found else "transl", 3, len(poses))
    own = found.get("joints")
    if own is not None and own.shape == joints.shape and _finite(own):
        joints = own
    upright = _upright(poses, found.get("up_axis"))
    pelvis = (trans + ROOT) @ upright.T
    root = upright @ rodrigues_array(poses[:, :3])
    poses[:, :3] = _axis_angle(root)
    fps = _rate(found)
    faces, names = _faces(found, len(poses))
    return Recorded(
        fps=fps or FPS,
        poses=Pose(
            torch.from_numpy(poses.reshape(len(poses), -1, 3)).float(),
            torch.from_numpy(pelvis - joints[Joint.PELVIS]).float(),
            torch.from_numpy(faces).float(),
        ),
        joints=joints.astype(np.float32),
        expression_names=names,
        warnings=() if fps else (NO_RATE,),
    )


def write_npz(path: Path, motion: Recorded) -> None:
    """Writes a motion with z up, as AMASS has it, whole and by its parts.

    `betas` are zero: the body's own rest joints are in `joints`, which `read_npz` takes.
    Raises `OutputError`.
    """
    turns = motion.poses.rotations.double().numpy()
    root = Z_UP.T @ rodrigues_array(turns[:, 0])
    poses = turns.reshape(len(turns), -1).copy()
    poses[:, :3] = _axis_angle(root)
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


def _arrays(path: Path) -> dict[str, np.ndarray]:
    require_file(path, MotionError)
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > LARGEST:
                raise MotionError(f"{path.name} is too large for a motion.")
        with np.load(path, allow_pickle=False) as archive:
            found = {}
            for name in archive.files:
                try:
                    value = archive[name]
                except ValueError:  # objects of Python, which are never unpacked
                    continue
                if isinstance(value, np.ndarray):  # other files come as bytes
                    found[name] = value
            return found
    except BROKEN as error:
        raise MotionError(
            f"{path.name} cannot be read as a motion. An .npz file as of AMASS or SMPL-X is "
            "expected."
        ) from error


def _poses(found: dict[str, np.ndarray]) -> np.ndarray:  # [T, 165]
    named = {ALSO.get(name, name): value for name, value in found.items()}
    if "poses" in named and named["poses"].ndim in (2, 3):
        count, *each = named["poses"].shape
        whole = named["poses"].reshape(count, math.prod(each))
        if whole.shape[1] not in (BODY, SMPL, SMPLH, SMPLX):
            raise MotionError(
                f"The motion has {whole.shape[1]} numbers for each pose. SMPL has 72, SMPL-H 156, "
                "SMPL-X 165."
            )
        out = _zeros(len(whole))
        _require_finite(whole)
        out[:, :BODY] = whole[:, :BODY]
        if whole.shape[1] >= SMPLH:
            out[:, PARTS["pose_hand"]] = whole[:, -90:]
        if whole.shape[1] == SMPLX:
            out[:, BODY:75] = whole[:, BODY:75]
        return out
    if not {"root_orient", "pose_body"} <= named.keys():
        raise MotionError(
            "The file holds no motion: neither poses nor root_orient and pose_body are in it."
        )
    out = _zeros(named["root_orient"].size // 3)
    for name, place in PARTS.items():
        if name in named:
            out[:, place] = _numbers(named, name, place.stop - place.start, len(out))
    return out


def _zeros(count: int) -> np.ndarray:
    if not 2 <= count <= LONGEST:
        raise MotionError(f"The motion has {count} frames; from 2 to {LONGEST} can be played.")
    return np.zeros((count, SMPLX))


def _numbers(found: dict[str, np.ndarray], name: str, size: int, count: int) -> np.ndarray:
    """[T, size] float64; zeros where the file has none."""
    value = found.get(name)
    if value is None:
        return np.zeros((count, size))
    if value.size != count * size or value.dtype.kind not in "fiu":
        raise MotionError(
            f"{name} is expected to hold {count} times {size} numbers; its shape is "
            f"{' x '.join(map(str, value.shape))}."
        )
    _require_finite(value)
    return value.reshape(count, size).astype(np.float64)


def _require_finite(value: np.ndarray) -> None:
    if not _finite(value):
        raise MotionError("The motion holds numbers that are not finite. Save it again.")


def _finite(value: np.ndarray) -> bool:
    return value.dtype.kind in "fiu" and bool(np.isfinite(value).all())


def _rate(found: dict[str, np.ndarray]) -> float | None:
    for name in RATES:
        value = found.get(name)
        if value is not None and value.size == 1 and value.dtype.kind in "fiu":
            fps = float(value.reshape(()))
            if 1 <= fps <= 1000:
                return fps
    return None


def _faces(found: dict[str, np.ndarray], count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Expressions by name, of files that this module wrote; those of others have no names."""
    names, value = found.get("expression_names"), found.get("expression")
    if names is None or value is None or names.dtype.kind != "U" or names.ndim != 1:
        return np.zeros((count, 0)), ()
    return _numbers(found, "expression", len(names), count), tuple(map(str, names))


def _upright(poses: np.ndarray, told: np.ndarray | None) -> np.ndarray:  # [3, 3]
    """The turn to y up: by what the file tells, or by which axis bodies stand most of the time."""
    if told is not None and told.size == 1 and str(told.reshape(())) == "z":
        return Z_UP
    up = np.median(rodrigues_array(poses[:, :3])[:, :, 1], 0)
    if up[1] > 0.7:
        return np.eye(3)
    return Y_DOWN if up[1] < -0.7 else Z_UP


def _axis_angle(matrices: np.ndarray) -> np.ndarray:  # [T, 3, 3] -> [T, 3]
    return Rotation.from_matrix(matrices).as_rotvec()
