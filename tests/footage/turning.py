"""Pictures of a capsule figure that turns around, as a detector would have found it."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body.coco import COUNT, Keypoint
from svad.geometry.camera import photo_camera
from svad.types import Footage, Photo
from tests.helpers import tiny_joints, tiny_mesh

# points of the body that are joints of the skeleton
JOINTS = {
    Keypoint.LEFT_SHOULDER: 16,
    Keypoint.RIGHT_SHOULDER: 17,
    Keypoint.LEFT_ELBOW: 18,
    Keypoint.RIGHT_ELBOW: 19,
    Keypoint.LEFT_WRIST: 20,
    Keypoint.RIGHT_WRIST: 21,
    Keypoint.LEFT_HIP: 1,
    Keypoint.RIGHT_HIP: 2,
    Keypoint.LEFT_KNEE: 4,
    Keypoint.RIGHT_KNEE: 5,
    Keypoint.LEFT_ANKLE: 7,
    Keypoint.RIGHT_ANKLE: 8,
}


def turning(count: int, width: int = 150, height: int = 200, clip: bool = True) -> Footage:
    """One turn in `count` pictures, the first from the front, to the side of the left arm."""
    mesh, joints = tiny_mesh(), tiny_joints()
    yaw = (np.arange(count) * 2 * np.pi / count + np.pi) % (2 * np.pi) - np.pi
    rgb = np.full((count, height, width, 3), (205, 200, 190), np.uint8)
    matte = np.zeros((count, height, width), np.uint8)
    keypoints = np.zeros((count, COUNT, 3), np.float32)
    for k, angle in enumerate(yaw):
        pixels, depth = _seen(mesh.vertices, angle, width, height)
        for face in np.argsort(depth[mesh.faces].mean(1)):
            corners = np.round(pixels[mesh.faces[face]]).astype(np.int32)
            color = mesh.colors[mesh.faces[face, 0]].tolist()
            cv2.fillConvexPoly(rgb[k], corners, color)
            cv2.fillConvexPoly(matte[k], corners, 255)
        points, _ = _seen(joints[list(JOINTS.values())], angle, width, height)
        keypoints[k, list(JOINTS), :2], keypoints[k, list(JOINTS), 2] = points, 1
    return Footage(
        photo=Photo(rgb[0], None),
        front=0,
        rgb=rgb,
        matte=matte,
        keypoints=keypoints,
        depth=np.full((count, COUNT), np.nan, np.float32),
        time=np.arange(count) / 10 if clip else np.full(count, np.nan),
        sharpness=np.ones(count, np.float32),
        yaw=yaw.astype(np.float32),
        cameras=(photo_camera(width, height),) * count,
        warnings=(),
    )


def _seen(
    points: np.ndarray,  # [N, 3] metres
    yaw: float,  # radians, the side that is seen
    width: int,
    height: int,
) -> tuple[np.ndarray, np.ndarray]:  # [N, 2] px, [N] metres, larger = nearer
    """The points from a camera that stands at `yaw`, far away."""
    x, y, z = points.T
    across, near = x * np.cos(yaw) - z * np.sin(yaw), z * np.cos(yaw) + x * np.sin(yaw)
    scale = 0.46 * height
    return np.stack([width / 2 + scale * across, 0.47 * height - scale * y], 1), near
