"""A person's bare body: shape, pose and expression, smoothed and ready to be dressed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from svad.body.free import load_free_body
from svad.body.skeleton import JOINTS, SPINE, Joint
from svad.motion.standing import A_POSE

# how far the skin of a joint goes out with the belly
GIRTH = {
    "pelvis": 0.8, "spine1": 1.0, "spine2": 1.0, "spine3": 0.6, "hip": 0.4, "collar": 0.35,
    "shoulder": 0.2, "elbow": 0.1, "knee": 0.15, "neck": 0.15,
}  # fmt: skip
RIDGE = 0.02  # of the mean square of a direction: what keeps faces as they are


@dataclass(frozen=True)
class Figure:
    """One posed body, metres; the soles stand at y = 0, the pelvis near x = z = 0."""

    vertices: np.ndarray  # [V, 3] posed
    rest: np.ndarray  # [V, 3] zero pose, neutral face, same shape
    faces: np.ndarray  # [F, 3]
    weights: np.ndarray  # [V, 55]
    joints: np.ndarray  # [55, 3] posed
    rest_joints: np.ndarray  # [55, 3]
    landmarks: np.ndarray  # [68, 3] on the posed face
    rest_landmarks: np.ndarray  # [68, 3]
    lists: dict[str, np.ndarray]  # vertex ids by name

    def joint(self, name: str) -> np.ndarray:  # [3]
        """Where a joint is."""
        return self.joints[JOINTS.index(name)]

    def weight(self, *names: str) -> np.ndarray:  # [V]
        """How much of each vertex follows the named joints."""
        return self.weights[:, [JOINTS.index(n) for n in names]].sum(1)


def make_figure(
    betas: np.ndarray,  # [b]
    turns: dict[str, tuple[float, float, float]],  # degrees added to the A-pose by joint
    expression: dict[str, float],
    heel: float = 0.0,  # metres the soles of the shoes lift the feet
) -> Figure:
    """Pose a body: the A-pose with changes, standing on its soles."""
    body = load_free_body()
    shape = torch.tensor(np.asarray(betas, np.float32))
    rest = body.rest(shape)
    rotations = A_POSE.copy()
    for name, degrees in turns.items():
        rotations[JOINTS.index(name)] += np.radians(degrees)
    face = torch.zeros(len(body.expression_names))
    for name, value in expression.items():
        face[body.expression_names.index(name)] = value
    pose = torch.from_numpy(rotations)
    posed = body.pose_vertices(rest, pose, torch.zeros(3), face)
    joints = body.posed_joints(rest.joints, pose, torch.zeros(3))
    lift = torch.tensor([0.0, heel - float(posed[:, 1].min()), 0.0])
    names = ("left_hand", "right_hand", "left_foot", "right_foot", "left_eye", "right_eye", "head")
    lists = {name: getattr(body, name).numpy() for name in (*names, "face", "cavity", "keypoints")}
    return Figure(
        vertices=(posed + lift).double().numpy(),
        rest=rest.vertices.double().numpy(),
        faces=body.faces.numpy(),
        weights=body.weights.double().numpy(),
        joints=(joints + lift).double().numpy(),
        rest_joints=rest.joints.double().numpy(),
        landmarks=body.landmarks(posed + lift).double().numpy(),
        rest_landmarks=body.landmarks(rest.vertices).double().numpy(),
        lists=lists,
    )


def girth_direction() -> np.ndarray:  # [b] per metre
    """Shape coefficients of a body that is so much farther out at the belly, and nearly as tall.

    Least squares (ridge) of the body's shape directions against a push away from the spine, which
    fades towards head, hands and feet.
    """
    body = load_free_body()
    rest, weights = body.template.double().numpy(), body.weights.double().numpy()
    spine = body.rest(torch.zeros(body.shape_dirs.shape[-1])).joints.double().numpy()
    amount = weights @ np.array([GIRTH.get(name.split("_")[-1], 0.0) for name in JOINTS])
    spine = spine[[Joint.PELVIS, *SPINE]]
    near = np.abs(rest[:, None, 1] - spine[None, :, 1]).argmin(1)
    away = rest - spine[near]
    away[:, 1] = 0
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    wanted = (amount[:, None] * away).ravel()
    flat = body.shape_dirs.double().numpy().reshape(len(wanted), -1)
    square = flat.T @ flat
    ridge = RIDGE * np.trace(square) / len(square)
    found = np.linalg.solve(square + ridge * np.eye(len(square)), flat.T @ wanted)
    belly = amount > 0.9
    pushed = (flat @ found).reshape(-1, 3)
    return found / (pushed[belly] * away[belly]).sum(1).mean()


def subdivide(
    vertices: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
    others: tuple[np.ndarray, ...] = (),  # [V, C] each, split linearly
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """One step of Loop subdivision (Loop 1987); open borders stay smooth curves."""
    count = len(vertices)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    opposite = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
    edges, index, uses = np.unique(
        np.sort(directed, 1), axis=0, return_inverse=True, return_counts=True
    )
    index = index.ravel()
    far = np.zeros((len(edges), 3))
    np.add.at(far, index, vertices[opposite])
    ends = vertices[edges].sum(1)
    inner = uses == 2
    middle = np.where(inner[:, None], 0.375 * ends + 0.125 * far, 0.5 * ends)
    ring = np.bincount(edges[inner].ravel(), minlength=count)
    around = np.zeros((count, 3))
    np.add.at(around, edges[inner, 0], vertices[edges[inner, 1]])
    np.add.at(around, edges[inner, 1], vertices[edges[inner, 0]])
    rim = np.zeros((count, 3))
    border = np.zeros(count, int)
    for a, b in ((0, 1), (1, 0)):
        np.add.at(rim, edges[~inner, a], vertices[edges[~inner, b]])
        np.add.at(border, edges[~inner, a], 1)
    n = np.maximum(ring, 3)
    beta = (0.625 - (0.375 + 0.25 * np.cos(2 * np.pi / n)) ** 2) / n
    smooth = (1 - ring * beta)[:, None] * vertices + beta[:, None] * around
    on_rim = border == 2
    smooth[on_rim] = 0.75 * vertices[on_rim] + 0.125 * rim[on_rim]
    smooth[border > 2] = vertices[border > 2]
    ab, bc, ca = (count + index[k * len(faces) : (k + 1) * len(faces)] for k in range(3))
    a, b, c = faces.T
    split = np.concatenate(
        [
            np.stack([a, ab, ca], 1),
            np.stack([ab, b, bc], 1),
            np.stack([ca, bc, c], 1),
            np.stack([ab, bc, ca], 1),
        ]
    )
    finer = tuple(np.concatenate([o, o[edges].mean(1)]) for o in others)
    return np.concatenate([smooth, middle]), split, finer
