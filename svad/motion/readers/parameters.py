"""Body parameters under the names that SMPL, SMPL-H and SMPL-X programs give them: a motion.

`poses` are axis-angles in the order of SMPL-X (165 numbers), SMPL-H (156) or SMPL (72), or the
parts have a name each. AMASS (Mahmood et al. 2019) has z up; other programs write y up, or a
camera's y down: which, the bodies themselves tell.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from svad.body.skeleton import Joint
from svad.geometry.rotation import axis_rotation, rodrigues_array
from svad.motion.readers.files import (
    FPS,
    NO_RATE,
    MotionError,
    require_length,
    require_numbers,
)
from svad.motion.readers.units import SAID, UNITS, unit_of
from svad.motion.recorded import Recorded
from svad.motion.rest import is_rest, smplx_rest
from svad.types import Pose

RATES = ("mocap_framerate", "mocap_frame_rate", "mocap_frame_Rate", "fps", "framerate")
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
HALVES = {  # parts that some programs keep as two
    "left_eye": slice(69, 72),
    "right_eye": slice(72, 75),
    "left_hand": slice(75, 120),
    "right_hand": slice(120, 165),
}
# names of fitting programs: SMPLify-X and its heirs, and the folders of published avatars
ALSO = {
    **dict.fromkeys(("global_orient", "root_pose", "smplx_root_pose"), "root_orient"),
    **dict.fromkeys(("body_pose", "smplx_body_pose"), "pose_body"),
    **dict.fromkeys(("jaw_pose", "smplx_jaw_pose"), "pose_jaw"),
    **dict.fromkeys(("leye_pose", "left_eye_pose"), "left_eye"),
    **dict.fromkeys(("reye_pose", "right_eye_pose"), "right_eye"),
    **dict.fromkeys(("lhand_pose", "left_hand_pose", "smplx_lhand_pose"), "left_hand"),
    **dict.fromkeys(("rhand_pose", "right_hand_pose", "smplx_rhand_pose"), "right_hand"),
    **dict.fromkeys(("transl", "translation", "cam_trans", "smpl_trans"), "trans"),
    "fullpose": "poses",  # of MoSh++
    "smpl_poses": "poses",  # of AIST++ (Li et al. 2021), whose lengths `smpl_scaling` divides
}
KNOWN = {"poses", "trans", *PARTS, *HALVES, *ALSO}  # names of what moves
BODY_SMPL = 69  # numbers of SMPL's body without its root; the last two joints are hands
Z_UP = axis_rotation(0, -np.pi / 2)  # z up to y up
Y_DOWN = axis_rotation(0, np.pi)
DEGREES = "The angles in the file are degrees, by their size; those of SMPL and AMASS are radians."
NO_HANDS = (
    "The hands of the file are given by principal components, which take a file of MANO to read; "
    "the fingers are left at rest."
)


def recorded(
    found: dict[str, np.ndarray],  # each [T, ...] or a setting
    joints: np.ndarray,  # [55, 3] rest joints taken where there are none, metres
) -> Recorded:
    """The motion that arrays of these names hold.

    Raises `MotionError` with a sentence where they hold none.
    """
    found = {ALSO.get(name, name): value for name, value in found.items()}
    found = {name: _unpacked(name, value) for name, value in found.items()}
    poses, warnings = _poses(found)
    if _in_degrees(poses):
        poses, warnings = np.radians(poses), (DEGREES, *warnings)
    trans = numbers(found, "trans", 3, len(poses)) / _scaling(found)
    rest = _rest_joints(found, joints)
    upright = _upright(poses, found.get("up_axis"))
    poses[:, :3] = axis_angle(upright @ rodrigues_array(poses[:, :3]))
    fps = _rate(found)
    unit = unit_of(poses, trans @ upright.T, rest, fps or FPS)
    if unit != "metres":
        warnings = (SAID.format(unit=unit), *warnings)
    pelvis = (UNITS[unit] * trans + ROOT) @ upright.T
    faces, names = _faces(found, len(poses))
    return Recorded(
        fps=fps or FPS,
        poses=Pose(
            torch.from_numpy(poses.reshape(len(poses), -1, 3)).float(),
            torch.from_numpy(pelvis - rest[Joint.PELVIS]).float(),
            torch.from_numpy(faces).float(),
        ),
        joints=rest.astype(np.float32),
        expression_names=names,
        warnings=warnings if fps else (NO_RATE, *warnings),
    )


def _rest_joints(found: dict[str, np.ndarray], joints: np.ndarray) -> np.ndarray:  # [55, 3] metres
    """The file's own, or these with the arms of the body that the file is of."""
    own = found.get("joints")
    if own is not None and own.shape == joints.shape and _finite(own) and is_rest(own):
        return own
    return smplx_rest(joints) if _of_smplx(found) else joints


def _of_smplx(found: dict[str, np.ndarray]) -> bool:
    """Whether the body is SMPL-X and not an earlier one: as it is said, or by what it has."""
    told = found.get("surface_model_type")
    if told is not None and told.size == 1 and told.dtype.kind in "US":
        return "smplx" in str(told.reshape(())).lower()
    if "poses" in found:
        return found["poses"].size == SMPLX * len(found["poses"])
    return found["pose_body"].shape[-1] != BODY_SMPL


def _unpacked(name: str, value: np.ndarray) -> np.ndarray:
    """Without the axis of a batch of one, which networks leave before that of time."""
    one_pose = name == "poses" and value.shape[-1:] == (3,)  # [1, J, 3]
    return value[0] if value.ndim >= 3 and value.shape[0] == 1 and not one_pose else value


def _scaling(found: dict[str, np.ndarray]) -> float:
    value = found.get("smpl_scaling")
    told = value is not None and value.size == 1 and _finite(value)
    return max(float(value.reshape(())), 1e-3) if told and value is not None else 1.0


def _poses(found: dict[str, np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:  # [T, 165]
    if "poses" in found and found["poses"].ndim in (2, 3, 4):
        return _whole(found["poses"]), ()
    if not {"root_orient", "pose_body"} <= found.keys():
        raise MotionError(
            "The file holds no motion: neither poses nor root_orient and pose_body are in it, but "
            f"{', '.join(sorted(found)[:6]) or 'nothing'}."
        )
    root = found["root_orient"]
    count = len(root) if root.ndim > 1 else root.size // 3
    out, warnings = _zeros(count), set()
    for name, place in (PARTS | HALVES).items():
        if name not in found:
            continue
        size = place.stop - place.start
        if name == "pose_body" and found[name].shape == (count, BODY_SMPL):
            found = found | {name: found[name][:, :size]}
        if "hand" in name and found[name].size < count * size and not found[name].size % count:
            warnings.add(NO_HANDS)
            continue
        out[:, place] = numbers(found, name, size, count)
    return out, tuple(warnings)


def _whole(poses: np.ndarray) -> np.ndarray:  # [T, 165]
    if poses.shape[-2:] == (3, 3) and poses.ndim == 4:
        require_numbers(poses)
        turns = axis_angle(poses.reshape(-1, 3, 3).astype(np.float64))
        poses = turns.reshape(*poses.shape[:2], 3)
    count, *each = poses.shape
    whole = poses.reshape(count, math.prod(each))
    if whole.shape[1] not in (BODY, SMPL, SMPLH, SMPLX):
        raise MotionError(
            f"The motion has {whole.shape[1]} numbers for each pose. SMPL has 72, SMPL-H 156, "
            "SMPL-X 165."
        )
    out = _zeros(len(whole))
    require_numbers(whole)
    out[:, :BODY] = whole[:, :BODY]
    if whole.shape[1] >= SMPLH:
        out[:, PARTS["pose_hand"]] = whole[:, -90:]
    if whole.shape[1] == SMPLX:
        out[:, BODY:75] = whole[:, BODY:75]
    return out


def _in_degrees(poses: np.ndarray) -> bool:
    """Whether many joints would be turned more than once round, if the angles were radians."""
    size = np.linalg.norm(poses[:, 3:BODY].reshape(len(poses), -1, 3), axis=-1)
    return bool(np.quantile(size, 0.8) > 2 * np.pi)


def _zeros(count: int) -> np.ndarray:
    require_length(count)
    return np.zeros((count, SMPLX))


def numbers(
    found: dict[str, np.ndarray],  # each [T, ...] or a setting
    name: str,
    size: int,
    count: int,
) -> np.ndarray:  # [count, size] float64
    """The numbers of a name, zeros where there are none; rotation matrices become axis-angles.

    Raises `MotionError` for another count of numbers, and for what is no number.
    """
    value = found.get(name)
    if value is None:
        return np.zeros((count, size))
    require_numbers(value)
    if value.size == 3 * count * size and value.shape[-2:] == (3, 3):
        return axis_angle(value.reshape(-1, 3, 3).astype(np.float64)).reshape(count, size)
    if value.size != count * size:
        raise MotionError(
            f"{name} is expected to hold {count} times {size} numbers; its shape is "
            f"{' x '.join(map(str, value.shape))}."
        )
    return value.reshape(count, size).astype(np.float64)


def _finite(value: np.ndarray) -> bool:
    return value.dtype.kind in "fiu" and bool(np.isfinite(value).all())


def _rate(found: dict[str, np.ndarray]) -> float | None:
    for name in RATES:
        value = found.get(name)
        if value is not None and value.size == 1 and value.dtype.kind in "fiuUS":
            try:
                fps = float(value.reshape(())[()])
            except ValueError:
                continue  # words
            if 1 <= fps <= 1000:
                return fps
    return None


def _faces(found: dict[str, np.ndarray], count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Expressions by name, of files that this program wrote; those of others have no names."""
    names, value = found.get("expression_names"), found.get("expression")
    if names is None or value is None or names.dtype.kind != "U" or names.ndim != 1:
        return np.zeros((count, 0)), ()
    return numbers(found, "expression", len(names), count), tuple(map(str, names))


def _upright(poses: np.ndarray, told: np.ndarray | None) -> np.ndarray:  # [3, 3]
    """The turn to y up: by what the file tells, or by which axis bodies stand most of the time."""
    if told is not None and told.size == 1 and str(told.reshape(())) == "z":
        return Z_UP
    up = np.median(rodrigues_array(poses[:, :3])[:, :, 1], 0)
    if up[1] > 0.7:
        return np.eye(3)
    return Y_DOWN if up[1] < -0.7 else Z_UP


def axis_angle(
    matrices: np.ndarray,  # [N, 3, 3]
) -> np.ndarray:  # [N, 3]
    """Rotation matrices as axis-angles."""
    return Rotation.from_matrix(matrices).as_rotvec()
