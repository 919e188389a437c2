"""Where a head is, and how it is turned: the frame that hair is mapped in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.face.landmarks import SKIN, SYMMETRIC, MeshPoint
from svad.geometry.camera import Camera

RADIUS = 0.09  # metres, what turns an angle around the head into a length


@dataclass(frozen=True)
class HeadFrame:
    """Axes of the head from the points of its face."""

    axes: np.ndarray  # [3, 3] rows: to the person's left, up, forward
    centre: np.ndarray  # [3] world: in the plane of symmetry, amid the head, at the eyes' height
    eyes: float  # metres above the centre
    brow: float
    nose: float
    mouth: float
    chin: float
    width: float  # metres, of the face
    spine: np.ndarray  # [k, 3] local, from below upward: the middle of neck and chest

    def local(self, xyz: np.ndarray) -> np.ndarray:  # [..., 3] -> [..., 3]
        """Left, up and forward of the centre."""
        return (xyz - self.centre) @ self.axes.T

    def angles(
        self,
        xyz: np.ndarray,  # [..., 3] metres, world
    ) -> tuple[np.ndarray, np.ndarray]:  # [...] radians, [...] metres
        """Unwrapped position: angle around the head (0 = forward, left > 0), metres downward."""
        p = self.local(xyz)
        x = p[..., 0] - np.interp(p[..., 1], self.spine[:, 1], self.spine[:, 0])
        z = p[..., 2] - np.interp(p[..., 1], self.spine[:, 1], self.spine[:, 2])
        u = np.arctan2(x, z)
        flat = np.hypot(x, z)
        over = RADIUS * np.arctan2(np.maximum(p[..., 1], 0), np.maximum(flat, 1e-6))
        return u, np.where(p[..., 1] > 0, -over, -p[..., 1])


def head_frame(
    face: np.ndarray,  # [478, 3] px of the camera's picture, z in px too
    camera: Camera,
    depth: float,  # metres, of the face from the camera
    thickness: float,  # metres from the front of the face to the back of the head
    spine: np.ndarray,  # [k, 3] world, joints of chest and neck, from below upward
) -> HeadFrame:
    """The head's own axes: symmetric pairs give left, forehead and chin give up."""
    points = face[SKIN].astype(np.float64).copy()
    points[:, 2] = depth + (points[:, 2] - np.median(points[:, 2])) * depth / camera.focal[1]
    xyz = camera.unproject(points)
    left = np.mean([xyz[b] - xyz[a] for a, b in SYMMETRIC], 0)
    left /= np.linalg.norm(left)
    up = xyz[MeshPoint.FOREHEAD] - xyz[MeshPoint.CHIN]
    up -= left * (up @ left)
    up /= np.linalg.norm(up)
    axes = np.stack([left, up, np.cross(left, up)])
    middle = np.mean([(xyz[b] + xyz[a]) / 2 for a, b in SYMMETRIC], 0)
    eyes = xyz[[*SYMMETRIC[0], *SYMMETRIC[-1]]].mean(0)
    local = (xyz - middle) @ axes.T
    height = (eyes - middle) @ axes[1]
    front = np.quantile(local[:, 2], 0.9)
    centre = middle + axes[1] * height + axes[2] * (front - 0.52 * thickness)
    y = ((xyz - centre) @ axes.T)[:, 1]
    low = (spine - centre) @ axes.T
    low = low[low[:, 1] < y[MeshPoint.CHIN]]
    path = np.concatenate([low, [[0, y[MeshPoint.INNER_UPPER_LIP], 0]]]).astype(np.float32)
    mouth = y[[MeshPoint.INNER_UPPER_LIP, MeshPoint.INNER_LOWER_LIP]].mean()
    return HeadFrame(
        axes=axes.astype(np.float32),
        centre=centre.astype(np.float32),
        eyes=0.0,
        brow=float(y[MeshPoint.FOREHEAD]),
        nose=float(y[MeshPoint.NOSE_TIP]),
        mouth=float(mouth),
        chin=float(y[MeshPoint.CHIN]),
        width=float(np.ptp(local[:, 0])),
        spine=path,
    )
