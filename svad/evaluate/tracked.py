"""How far a tracked person is from the truth: yaw and joints, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from svad.body.lbs import rigid_chain
from svad.body.skeleton import Joint
from svad.evaluate.filmed import Filmed
from svad.evaluate.views import posed_joints
from svad.geometry.camera import Camera
from svad.geometry.rotation import rodrigues
from svad.track.yaw import side_seen
from svad.types import Clip, Pose

BODY = 22  # joints that are measured; hands and face are too small in most clips
MM = 1000.0


def seen_from(
    poses: Pose,  # T frames
    pelvis: np.ndarray,  # [T, 3] metres, where the pelvis is
    cameras: Sequence[Camera],  # T
) -> np.ndarray:  # [T] float32 radians
    """The side a person is seen from: 0 = front, growing towards their left, as `Clip.yaw`.

    The angle, about the vertical, from where the pelvis faces to where the camera is.
    """
    return _side(rodrigues(poses.rotations[:, Joint.PELVIS].double()), pelvis, cameras)


def _side(
    turns: Tensor,  # [T, 3, 3] of a joint in the world
    pelvis: np.ndarray,  # [T, 3] metres
    cameras: Sequence[Camera],  # T
) -> np.ndarray:  # [T] float32 radians
    forward = turns[..., 2].numpy()
    eyes = np.stack([-c.rotation.T.astype(np.float64) @ c.translation for c in cameras])
    return side_seen(forward, eyes - pelvis).astype(np.float32)


def wrapped(
    angle: np.ndarray,  # [...] radians
) -> np.ndarray:  # [...] in -pi..pi
    """The same angles without whole turns."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def errors(
    clip: Clip,  # K frames, their poses as they were found
    joints: Tensor,  # [55, 3] rest joints that the poses are of, metres
    truth: Filmed,
    places: Sequence[int],  # K, of the clip's frames in the truth
) -> dict[str, float]:
    """Means over K frames; degrees and millimetres.

    `yaw` and `yaw_worst` of the pelvis, `yaw_chest` of the chest; `joints`: mean distance of 22
    joints with the pelvis of each frame on the true one; `joints_scaled`: with the whole clip in
    the best size, too, which one camera cannot tell; `joints_placed`: as they stand before the
    camera, distance included.
    """
    rows = list(places)
    own = posed_joints(joints, truth.parents, clip.poses)
    real = posed_joints(truth.joints, truth.parents, truth.poses[rows])
    yaw = seen_from(clip.poses, own[:, Joint.PELVIS], clip.cameras)
    off = np.degrees(np.abs(wrapped(yaw - truth.yaw[rows])))
    cameras = [truth.cameras[i] for i in rows]
    chest = _chest(joints, truth.parents, clip.poses, own, clip.cameras)
    wanted = _chest(truth.joints, truth.parents, truth.poses[rows], real, cameras)
    own = before(own[:, :BODY], clip.cameras)
    real = before(real[:, :BODY], cameras)
    a, b = own - own[:, :1], real - real[:, :1]
    size = (a * b).sum() / max((a * a).sum(), 1e-12)
    return {
        "yaw": float(off.mean()),
        "yaw_worst": float(off.max()),
        "yaw_chest": float(np.degrees(np.abs(wrapped(chest - wanted))).mean()),
        "joints": MM * _distance(a, b),
        "joints_scaled": MM * _distance(size * a, b),
        "joints_placed": MM * _distance(own, real),
    }


def _chest(
    joints: Tensor,  # [55, 3] rest, metres
    parents: tuple[int, ...],
    poses: Pose,  # T frames
    places: np.ndarray,  # [T, 55, 3] metres, where the joints are
    cameras: Sequence[Camera],  # T
) -> np.ndarray:  # [T] float32 radians
    """The side from which the chest is seen."""
    turns, _ = rigid_chain(rodrigues(poses.rotations.double()), joints.double(), parents)
    return _side(turns[:, Joint.SPINE3], places[:, Joint.PELVIS], cameras)


def before(
    points: np.ndarray,  # [T, J, 3] metres, world
    cameras: Sequence[Camera],  # T
) -> np.ndarray:  # [T, J, 3] metres: right, down, away
    """Points as each frame's camera has them before it."""
    pairs = zip(points, cameras, strict=True)
    return np.stack([p @ c.rotation.T.astype(np.float64) + c.translation for p, c in pairs])


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b, axis=-1).mean())
