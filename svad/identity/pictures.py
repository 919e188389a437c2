"""Pictures on the way in and out of the stage: the photo at its best, thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from svad.body.coco import FACE
from svad.identity import align
from svad.media.images import resize
from svad.types import Subject

THUMBNAIL = 192  # px, side of one picture
VIEWS = 5  # of the turntable


def best_photo(
    subject: Subject,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:  # [H, W, 3], [H, W] uint8, [68, 2]
    """Photo, matte and face points at the density of the head's close-up, if there is one.

    The points are None when no face was found.
    """
    rgb, matte, head = subject.photo.rgb, subject.matte, subject.head
    points = subject.keypoints[FACE]
    density = 1 if head is None else head.density
    found = points[:, :2] * density if (points[:, 2] > 0).all() else None
    if head is None:
        return rgb, matte, found
    height, width = (side * density for side in matte.shape)
    rgb, matte = resize(rgb, width, height).copy(), resize(matte, width, height).copy()
    x0, y0, x1, y1 = (side * density for side in head.box)
    rgb[y0:y1, x0:x1], matte[y0:y1, x0:x1] = head.rgb, head.matte
    return rgb, matte, found


def close_up(
    frame: np.ndarray,  # [H, W, 3] uint8
    points: np.ndarray,  # [68, 2] landmarks
) -> np.ndarray:  # [192, 192, 3] uint8
    """The face of a frame with some room around it."""
    half = max(8, round(1.2 * align.face_size(points)))
    x, y = np.rint(points.mean(0)).astype(int)
    padded = cv2.copyMakeBorder(frame, half, half, half, half, cv2.BORDER_REPLICATE)
    x, y = np.clip((x, y), 0, (frame.shape[1] - 1, frame.shape[0] - 1))
    return resize(padded[y : y + 2 * half, x : x + 2 * half], THUMBNAIL, THUMBNAIL)


def turntable(
    views: Sequence[tuple[float, np.ndarray]],  # yaw in radians, picture [h, w, 3] uint8
) -> np.ndarray | None:  # [192, 192 n, 3] uint8
    """The head from side to side: views at even steps between the outermost; None without any."""
    if not views:
        return None
    ordered = sorted(views, key=lambda view: view[0])
    yaw = np.array([view[0] for view in ordered])
    wanted = np.linspace(yaw[0], yaw[-1], VIEWS)
    nearest = dict.fromkeys(int(np.abs(yaw - angle).argmin()) for angle in wanted)
    return np.hstack([resize(ordered[i][1], THUMBNAIL, THUMBNAIL) for i in nearest])
