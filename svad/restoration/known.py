"""Where the face of a person with known body, pose and camera is in a frame."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from svad.body.keypoints import whole_body
from svad.body.lbs import rigid_chain
from svad.body.model import BodyModel, RestBody
from svad.geometry.camera import Camera
from svad.geometry.rotation import rodrigues
from svad.pose.keypoints import FACE, VISIBLE
from svad.types import Pose, Subject

HEAD = 15  # joint
REACH = 0.06  # metres; a landmark of the photo farther from the body's is not believed


class KnownFace:
    """The 68 landmarks of the fitted body, moved to where the photo shows them.

    The body's face never lies exactly on the photo's: what is between both in the photo is kept in
    the head's own axes and goes along with it.
    """

    def __init__(self, body: BodyModel, subject: Subject) -> None:
        self._body, self._table = body, whole_body(body)
        fit = subject.body
        self._rest = RestBody(torch.from_numpy(fit.vertices).float(), _float(fit.joints))
        self._offset = np.zeros((68, 3))
        points, turn = self._posed(fit.pose[0])
        seen = fit.camera.project(points)
        measured = np.concatenate([subject.keypoints[FACE, :2], seen[:, 2:]], 1)
        away = (fit.camera.unproject(measured) - points) @ turn  # in the head's axes
        believed = subject.keypoints[FACE, 2] >= VISIBLE
        believed &= np.linalg.norm(away, axis=1) < REACH
        self._offset[believed] = away[believed]

    def landmarks(self, pose: Pose, camera: Camera) -> np.ndarray:  # [68, 2] px
        """The landmarks in a single frame; pixel centres at + 0.5, as the camera has them."""
        points, turn = self._posed(pose)
        return camera.project(points + self._offset @ turn.T)[:, :2]

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
        return turns[HEAD].numpy(), places[HEAD].numpy()

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
        return self._table.points(vertices, joints)[FACE].numpy(), turns[HEAD].numpy()


def _float(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()
