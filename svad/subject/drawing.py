"""A picture for the person: the fitted body, drawn over the photo."""

from __future__ import annotations

import numpy as np

from svad.geometry.camera import Camera
from svad.geometry.surface import face_normals
from svad.geometry.zbuffer import draw


def body_over_photo(
    rgb: np.ndarray,  # [H, W, 3] uint8
    vertices: np.ndarray,  # [V, 3] posed, world
    faces: np.ndarray,  # [F, 3]
    camera: Camera,
) -> np.ndarray:  # [H, W, 3] uint8
    """The fitted body, shaded and half transparent, over the photo."""
    maps = draw(camera.project(vertices), faces, camera.height, camera.width)
    normals = face_normals(vertices, faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    shade = 0.25 + 0.75 * np.clip(normals @ np.array([0.3, 0.45, 0.84]), 0, 1)
    hit = maps.covered
    image = 0.45 * rgb.astype(np.float32) + 120
    color = shade[maps.near_face[hit], None] * np.array([120, 190, 255], np.float32)
    image[hit] = 0.7 * color + 0.3 * rgb[hit]
    return np.clip(image, 0, 255).astype(np.uint8)
