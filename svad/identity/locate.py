"""Face landmarks: finds the 68 points of a face in a frame whose body pose is known.

The pose says where the face must be, so a detector gets an enlarged cut of that place instead of
a frame in which the face is a few dozen pixels; and what it finds elsewhere is not believed.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from svad.identity import align
from svad.identity.fusion import NO_FACE, NotFused

Detect = Callable[[np.ndarray], "np.ndarray | None"]
"""`detect(rgb [h, w, 3] uint8) -> [68, 2] x px, y px in iBUG order, or None`."""

AROUND = 1.0  # of the face's size, how much is cut around the expected face
SIDE = 512  # px, longest side of the cut a detector gets
FARTHEST = 0.6  # of the face's size, between expected and found middle
SCALES = (0.5, 2.0)  # found size over expected size


def locate(
    frame: np.ndarray,  # [H, W, 3] uint8
    expected: np.ndarray,  # [68, 2] from the known pose, see `svad.face.projection`
    detect: Detect | None,
) -> np.ndarray:  # [68, 2]
    """The frame's own landmarks; the expected ones where there is no detector.

    Raises `NotFused` when the detector finds no face where one must be.
    """
    expected = np.asarray(expected, np.float64)
    if detect is None:
        return expected
    size = align.face_size(expected)
    low = np.maximum(np.floor(expected.min(0) - AROUND * size), 0).astype(int)
    high = np.minimum(np.ceil(expected.max(0) + AROUND * size), frame.shape[1::-1]).astype(int)
    if (high - low).min() < 8:
        raise NotFused(NO_FACE)
    cut = frame[low[1] : high[1], low[0] : high[0]]
    zoom = SIDE / max(cut.shape[:2])
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    cut = cv2.resize(cut, None, fx=zoom, fy=zoom, interpolation=method)
    found = detect(cut)
    if found is None:
        raise NotFused(NO_FACE)
    points = np.asarray(found, np.float64) * ((high - low) / cut.shape[1::-1]) + low
    ratio = align.face_size(points) / max(size, 1e-6)
    away = np.linalg.norm(points.mean(0) - expected.mean(0)) / max(size, 1e-6)
    if not (SCALES[0] <= ratio <= SCALES[1] and away <= FARTHEST):
        raise NotFused(NO_FACE)
    return points
