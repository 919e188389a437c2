"""The scene of the rasteriser's timings: a closed shell of splats, like a body in a picture."""

from __future__ import annotations

import numpy as np
import torch

from svad.geometry.camera import Camera, photo_camera
from svad.splat.gaussians import Gaussians


def body_like_scene(
    n: int,
    size: int,
    seed: int = 0,
    sigma: tuple[float, float] = (0.8, 1.6),
) -> tuple[Gaussians, Camera]:
    """n anisotropic splats on an ellipsoid over a quarter of a size x size picture.

    `sigma` is the range of standard deviations in pixels (across the surface a quarter of it).
    Opacity 0.7-0.99, no order in memory.
    """
    rng = np.random.default_rng(seed)
    camera = photo_camera(size, size)
    distance = 4.0
    pixel = distance / camera.focal[0]
    normal = rng.standard_normal((n, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    # half axes whose ellipse covers 25 % of the picture
    high = 0.42 * size * pixel
    wide = 0.25 * size * size * pixel * pixel / (np.pi * high)
    means = normal * (wide, high, wide) + (0, 0, -distance)
    scales = rng.uniform(*sigma, (n, 3)) * pixel
    scales[:, 2] *= 0.25
    across = np.stack([-normal[:, 1], normal[:, 0], np.zeros(n)], 1)  # turns +z to the normal
    angle = np.arccos(np.clip(normal[:, 2], -1, 1))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    quats = np.concatenate([np.cos(angle / 2)[:, None], np.sin(angle / 2)[:, None] * across], 1)
    arrays = means, scales, quats, rng.uniform(0.7, 0.99, n), rng.uniform(0, 1, (n, 3))
    return Gaussians(*(torch.from_numpy(a.astype(np.float32)) for a in arrays)), camera
