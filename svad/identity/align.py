"""Sizes of faces from 68 landmarks, and pictures low-passed for a similarity to a frame.

Landmarks are in iBUG order, (x, y) in pixels whose first centre is at (0.5, 0.5), unless said
otherwise.
"""

from __future__ import annotations

import cv2
import numpy as np

from svad.geometry.similarity import chain, scale_of
from svad.media.images import resize

TOLERANCE = 0.03  # misfit that counts in full, as a share of the face's size


def face_size(
    points: np.ndarray,  # [68, 2]
) -> float:
    """How large a face is, in pixels: the side of a square with the area of its outline."""
    hull = cv2.convexHull(np.ascontiguousarray(points, np.float32))
    return float(np.sqrt(cv2.contourArea(hull)))


def shrunk(
    image: np.ndarray,  # [H, W] or [H, W, C] float32
    matrix: np.ndarray,  # [2, 3] similarity from the image
) -> tuple[np.ndarray, np.ndarray]:  # [h, w(, C)], [2, 3]
    """The image low-passed to the size the map gives it, and the map that is left to do.

    Without it a map to a small face would skip pixels; a map that enlarges leaves it as it is.
    """
    height, width = image.shape[:2]
    scale = min(1.0, scale_of(matrix))
    small = resize(image, max(8, round(width * scale)), max(8, round(height * scale)))
    by = (width / small.shape[1], height / small.shape[0])  # small pixels to the image's
    return small, chain(matrix, np.column_stack([np.diag(by), np.zeros(2)]))
