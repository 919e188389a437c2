"""The driver: camera and face parameters of every frame, from the known pose of the body.

SVAD drives the head with a track of its footage, which drops frames and shifts all later ones.
Here the pose of each frame is known, since it made the frame; nothing is tracked or dropped.

Cameras are in the head's convention: row vectors, x = p R + t, x left, y up, z forward; the head
at the origin, in FLAME's metres times `SCALE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svad.body.flame import EXPRESSION
from svad.face.projection import eye_places
from svad.geometry.camera import Camera
from svad.geometry.rotation import shortest_rotation
from svad.types import Pose

DISTANCE = 9.0  # FLAME's metres times SCALE from camera to head, as in tracked photos
COUNTS = {"expression": EXPRESSION, "pose": 6, "eyes": 6}
FLIP = np.diag([-1.0, -1.0, 1.0])  # x right, y down (ours) <-> x left, y up (the head's)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """T frames. Rows that are not valid hold a neutral face seen from the front."""

    frame: np.ndarray  # [T] int32, index of the frame in its clip
    valid: np.ndarray  # [T] bool, whether the head is before the camera and in the picture
    expression: np.ndarray  # [T, 100]
    pose: np.ndarray  # [T, 6] axis-angle: global (zero: it is in the camera), jaw
    eyes: np.ndarray  # [T, 6] axis-angle: left, right
    camera: np.ndarray  # [T, 3, 4] [R | t]
    fps: float

    def __len__(self) -> int:
        return len(self.frame)


def make_driver(
    poses: Pose,  # T frames
    cameras: Sequence[Camera],  # T
    joints: np.ndarray,  # [55, 3] rest joints of the person, metres
    parents: tuple[int, ...],  # 55, root -1
    fps: float = 25.0,
) -> Driver:
    """The head of a posed body as its cameras see it, with a neutral face.

    The face is neutral in all frames: the lifted head already holds the photo's expression, and
    frames that differ by nothing but the view are what an avatar is best trained on.
    """
    count = len(poses)
    turns, places = eye_places(poses, joints, parents)
    camera, valid = np.tile(frontal_camera(), (count, 1, 1)), np.zeros(count, bool)
    for index, (turn, place, view) in enumerate(zip(turns, places, cameras, strict=True)):
        seen = view.rotation.astype(np.float64) @ place + view.translation
        valid[index] = np.isfinite(turn).all() and _in_picture(seen, view)
        if valid[index]:
            camera[index] = head_camera(view.rotation @ turn, seen)
    return Driver(
        frame=np.arange(count, dtype=np.int32),
        valid=valid,
        camera=camera.astype(np.float32),
        fps=fps,
        **{name: np.zeros((count, width), np.float32) for name, width in COUNTS.items()},
    )


def head_camera(
    turn: np.ndarray,  # [3, 3] head to camera axes x right, y down, z forward
    place: np.ndarray,  # [3] the head in the camera, metres
) -> np.ndarray:  # [3, 4]
    """The camera that sees the head in the middle of its picture as `turn` does at `place`.

    A head away from the middle of the frame is seen from aside (from below, if it is high up):
    the camera is turned towards it, and what is left is a shift and a scale in the picture.
    """
    seen = toward(place) @ turn
    rotation = seen.T @ FLIP
    return np.column_stack([rotation, [0.0, 0.0, DISTANCE]])


def toward(
    place: np.ndarray,  # [3] before the camera
) -> np.ndarray:  # [3, 3]
    """The shortest rotation of a camera's axes that brings a point onto its z axis."""
    return shortest_rotation(place, np.array([0.0, 0.0, 1.0]))


def frontal_camera() -> np.ndarray:  # [3, 4]
    """The camera straight before the face."""
    return np.column_stack([np.diag([-1.0, 1.0, -1.0]), [0.0, 0.0, DISTANCE]])


def head_yaw(
    cameras: np.ndarray,  # [..., 3, 4] in the head's convention
) -> np.ndarray:  # [...] radians
    """The side a head is seen from: 0 = its front, growing towards its left, as `Clip.yaw`."""
    rotation, shift = cameras[..., :3], cameras[..., 3]
    eye = -(rotation @ shift[..., None])[..., 0]  # the camera's place: p R + t = 0
    return np.arctan2(eye[..., 0], eye[..., 2])


def _in_picture(
    place: np.ndarray,  # [3] in the camera, metres
    view: Camera,
) -> bool:
    if not np.isfinite(place).all() or place[2] <= 0:
        return False
    x, y = place[:2] / place[2] * view.focal + view.center
    return bool(0 <= x <= view.width and 0 <= y <= view.height)
