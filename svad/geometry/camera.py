"""Pinhole cameras: x right, y down, z forward; x_cam = R x_world + t; pixel = f xy / z + c.

The world is the body model's: metres, y up, a person at rest faces +z and has the left hand at +x.
Pixel (column i, row j) has its centre at (i + 0.5, j + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Camera:
    """One pinhole camera."""

    rotation: np.ndarray  # [3, 3] world to camera
    translation: np.ndarray  # [3] metres
    focal: tuple[float, float]  # pixels, x and y
    center: tuple[float, float]  # principal point, pixels, x and y
    width: int
    height: int

    def project(
        self,
        points: np.ndarray,  # [..., 3] metres, world
    ) -> np.ndarray:  # [..., 3] x px, y px, depth in metres
        """Where world points are seen."""
        p = points @ self.rotation.T + self.translation
        z = p[..., 2:]
        xy = p[..., :2] / z * np.asarray(self.focal) + np.asarray(self.center)
        return np.concatenate([xy, z], -1).astype(np.float32)

    def unproject(
        self,
        pixels: np.ndarray,  # [..., 3] x px, y px, depth in metres
    ) -> np.ndarray:  # [..., 3] metres, world
        """The world points that are seen at pixels."""
        z = pixels[..., 2:]
        xy = (pixels[..., :2] - np.asarray(self.center)) / np.asarray(self.focal) * z
        p = np.concatenate([xy, z], -1) - self.translation
        return (p @ self.rotation).astype(np.float32)

    def resized(self, factor: float) -> Camera:
        """The same view drawn `factor` times as large (sizes are rounded)."""
        width, height = round(self.width * factor), round(self.height * factor)
        fx, fy = width / self.width, height / self.height
        return replace(
            self,
            focal=(self.focal[0] * fx, self.focal[1] * fy),
            center=(self.center[0] * fx, self.center[1] * fy),
            width=width,
            height=height,
        )


def photo_camera(width: int, height: int) -> Camera:
    """The camera of a photo: at the origin, looking along -z, focal length 2 x picture height."""
    return Camera(
        rotation=np.diag([1.0, -1.0, -1.0]).astype(np.float32),
        translation=np.zeros(3, np.float32),
        focal=(2.0 * height, 2.0 * height),
        center=(width / 2, height / 2),
        width=width,
        height=height,
    )


def orbit_camera(
    target: np.ndarray,  # [3] the point looked at, metres
    distance: float,  # metres
    yaw: float,  # radians; 0 = from the front, growing towards the person's left (+x)
    pitch: float,  # radians; positive = from above
    focal: float,  # pixels
    width: int,
    height: int,
) -> Camera:
    """A camera on a sphere around `target`, looking at it, y up."""
    back = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    down = -np.cross(back, right)
    rotation = np.stack([right, down, -back]).astype(np.float32)
    position = np.asarray(target, np.float32) + distance * back.astype(np.float32)
    return Camera(
        rotation=rotation,
        translation=-rotation @ position,
        focal=(focal, focal),
        center=(width / 2, height / 2),
        width=width,
        height=height,
    )
