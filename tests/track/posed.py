"""The default body in known poses, and what a perfect detector would see of it.

Joints and skin come from the body model itself, not from the points that the tracking poses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from svad.body import coco
from svad.body.free import load_free_body
from svad.body.keypoints import whole_body
from svad.body.lbs import rigid_chain
from svad.body.model import RestBody
from svad.geometry.camera import Camera, photo_camera
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues, rodrigues_array
from svad.subject.fit import rest_pose
from svad.track.held import MARKED
from svad.track.points import JOINT_POINTS
from svad.track.seen import Seen
from svad.types import BodyFit, Pose

WIDTH, HEIGHT = 360, 520
PLACE = (0.0, 0.05, -3.9)  # metres, where the pelvis's rest place is brought


@dataclass(frozen=True)
class Posed:
    """T pictures of which everything is known."""

    seen: Seen
    joints: np.ndarray  # [T, 55, 3] metres, world
    yaw: np.ndarray  # [T] radians, the side that is seen
    rotations: np.ndarray  # [T, 55, 3] axis-angle
    translation: np.ndarray  # [T, 3] metres
    camera: Camera
    fit: BodyFit


@cache
def rest_body() -> RestBody:
    return load_free_body().rest(torch.zeros(10))


def turned(
    yaw: np.ndarray,  # [T] radians
    changes: dict[int, np.ndarray] | None = None,  # joint -> [T, 3] radians, in place of the rest's
    time: np.ndarray | None = None,  # [T] seconds; None = photos
    place: np.ndarray | None = None,  # [T, 3] metres, added
    noise: float = 0.0,  # px, standard deviation of the landmarks
    depth_noise: float = 0.0,  # metres
    seed: int = 0,
    marked: bool = False,  # hips where a detector has them, not in the joint
) -> Posed:
    """The relaxed body, turned by `yaw` about the vertical."""
    body, rest = load_free_body(), rest_body()
    random = np.random.default_rng(seed)
    count = len(yaw)
    pose = np.zeros((count, 55, 3))
    pose[:, :22] = rest_pose()
    for joint, values in (changes or {}).items():
        pose[:, joint] = values
    up = np.zeros((count, 3))
    up[:, 1] = -yaw
    root = rodrigues_array(up) @ rodrigues_array(pose[:, 0])
    pose[:, 0] = matrix_to_axis_angle(torch.from_numpy(root)).numpy()
    offset = np.tile(PLACE, (count, 1)) + (0 if place is None else place)
    rotations = torch.from_numpy(pose).float()
    translation = torch.from_numpy(offset).float()
    joints = body.posed_joints(rest.joints, rotations, translation)
    table = whole_body(body)
    skin = body.pose_some(rest, table.vertices, rotations, translation)
    points = table.points(skin, joints).numpy()  # [T, 133, 3]
    turns, _ = rigid_chain(rodrigues(rotations), rest.joints, body.parents)
    for point, mark in MARKED.items() if marked else ():
        points[:, point] += (turns[:, JOINT_POINTS[point]] @ torch.tensor(mark)).numpy()
    camera = photo_camera(WIDTH, HEIGHT)
    flat = camera.project(points)
    keypoints = np.ones((count, coco.COUNT, 3), np.float32)
    keypoints[..., :2] = flat[..., :2] + noise * random.standard_normal((*flat.shape[:2], 2))
    middle = flat[:, list(coco.HIPS), 2].mean(1, keepdims=True)
    depth = flat[..., 2] - middle + depth_noise * random.standard_normal(flat.shape[:2])
    depth[:, coco.BODY_AND_FEET.stop :] = np.nan
    when = np.full(count, np.nan) if time is None else time
    matte = np.zeros((count, HEIGHT, WIDTH), np.uint8)
    for one, xy in zip(matte, flat[:, :23, :2], strict=True):
        (x0, y0), (x1, y1) = xy.min(0).astype(int) - 12, xy.max(0).astype(int) + 12
        one[max(y0, 0) : y1, max(x0, 0) : x1] = 255
    return Posed(
        Seen(keypoints, depth.astype(np.float32), matte, when),
        joints.numpy(),
        np.asarray(yaw, np.float64),
        pose,
        offset,
        camera,
        BodyFit(
            betas=np.zeros(10, np.float32),
            bone_scales=np.ones(11, np.float32),
            vertices=rest.vertices.numpy(),
            joints=rest.joints.numpy(),
            pose=Pose(rotations[:1], translation[:1], torch.zeros(1, 4)),
            camera=camera,
        ),
    )


def angle(a: np.ndarray, b: np.ndarray | float) -> np.ndarray:  # radians, 0..pi
    """How far two directions are apart."""
    return np.abs((np.asarray(a, np.float64) - b + np.pi) % (2 * np.pi) - np.pi)
