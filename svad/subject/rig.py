"""Reduced linear blend skinning for the fit: 22 joints, few hundred points, poses in batches."""

from __future__ import annotations

import numpy as np
import torch

from svad.body import skeleton as sk
from svad.body.keypoints import VERTEX_POINTS
from svad.body.model import BodyModel
from svad.face.landmarks import STEADY
from svad.geometry.rotation import rodrigues_array

JOINTS = sk.LARGE  # pelvis to wrists; fingers move with the wrist, jaw and eyes with the head
BETAS = 10
SCALES = 11
SHAPE = BETAS + SCALES
# parts of the parameter vector
TURNS = slice(0, 3 * JOINTS)  # axis-angle of each joint
PLACE = slice(3 * JOINTS, 3 * JOINTS + 3)  # x and y over depth, log of depth
FORM = slice(3 * JOINTS + 3, 3 * JOINTS + 3 + SHAPE)  # betas, logs of the bone scales
BUILD = FORM.stop  # 1 = a typical woman's build, -1 = a typical man's; only the prior reads it
COUNT = BUILD + 1

# finger knuckles that show how the hand is turned: index and pinky
_KNUCKLES = tuple(
    (knuckle, sk.FOLDED[knuckle])
    for side in sk.SIDES
    for knuckle in sk.of_side(side, "index1", "pinky1")
)


class Rig:
    """Joints and chosen points of a body as a function of pose, place and shape (numpy)."""

    def __init__(self, body: BodyModel, samples: int, seed: int = 0) -> None:
        self.body = body
        self.parents = body.parents[:JOINTS]
        mesh = body.faces[body.mesh_faces[list(STEADY)]]  # [M, 3]
        surface = _sample_vertices(body, samples, seed)
        self._index = torch.cat([body.keypoints[: len(VERTEX_POINTS)], mesh.flatten(), surface])
        self._bary = body.mesh_weights[list(STEADY)].numpy()[..., None]
        weights = body.weights[self._index].numpy().astype(np.float64)
        for joint, target in enumerate(sk.FOLDED):
            if joint != target:
                weights[:, target] += weights[:, joint]
        self.weights = self._gather(weights[:, :JOINTS])  # [N, 22]
        for _, wrist in _KNUCKLES:
            row = np.zeros((1, JOINTS))
            row[0, wrist] = 1
            self.weights = np.concatenate([self.weights, row])
        first = len(VERTEX_POINTS)
        points = first + len(STEADY)
        self.keypoints = slice(0, first)
        self.face = slice(first, points)
        self.surface = slice(points, points + len(surface))
        self.knuckles = slice(self.surface.stop, self.surface.stop + len(_KNUCKLES))
        self.build = 0.5 * (body.builds[0, :BETAS] - body.builds[1, :BETAS]).double().numpy()
        self.has_face = bool((body.mesh_weights[list(STEADY)].sum(1) > 0.5).all())
        self.linearise(np.zeros(SHAPE))

    def _gather(self, values: np.ndarray) -> np.ndarray:
        """Per-vertex values [n, C] to per-point values: face points are mixed from corners."""
        first = len(VERTEX_POINTS)
        body, face, surface = np.split(values, (first, first + 3 * len(STEADY)))
        face = (face.reshape(-1, 3, values.shape[1]) * self._bary).sum(1)
        return np.concatenate([body, face, surface])

    def rest(
        self,
        form: np.ndarray,  # [21] betas and logs of bone scales
    ) -> tuple[np.ndarray, np.ndarray]:  # joints [22, 3], points [N, 3]
        """The zero-pose body of a shape, from the body model itself."""
        betas = torch.as_tensor(form[:BETAS], dtype=torch.float32)
        scales = torch.as_tensor(np.exp(form[BETAS:]), dtype=torch.float32)
        rest = self.body.rest_some(betas, self._index, scales)
        joints = rest.joints.double().numpy()
        points = self._gather(rest.vertices.double().numpy())
        return joints[:JOINTS], np.concatenate([points, joints[[j for j, _ in _KNUCKLES]]])

    def linearise(
        self,
        form: np.ndarray,  # [21]
    ) -> None:
        """Take shape as linear around here from now on (it is nearly linear everywhere)."""
        step = 0.02
        self._form = form.copy()
        self._joints, self._points = self.rest(form)
        moved = [self.rest(form + step * row) for row in np.eye(SHAPE)]
        self._joint_dirs = np.stack([(j - self._joints) / step for j, _ in moved])  # [21, 22, 3]
        self._point_dirs = np.stack([(p - self._points) / step for _, p in moved])  # [21, N, 3]

    def pose(
        self,
        x: np.ndarray,  # [B, COUNT]
        points: slice | np.ndarray = slice(None),  # [n] of the N points
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # [B, 22, 3], [B, n, 3], [B, 22, 3, 3]
        """Joints and points in the world (metres), and the joints' turns."""
        delta = x[:, FORM] - self._form
        joints = self._joints + np.tensordot(delta, self._joint_dirs, 1)
        rest = self._points[points] + np.tensordot(delta, self._point_dirs[:, points], 1)
        local = rodrigues_array(x[:, TURNS].reshape(-1, JOINTS, 3))
        turns, places = [local[:, 0]], [joints[:, 0]]
        for j in range(1, JOINTS):
            p = self.parents[j]
            turns.append(turns[p] @ local[:, j])
            places.append(places[p] + (turns[p] @ (joints[:, j] - joints[:, p])[..., None])[..., 0])
        turn, place = np.stack(turns, 1), np.stack(places, 1)
        shift = place - (turn @ joints[..., None])[..., 0]
        table = np.concatenate([turn.reshape(len(x), JOINTS, 9), shift], -1)
        mixed = self.weights[points] @ table  # [B, n, 12]
        posed = (mixed[..., :9].reshape(*mixed.shape[:2], 3, 3) @ rest[..., None])[..., 0]
        posed += mixed[..., 9:]
        offset = translation(x[:, PLACE])[:, None]
        return place + offset, posed + offset, turn


def translation(
    place: np.ndarray,  # [..., 3] x and y over depth, log of depth
) -> np.ndarray:  # [..., 3] metres
    """Where the pelvis is put in front of the camera."""
    depth = np.exp(place[..., 2:])
    return np.concatenate([place[..., :2] * depth, -depth], -1)


def _sample_vertices(body: BodyModel, count: int, seed: int) -> torch.Tensor:
    """Vertices spread evenly over the skin."""
    corners = body.template[body.faces]
    area = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(
        dim=1
    )
    hidden = torch.zeros(len(body.template), dtype=torch.bool)
    hidden[torch.cat([body.cavity, body.left_eye, body.right_eye])] = True
    area[hidden[body.faces].any(1)] = 0
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(area, count, generator=generator)
    return torch.unique(body.faces[chosen, 0])
