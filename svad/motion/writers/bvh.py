"""Writes a motion in Biovision's hierarchy format (.bvh), with Mixamo's names, in centimetres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from svad.body.skeleton import PARENTS, Joint
from svad.core.files import write_text
from svad.geometry.rotation import rodrigues_array
from svad.motion.recorded import Recorded
from svad.motion.rest import t_pose

CENTIMETRES = 100.0  # in a metre
TIP = 0.3  # of a bone's length: how far its end is beyond the last joint
ORDER = "ZXY"  # of the angles: what most programs write
PLAIN = {
    **{Joint.PELVIS: "Hips", Joint.SPINE1: "Spine", Joint.SPINE2: "Spine1"},
    **{Joint.SPINE3: "Spine2", Joint.NECK: "Neck", Joint.HEAD: "Head", Joint.JAW: "Jaw"},
}
OF_A_SIDE = {
    **{"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase", "eye": "Eye"},
    **{"collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"},
}


def write_bvh(path: Path, motion: Recorded) -> None:
    """Writes the motion whole or not at all; the face, which BVH has no place for, is left out.

    The rest pose is the T-pose of the body that the motion was recorded on, its arms level; y is
    up. Raises `OutputError`.
    """
    motion = motion.at_rest_as(t_pose(motion.joints))
    lines = ["HIERARCHY", *_joint(Joint.PELVIS, CENTIMETRES * motion.joints.astype(np.float64))]
    lines += ["MOTION", f"Frames: {len(motion.poses)}", f"Frame Time: {1 / motion.fps:.8f}"]
    order = _order(Joint.PELVIS)
    turns = rodrigues_array(motion.poses.rotations.double().numpy())[:, order]
    angles = Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_euler(ORDER, degrees=True)
    rows = np.concatenate([CENTIMETRES * motion.pelvis, angles.reshape(len(turns), -1)], 1)
    lines += [" ".join(f"{value:.5f}" for value in row) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def name_of(joint: Joint) -> str:
    """Mixamo's name of a joint, without its prefix."""
    if joint in PLAIN:
        return PLAIN[joint]
    side, _, part = joint.name.lower().partition("_")
    return side.title() + OF_A_SIDE.get(part, f"Hand{part.title()}")


def _below(joint: Joint) -> list[Joint]:
    return [one for one in Joint if PARENTS[one] == joint]


def _order(joint: Joint) -> list[int]:
    """A joint and all below it, as they follow in the file."""
    return [int(joint), *(row for one in _below(joint) for row in _order(one))]


def _joint(joint: Joint, joints: np.ndarray) -> list[str]:
    """The lines of a joint and of all below it; `joints` [55, 3] in centimetres."""
    parent = PARENTS[joint]
    offset = joints[joint] if parent < 0 else joints[joint] - joints[parent]
    angles = " ".join(f"{axis}rotation" for axis in ORDER)
    channels = f"6 Xposition Yposition Zposition {angles}" if parent < 0 else f"3 {angles}"
    inner = [f"OFFSET {_numbers(offset)}", f"CHANNELS {channels}"]
    for one in _below(joint):
        inner += _joint(one, joints)
    if not _below(joint):
        inner += ["End Site", "{", f"\tOFFSET {_numbers(TIP * offset)}", "}"]
    kind = "ROOT" if parent < 0 else "JOINT"
    return [f"{kind} {name_of(joint)}", "{", *(f"\t{line}" for line in inner), "}"]


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.5f}" for value in values)
