"""Brings a performer's motion to the skeleton of SMPL-X, whatever names, lengths and rest pose.

What is carried over is how each bone turned since the rest pose. Rest poses differ, so first the
bones of the own T-pose are brought to the directions that the performer's have at rest; trunk and
head are upright in both. The way is scaled by the length of the legs, which also takes the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from svad.body.skeleton import (
    ANKLES,
    FINGERS,
    HIPS,
    LARGE,
    PARENTS,
    SHOULDERS,
    SPINE,
    THUMBS,
    WRISTS,
    Joint,
)
from svad.geometry.rotation import rodrigues_array, shortest_rotation
from svad.motion.performer import APART, OPPOSITE, Performer, leg_length, standing
from svad.motion.readers.files import MotionError
from svad.motion.readers.names import bones_of
from svad.motion.recorded import Recorded
from svad.motion.rig import unit
from svad.motion.standing import A_POSE
from svad.types import Pose

ALONG = {  # the joint towards which a limb's bone points
    **{Joint[f"{s}_{a}"]: Joint[f"{s}_{b}"] for s in ("LEFT", "RIGHT") for a, b in (
        ("SHOULDER", "ELBOW"), ("ELBOW", "WRIST"), ("WRIST", "MIDDLE1"),
        ("HIP", "KNEE"), ("KNEE", "ANKLE"), ("ANKLE", "FOOT"),
    )},
    **{a: b for row in (*FINGERS.values(), *THUMBS.values()) for a, b in pairwise(row)
       if PARENTS[b] == a},
}  # fmt: skip
EVERY = {joint: int(joint) for joint in Joint}
OTHER_FINGERS = ("RING1", "INDEX1", "PINKY1")  # a hand points to where there is no middle finger
UNITS = (1.0, 0.01, 0.0254, 0.001)  # metres: as files have them
LEG = 0.8  # metres, of thigh and shin
SAME_REST = np.cos(np.radians(12.0))  # between bones of two T-poses
# mean over joints, from the first frame to the second: of a pose from before the motion
JUMP, TIMES = np.radians(8.0), 5.0  # at least, and times what follows
AT_REST = np.radians(6.0)  # mean over joints, of a T-pose or an A-pose
CALIBRATION = "The first frame, which shows a pose from before the motion, is left out."


def retargeted(
    body: Performer,
    joints: np.ndarray,  # [55, 3] rest joints, metres, of the body that takes the motion
    faces: Mapping[str, np.ndarray] | None = None,  # expression -> [T]
    *,
    y_up: bool = False,  # known to be so
) -> Recorded:
    """The motion of a performer on a body of SMPL-X.

    A performer with that very skeleton, all 55 joints in a T-pose, keeps its own rest joints.
    Raises `MotionError` where names or lengths are none of a person.
    """
    found = bones_of(body.names)
    if not leg_length(body.rest, found) > 0:
        raise MotionError("The legs of the motion's skeleton have no length. Save it again.")
    body = standing(body, found, y_up)
    trunk, neck = _chains(body, found)
    own = _own_joints(body, found, trunk)
    joints = joints if own is None else own
    at_rest = _rest_turns(body, found, joints, same=own is not None)
    whole = _world_turns(body, found, at_rest, trunk, neck)
    scale = leg_length(joints, EVERY) / leg_length(body.rest, found)
    middle = scale * body.places[:, [found[joint] for joint in HIPS]].mean(1)
    below = joints[list(HIPS)].mean(0) - joints[Joint.PELVIS]
    pelvis = middle - whole[:, Joint.PELVIS] @ below
    turns = _local(whole)
    expression = faces or {}
    values = [np.asarray(value, np.float64) for value in expression.values()]
    made = Recorded(
        fps=body.fps,
        poses=Pose(
            torch.from_numpy(turns).float(),
            torch.from_numpy(pelvis - joints[Joint.PELVIS]).float(),
            torch.from_numpy(np.stack(values, 1) if values else np.zeros((len(turns), 0))).float(),
        ),
        joints=joints.astype(np.float32),
        expression_names=tuple(expression),
    )
    return _begun(made)


def _chains(body: Performer, found: dict[Joint, int]) -> tuple[list[int], list[int]]:
    """The bones of the spine, and those from the neck to the head, each from below upward."""
    left, right = (body.above(found[joint]) for joint in SHOULDERS)
    legs = [body.above(found[joint]) for joint in HIPS]
    shared = [bone for bone in left[1:] if bone in right[1:]]
    neck_or_head = {found.get(Joint.NECK), found.get(Joint.HEAD)}
    shared = [bone for bone in shared if bone not in neck_or_head]
    pelvis = found.setdefault(
        Joint.PELVIS, next((bone for bone in legs[0][1:] if bone in legs[1]), -1)
    )
    if not shared or pelvis < 0:
        raise MotionError(
            "The bones of the motion do not hang together as those of a person: arms and legs "
            "have no trunk in common."
        )
    under = set(body.above(pelvis))
    trunk = [bone for bone in reversed(shared) if bone not in under]
    top = found.get(Joint.HEAD, found.get(Joint.NECK))
    if top is None:
        return trunk, []
    until = {*shared, *under}
    neck = [bone for bone in reversed(body.above(top)) if bone not in until]
    return trunk, neck


def _rest_turns(
    body: Performer, found: dict[Joint, int], joints: np.ndarray, *, same: bool
) -> np.ndarray:  # [55, 3, 3]
    """What brings each bone of the own T-pose to the performer's rest pose."""
    upright = np.eye(3)
    out = np.tile(upright, (len(Joint), 1, 1))
    for joint in Joint:
        if PARENTS[joint] < 0 or same:
            continue
        before = out[PARENTS[joint]]
        out[joint] = before
        pair = _directions(body, found, joints, joint)
        if pair is None:
            out[joint] = upright if joint in ANKLES else before
            continue
        mine, theirs = before @ pair[0], pair[1]
        if joint in ANKLES:
            # soles are level, or square to legs that are spread (as CMU's): what fits better; how
            # far toes are below the ankle is a matter of where a program puts them
            if unit(pair[0]) @ unit(theirs) > unit(mine) @ unit(theirs):
                before = upright
            out[joint] = before
            flat = np.eye(3) - np.outer(before[:, 1], before[:, 1])
            mine, theirs = flat @ before @ pair[0], flat @ theirs
        if min(np.linalg.norm(mine), np.linalg.norm(theirs)) < APART:
            continue
        if unit(mine) @ unit(theirs) > OPPOSITE:  # else the bone tells nothing
            out[joint] = shortest_rotation(mine, theirs) @ before
    return out


def _directions(
    body: Performer, found: dict[Joint, int], joints: np.ndarray, joint: Joint
) -> tuple[np.ndarray, np.ndarray] | None:
    """Where a limb's bone points in the own rest pose and in the performer's."""
    place = found.get(joint)
    if place is None:
        return None
    end = ALONG.get(joint)
    if joint in WRISTS:
        side = joint.name.partition("_")[0]
        among = [end, *(Joint[f"{side}_{name}"] for name in OTHER_FINGERS)]
        end = next((one for one in among if one in found), None)
    if end is not None and end in found:
        return joints[end] - joints[joint], body.rest[found[end]] - body.rest[place]
    tip = body.below(place)
    before = next((a for a, b in ALONG.items() if b == joint), None)
    if tip is None or end is not None or before is None or "3" not in joint.name:
        return None  # the last bone of a finger goes on as the one before
    return joints[joint] - joints[before], body.rest[tip] - body.rest[place]


def _own_joints(
    body: Performer, found: dict[Joint, int], trunk: list[int]
) -> np.ndarray | None:  # [55, 3] metres
    """The rest joints of a performer with the very skeleton of SMPL-X."""
    if len(trunk) != len(SPINE) or len(found) + len(SPINE) != len(Joint):
        return None
    rows = found | dict(zip(SPINE, trunk, strict=True))
    rest = body.rest[[rows[joint] for joint in Joint]]
    leg = leg_length(rest, EVERY)
    unit_of_file = min(UNITS, key=lambda one: abs(np.log(one * leg / LEG)))
    return rest * unit_of_file if _is_t_pose(rest) else None


def _is_t_pose(rest: np.ndarray) -> bool:
    """Whether arms are level and legs straight down."""
    for side, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        rows = [Joint[f"{side}_{name}"] for name in ("SHOULDER", "WRIST", "HIP", "ANKLE")]
        shoulder, wrist, hip, ankle = rest[rows]
        level = unit(wrist - shoulder)[0] * sign
        if min(level, -unit(ankle - hip)[1]) < SAME_REST:
            return False
    return True


def _world_turns(
    body: Performer,
    found: dict[Joint, int],
    at_rest: np.ndarray,
    trunk: list[int],
    neck: list[int],
) -> np.ndarray:  # [T, 55, 3, 3]
    """World rotations of all joints; those that the performer lacks follow their parents."""

    def turn(bone: int, rest: np.ndarray) -> np.ndarray:
        return body.turns[:, bone] @ body.rest_turns[bone].T @ rest

    upright = at_rest[Joint.PELVIS]
    spine = [turn(bone, upright) for bone in (found[Joint.PELVIS], *trunk)]
    given = {Joint.PELVIS: spine[0]}
    for place, joint in enumerate(SPINE, 1):
        given[joint] = _at(spine, place * len(trunk) / len(SPINE))
    upper = [spine[-1], *(turn(bone, upright) for bone in neck)]
    given[Joint.NECK], given[Joint.HEAD] = _at(upper, len(neck) / 2), upper[-1]
    ease = rodrigues_array(A_POSE.astype(np.float64))
    whole = np.empty((len(body.turns), len(Joint), 3, 3))
    for joint in Joint:
        if joint in given:
            whole[:, joint] = given[joint]
        elif joint in found:
            whole[:, joint] = turn(found[joint], at_rest[joint])
        else:
            relaxed = ease[joint] if joint > Joint.RIGHT_EYE else np.eye(3)
            whole[:, joint] = whole[:, PARENTS[joint]] @ relaxed
    return whole


def _at(chain: list[np.ndarray], place: float) -> np.ndarray:  # [T, 3, 3]
    """The turn at a place between the bones of a chain."""
    low = min(int(place), len(chain) - 1)
    share = place - low
    if share < 1e-9 or low + 1 == len(chain):
        return chain[low]
    between = Rotation.from_matrix(np.swapaxes(chain[low], -1, -2) @ chain[low + 1])
    return chain[low] @ Rotation.from_rotvec(share * between.as_rotvec()).as_matrix()


def _local(whole: np.ndarray) -> np.ndarray:  # [T, 55, 3, 3] -> [T, 55, 3]
    """Axis-angles relative to the parents."""
    out = np.empty(whole.shape[:3])
    for joint in Joint:
        parent = PARENTS[joint]
        own = whole[:, joint]
        own = own if parent < 0 else np.swapaxes(whole[:, parent], -1, -2) @ own
        out[:, joint] = Rotation.from_matrix(own).as_rotvec()
    return out


def _begun(made: Recorded) -> Recorded:
    """Without a first frame from which the motion jumps: a T-pose, as many files begin with."""
    turns = rodrigues_array(made.poses.rotations[:12, :LARGE].double().numpy())
    steps = _angles(np.swapaxes(turns[:-1], -1, -2) @ turns[1:])
    if len(steps) < 3 or steps[0] < JUMP:
        return made
    at_rest = _angles(turns[:1, 1:])[0] < AT_REST
    if not at_rest and steps[0] < TIMES * np.median(steps[1:]):
        return made
    return replace(made, poses=made.poses[1:]).warned(CALIBRATION)


def _angles(turns: np.ndarray) -> np.ndarray:  # [T, J, 3, 3] -> [T]
    """The mean angle over joints, radians."""
    angle = Rotation.from_matrix(turns.reshape(-1, 3, 3)).magnitude()
    return angle.reshape(len(turns), -1).mean(1)
