"""Expressions read from face meshes over a clip: what moves away from the face at rest.

A person's own face at rest is the median of the clip, so that nothing has to be known of its shape.
"""

from __future__ import annotations

import numpy as np
import torch

from svad.body.keypoints import face_mesh
from svad.body.model import BodyModel
from svad.geometry.similarity import fit_rotation

ROUNDS = 300  # of the projected gradient
SIGMA, SPREAD = 0.0015, 0.35  # metres, of a point of the mesh; of a coefficient
DEEP = 0.3  # trust in depth, which a mesh guesses
NOTHING = 0.08  # coefficient below which a face is at rest


def read_expressions(
    meshes: np.ndarray,  # [T, 478, 3] x px, y px, z px; nan = no face
    body: BodyModel,
) -> np.ndarray:  # [T, E] 0..1, nan = no face
    """Coefficients of every face of a clip."""
    count = len(body.expression_names)
    out = np.full((len(meshes), count), np.nan)
    seen = np.isfinite(meshes).all((1, 2))
    if not seen.any() or not count:
        return out
    table = face_mesh(body)
    rest = table.points(body.template, body.joint_template).numpy().astype(np.float64)
    matrix = table.matrix[:, : len(table.vertices)]
    moves = torch.einsum("pm,mce->pce", matrix, body.expression_dirs[table.vertices])
    moves = moves.numpy().astype(np.float64)  # [478, 3, E]
    still = np.linalg.norm(moves, axis=1).max(1)
    still = still <= np.quantile(still, 0.3)
    placed = np.stack([_placed(mesh, rest, still) for mesh in meshes[seen].astype(np.float64)])
    away = placed - np.median(placed, 0)
    weight = np.tile([1.0, 1.0, DEEP], len(rest)) / SIGMA
    columns = moves.reshape(-1, count) * weight[:, None]
    target = (away.reshape(len(away), -1) * weight) @ columns
    normal = columns.T @ columns
    # some points shift together, by the mesh rather than by the muscle: ridge in their units
    normal += np.eye(count) * len(rest) * 0.05 / SPREAD**2
    step = 1 / np.linalg.eigvalsh(normal)[-1]
    found = np.zeros((len(away), count))
    for _ in range(ROUNDS):
        found = np.clip(found - step * (found @ normal - target), 0, 1)
    out[seen] = np.where(found < NOTHING, 0, found)
    return out


def _placed(mesh: np.ndarray, rest: np.ndarray, still: np.ndarray) -> np.ndarray:
    """A mesh [478, 3] brought over the face at rest by its still points."""
    mesh = mesh * (1, -1, -1)
    middle, goal = mesh[still].mean(0), rest[still].mean(0)
    own, wanted = mesh[still] - middle, rest[still] - goal
    size = np.linalg.norm(wanted) / max(np.linalg.norm(own), 1e-9)
    return (mesh - middle) @ fit_rotation(own, wanted).T * size + goal
