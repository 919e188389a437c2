"""Joints and landmarks of a posed body, and how they move with each of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svad.geometry.rotation import rodrigues_array
from svad.track.points import JOINTS, PARENTS, BodyPoints

# the numbers of a frame: yaw about the vertical, axis-angles, place (x and y over depth, log depth)
YAW, TURNS, PLACE = 0, slice(1, 1 + 3 * JOINTS), slice(1 + 3 * JOINTS, 4 + 3 * JOINTS)
OWN = PLACE.stop
TILT = 2  # numbers that all frames share, whose slopes follow: axis-angle about x and z
LEVEL = np.zeros(TILT)


@dataclass(frozen=True)
class Standing:
    """T posed frames; K landmarks."""

    joints: np.ndarray  # [T, 22, 3] metres
    marks: np.ndarray  # [T, K, 3] metres
    turns: np.ndarray  # [T, 22, 3, 3] in the world
    axes: np.ndarray  # [T, 22, 3, 3] columns: how the world turns with each number of a joint
    offset: np.ndarray  # [T, 3] of the pelvis, metres
    tips: np.ndarray  # [3, 3] columns: how all turns with yaw and tilt


class Chain:
    """A person's joints and landmarks, posed."""

    def __init__(self, body: BodyPoints) -> None:
        self._joints = body.joints.double().numpy()
        self._points = body.points.double().numpy()
        self._weights = body.weights.double().numpy()
        self.moved_by = np.array(body.moved_by)
        self._of_joint = list(body.of_joint)
        above = np.zeros((JOINTS, JOINTS), bool)  # [joint, those that it hangs on]
        for joint, parent in enumerate(PARENTS):
            if parent >= 0:
                above[joint] = above[parent]
                above[joint, parent] = True
        same = above | np.eye(JOINTS, dtype=bool)
        self._moves = np.concatenate([above, same[self.moved_by]]).astype(np.float64)

    def pose(
        self,
        own: np.ndarray,  # [T, OWN], turns with the mean in them
        marks: np.ndarray,  # [K, 3] metres, of each landmark off its place on the body
        tilt: np.ndarray = LEVEL,  # [2] radians, about x and z: the vertical off the camera's
    ) -> Standing:
        """Where everything is."""
        joints, points = self._joints, self._points
        angles = own[:, TURNS].reshape(-1, JOINTS, 3)
        local, left = rodrigues_array(angles), left_jacobian(angles)
        up = np.zeros((len(own), 3))
        up[:, 1] = own[:, YAW]
        around = np.array([tilt[0], 0.0, tilt[1]])
        tipped = rodrigues_array(around)
        facing = tipped @ rodrigues_array(up)
        depth = np.exp(own[:, PLACE][:, 2:])
        pelvis = np.concatenate([own[:, PLACE][:, :2] * depth, -depth], 1)
        turns, places = [facing @ local[:, 0]], [pelvis]
        axes = [facing @ left[:, 0]]
        for joint in range(1, JOINTS):
            parent = PARENTS[joint]
            turns.append(turns[parent] @ local[:, joint])
            axes.append(turns[parent] @ left[:, joint])
            places.append(places[parent] + turns[parent] @ (joints[joint] - joints[parent]))
        turn, place = np.stack(turns, 1), np.stack(places, 1)
        shift = place - (turn @ joints[..., None])[..., 0]
        table = np.concatenate([turn.reshape(len(own), JOINTS, 9), shift], -1)
        mixed = self._weights @ table
        skin = (mixed[..., :9].reshape(*mixed.shape[:2], 3, 3) @ points[..., None])[..., 0]
        seen = np.concatenate([place[:, self._of_joint], skin + mixed[..., 9:]], 1)
        seen = seen + (turn[:, self.moved_by] @ marks[..., None])[..., 0]
        tips = np.concatenate([tipped[:, 1:2], left_jacobian(around)[:, [0, 2]]], 1)
        return Standing(place, seen, turn, np.stack(axes, 1), pelvis, tips)

    @property
    def pelvis(self) -> np.ndarray:  # [3] metres
        """Where the pelvis of the rest body is."""
        return self._joints[0]

    def slopes(self, at: Standing) -> np.ndarray:  # [T, 22 + K, 3, OWN + TILT]
        """How joints, then landmarks move with the numbers of their frame, then with the tilt."""
        points = np.concatenate([at.joints, at.marks], 1)
        count, size = points.shape[:2]
        out = np.zeros((count, size, 3, OWN + TILT))
        lever = points[:, :, None] - at.joints[:, None]  # [T, N, 22, 3]
        lever *= self._moves[None, ..., None]
        turned = np.cross(
            np.swapaxes(at.axes, -1, -2)[:, None], lever[:, :, :, None]
        )  # [T, N, 22, 3 numbers, 3]
        out[..., TURNS] = np.moveaxis(turned, -1, 2).reshape(count, size, 3, -1)
        around = points - at.joints[:, :1]
        tipped = np.cross(at.tips.T, around[:, :, None])  # [T, N, 3 numbers, 3]
        out[..., YAW], out[..., OWN:] = tipped[:, :, 0], np.swapaxes(tipped[:, :, 1:], -1, -2)
        depth = -at.offset[:, 2]
        first = PLACE.start
        out[..., 0, first] = out[..., 1, first + 1] = depth[:, None]
        out[..., first + 2] = at.offset[:, None]
        return out


def left_jacobian(
    angles: np.ndarray,  # [..., 3] axis-angles
) -> np.ndarray:  # [..., 3, 3]
    """By which small turn, in the frame around, a rotation changes with its axis-angle.

    Chirikjian 2012, Stochastic Models, vol. 2, eq. 10.86.
    """
    size = np.linalg.norm(angles, axis=-1)[..., None, None]
    small = size < 1e-4
    safe = np.where(small, 1.0, size)
    first = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    second = np.where(small, 1 / 6, (safe - np.sin(safe)) / safe**3)
    x, y, z = np.moveaxis(angles, -1, 0)
    o = np.zeros_like(x)
    cross = np.stack([o, -z, y, z, o, -x, -y, x, o], -1).reshape(*angles.shape, 3)
    return np.eye(3) + first * cross + second * cross @ cross


def shared(
    slopes: np.ndarray,  # [..., OWN + TILT]
    common: int,  # G: the mean pose, the landmarks' marks, the tilt
) -> tuple[np.ndarray, np.ndarray]:  # [..., OWN], [..., G]
    """Slopes by a frame's own numbers and by what frames share.

    The mean moves all as the turns do, marks move landmarks only.
    """
    out = np.zeros((*slopes.shape[:-1], common))
    out[..., : 3 * JOINTS] = slopes[..., TURNS]
    out[..., -TILT:] = slopes[..., OWN:]
    return slopes[..., :OWN], out


def of_joints(
    slopes: np.ndarray,  # [T, 22 + K, 3, OWN + TILT]
    joints: Sequence[int],  # J
    common: int,  # G
) -> tuple[np.ndarray, np.ndarray]:  # [T, 3 J, OWN], [T, 3 J, G]
    """Slopes of some joints by a frame's own numbers and by those that frames share."""
    return shared(slopes[:, list(joints)].reshape(len(slopes), -1, OWN + TILT), common)
