"""A first guess of how limbs point, from the detector's depths.

Limbs that start the wrong way round, towards the camera instead of away from it, explain the
picture as well, and never come back.
"""

from __future__ import annotations

import numpy as np
import torch

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.skeleton import Joint
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues_array
from svad.track.points import JOINTS, BodyPoints
from svad.track.seen import STATURE, Seen

BENT = np.radians(25.0)  # of knee and elbow, from which on the bend tells the twist of the limb
SHARE = 0.7  # of the trunk's lean that the pelvis takes at first
# the axis about which each limb bends, in its own rest frame
AXES = {
    "leg": np.array([1.0, 0, 0]),
    "left": np.array([0, -1.0, 0]),
    "right": np.array([0, 1.0, 0]),
}


def lifted_turns(
    body: BodyPoints,
    seen: Seen,  # T frames
    yaw: np.ndarray,  # [T] radians, the side that is seen
    rest: np.ndarray,  # [22, 3] axis-angles of the likeliest pose
) -> np.ndarray:  # [T, 22, 3] axis-angles; the root's comes after its yaw
    """Limbs along the lines between landmarks, the trunk leaning as they say."""
    count = len(seen)
    points = _space(seen)
    joints = body.joints.double().numpy()
    local = np.tile(rodrigues_array(rest.astype(np.float64)), (count, 1, 1, 1))
    up = np.zeros((count, 3))
    up[:, 1] = -yaw
    turned = rodrigues_array(up)
    trunk = points[:, list(coco.SHOULDERS)].mean(1) - points[:, list(coco.HIPS)].mean(1)
    lean = _axis(np.broadcast_to([0, 1.0, 0], trunk.shape), trunk) * SHARE
    root = rodrigues_array(lean) @ turned
    local[:, 0] = np.swapaxes(turned, -1, -2) @ root
    for side in sk.SIDES:
        hip, knee, ankle, _ = sk.LEGS[side]
        _limb(
            local, root, joints, (hip, knee, ankle), points[:, list(coco.LEGS[side])], AXES["leg"]
        )
        collar, shoulder, elbow, wrist = sk.ARMS[side]
        chest = root
        for joint in (*sk.SPINE, collar):
            chest = chest @ local[:, joint]
        arm = points[:, list(coco.ARMS[side])]
        _limb(local, chest, joints, (shoulder, elbow, wrist), arm, AXES[side])
    return matrix_to_axis_angle(torch.from_numpy(local[:, :JOINTS])).numpy()


def _space(seen: Seen) -> np.ndarray:  # [T, 23, 3] metres
    """Landmarks in space: across and up from the picture, towards the camera from the depth."""
    points = seen.keypoints[:, coco.BODY_AND_FEET].astype(np.float64)
    flat = points[..., :2] / seen.unit * STATURE * (1, -1)
    deep = -np.nan_to_num(seen.depth[:, coco.BODY_AND_FEET].astype(np.float64))
    return np.concatenate([flat, deep[..., None]], -1)


def _limb(
    local: np.ndarray,  # [T, 22, 3, 3], two joints are set
    parent: np.ndarray,  # [T, 3, 3] turn of what the limb hangs on
    joints: np.ndarray,  # [22, 3]
    chain: tuple[Joint, Joint, Joint],
    points: np.ndarray,  # [T, 3, 3] where they are seen
    axis: np.ndarray,  # [3] of the bend at rest
) -> None:
    first, second, third = chain
    bones = _unit(joints[second] - joints[first]), _unit(joints[third] - joints[second])
    upper, lower = (_unit(points[:, i + 1] - points[:, i]) for i in (0, 1))
    hinge = np.cross(upper, lower)
    bent = np.arctan2(np.linalg.norm(hinge, axis=-1), (upper * lower).sum(-1)) > BENT
    swung = rodrigues_array(_axis(parent @ bones[0], upper)) @ parent
    # a knee that seems to bend forwards is a straight one, badly seen
    twisted = _frame(upper, hinge) @ _frame(bones[0], axis).T
    likely = bent & ((hinge * (swung @ axis)).sum(-1) > 0) if axis[0] else bent
    whole = np.where(likely[:, None, None], twisted, swung)
    bend = rodrigues_array(_axis(whole @ bones[1], lower)) @ whole
    local[:, first] = np.swapaxes(parent, -1, -2) @ whole
    local[:, second] = np.swapaxes(whole, -1, -2) @ bend


def _axis(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # [T, 3] axis-angle
    """The shortest turns from directions to others."""
    a, b = _unit(a), _unit(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    return axis / np.maximum(sine, 1e-9) * np.arctan2(sine, (a * b).sum(-1, keepdims=True))


def _frame(along: np.ndarray, about: np.ndarray) -> np.ndarray:  # [..., 3, 3]
    a = _unit(along)
    b = _unit(about - (about * a).sum(-1, keepdims=True) * a)
    return np.stack([a, b, np.cross(a, b)], -1)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
