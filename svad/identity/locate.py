"""Finds the 68 landmarks of a face in a frame whose body pose is known.

The pose says where the face must be, so a detector gets an enlarged cut of that place instead of
a frame in which the face is a few dozen pixels; and what it finds elsewhere is not believed.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch

from svad.body.keypoints import PointTable, whole_body
from svad.body.model import BodyModel, RestBody
from svad.geometry.camera import Camera
from svad.identity import align
from svad.identity.fusion import NO_FACE, NotFused
from svad.pose.keypoints import FACE
from svad.types import BodyFit, Pose

Detect = Callable[[np.ndarray], "np.ndarray | None"]
"""`detect(rgb [h, w, 3] uint8) -> [68, 2] x px, y px in iBUG order, or None`."""

AROUND = 1.0  # of the face's size, how much is cut around the expected face
SIDE = 512  # px, longest side of the cut a detector gets
FARTHEST = 0.6  # of the face's size, between expected and found middle
SCALES = (0.5, 2.0)  # found size over expected size


class ExpectedFaces:
    """Where the fitted body has its face landmarks."""

    def __init__(self, body: BodyModel, fit: BodyFit) -> None:
        self._body = body
        self._table: PointTable = whole_body(body)
        vertices = torch.from_numpy(np.ascontiguousarray(fit.vertices)).float()
        joints = torch.from_numpy(np.ascontiguousarray(fit.joints)).float()
        self._rest = RestBody(vertices[self._table.vertices], joints)

    def points(self, pose: Pose, camera: Camera) -> np.ndarray:  # [68, 2] pixels
        """The landmarks of the posed body in a frame, whose pose is a single one."""
        turns, shift = pose.rotations, pose.translation
        vertices = self._body.pose_some(self._rest, self._table.vertices, turns, shift)
        joints = self._body.posed_joints(self._rest.joints, turns, shift)
        places = self._table.points(vertices, joints)[FACE]
        return camera.project(places.numpy())[:, :2].astype(np.float64)


def locate(
    frame: np.ndarray,  # [H, W, 3] uint8
    expected: np.ndarray,  # [68, 2] from the known pose
    detect: Detect | None,
) -> np.ndarray:  # [68, 2]
    """The frame's own landmarks; the expected ones where there is no detector.

    Raises `NotFused` when the detector finds no face where one must be.
    """
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
