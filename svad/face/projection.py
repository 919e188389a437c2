"""Projection of a known head: where the face of a fitted body is in any frame, and how it looks.

A frame whose pose and camera are known needs no detector: the body says where the face is.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from svad.body.coco import FACE, VISIBLE
from svad.body.keypoints import whole_body
from svad.body.lbs import rigid_chain
from svad.body.model import BodyModel, RestBody
from svad.body.skeleton import EYES, Joint
from svad.face.landmarks import IBUG
from svad.geometry.camera import Camera
from svad.geometry.rotation import rodrigues
from svad.types import BodyFit, Pose

REACH = 0.06  # metres; a landmark of the photo farther from the body's is not believed


class KnownFace:
    """The 68 landmarks of one person's face in frames whose pose and camera are known.

    They are the body's own, or, where the photo's are given, those moved to where the photo shows
    them: what is between both in the photo is kept in the head's own axes and goes along with it.
    """

    def __init__(
        self,
        body: BodyModel,
        fit: BodyFit,
        seen: np.ndarray | None = None,  # [133, 3] px and scores, the photo's key points
    ) -> None:
        self._body, self._table = body, whole_body(body)
        self._rest = RestBody(_float(fit.vertices)[self._table.vertices], _float(fit.joints))
        self._offset: np.ndarray | None = None  # [68, 3] metres, in the head's axes
        if seen is not None:
            self._offset = self._between(fit, seen)

    def landmarks(self, pose: Pose, camera: Camera) -> np.ndarray:  # [68, 2] float32 px
        """The landmarks in a single frame; pixel centres at + 0.5, as the camera has them."""
        points, turn = self._posed(pose)
        if self._offset is not None:
            points = points + self._offset @ turn.T
        return camera.project(points)[:, :2]

    def yaw(self, pose: Pose, camera: Camera) -> float:
        """Radians between the directions to the camera and in which the face looks, both level."""
        turn, place = self.head(pose)
        face = camera.rotation @ turn[:, 2]  # a resting head faces +z
        there = -(camera.rotation @ place + camera.translation)
        across = face[0] * there[2] - face[2] * there[0]
        return math.atan2(abs(float(across)), float(face[0] * there[0] + face[2] * there[2]))

    def head(self, pose: Pose) -> tuple[np.ndarray, np.ndarray]:  # [3, 3], [3]
        """The head's rotation in the world and its joint, metres."""
        turns, places = self._chain(pose)
        return turns[Joint.HEAD].numpy(), places[Joint.HEAD].numpy()

    def _between(self, fit: BodyFit, seen: np.ndarray) -> np.ndarray:  # [68, 3]
        """From the body's landmarks to the photo's; zero where the photo is not believed."""
        points, turn = self._posed(fit.pose[0])
        depth = fit.camera.project(points)[:, 2:]
        measured = np.concatenate([seen[FACE, :2], depth], 1)
        away = (fit.camera.unproject(measured) - points) @ turn  # in the head's axes
        believed = (seen[FACE, 2] >= VISIBLE) & (np.linalg.norm(away, axis=1) < REACH)
        offset = np.zeros((IBUG, 3))
        offset[believed] = away[believed]
        return offset

    def _chain(self, pose: Pose) -> tuple[Tensor, Tensor]:  # [55, 3, 3], [55, 3]
        turns = rodrigues(pose.rotations)
        turns, places = rigid_chain(turns, self._rest.joints, self._body.parents)
        return turns, places + pose.translation

    def _posed(self, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
        """The body's own landmarks [68, 3] and the head's rotation [3, 3]."""
        expression = pose.expression if len(pose.expression) else None
        vertices = self._body.pose_some(
            self._rest, self._table.vertices, pose.rotations, pose.translation, expression
        )
        turns, joints = self._chain(pose)
        return self._table.points(vertices, joints)[FACE].numpy(), turns[Joint.HEAD].numpy()


def eye_places(
    poses: Pose,  # T frames
    joints: np.ndarray,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
) -> tuple[np.ndarray, np.ndarray]:  # [T, 3, 3] head to world, [T, 3] metres; float64
    """The head's rotation in the world, and the point between the eyes."""
    rest = torch.from_numpy(np.asarray(joints, np.float64))
    turns, places = rigid_chain(rodrigues(poses.rotations.double()), rest, tuple(parents))
    shift = poses.translation.numpy()
    return turns[:, Joint.HEAD].numpy(), places[:, EYES].mean(1).numpy() + shift


def _float(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()
