"""Finds joints as weighted means of nearby vertices, so that they follow the body's shape."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skeleton import JOINTS, PARENTS

CANDIDATES = 300  # nearest vertices a joint may be made of
SUM_WEIGHT = 100.0  # weight of the row that makes the shares sum to 1


def fit_regressor(
    vertices: np.ndarray,  # [N, V, 3] bodies
    joints: np.ndarray,  # [N, 55, 3] their joints
    weights: np.ndarray,  # [V, 55] skinning weights
    flip: np.ndarray,  # [V] mirrored vertex
) -> np.ndarray:  # [55, V] rows sum to 1, not negative
    """Non-negative least squares per joint on vertices that the joint or its parent moves.

    Right joints mirror left ones; joints on the middle plane are made symmetric.
    """
    mean, mean_joints = vertices.mean(0), joints.mean(0)
    table = np.zeros((55, vertices.shape[1]))
    for joint, name in enumerate(JOINTS):
        if name.startswith("right_"):
            continue
        near = [joint, max(PARENTS[joint], 0)]
        moved = np.flatnonzero(weights[:, near].max(1) > 0.02)
        distance = np.linalg.norm(mean[moved] - mean_joints[joint], axis=1)
        chosen = moved[distance.argsort(kind="stable")[:CANDIDATES]]
        rows = vertices[:, chosen].transpose(0, 2, 1).reshape(-1, len(chosen))
        system = np.concatenate([rows, np.full((1, len(chosen)), SUM_WEIGHT)]).astype(np.float64)
        share, _ = nnls(system, np.append(joints[:, joint].ravel(), SUM_WEIGHT))
        table[joint, chosen] = share / share.sum()
        if name.startswith("left_"):
            table[JOINTS.index(name.replace("left_", "right_")), flip] = table[joint]
        else:
            table[joint] = (table[joint] + table[joint, flip]) / 2
    return table


def mirror_table(
    points: np.ndarray,  # [V, 3] a symmetric mesh
) -> np.ndarray:  # [V] for each vertex the one on the other side
    """Nearest vertex of the mirrored mesh, made its own inverse."""
    mirrored = points * (-1, 1, 1)
    flip = cKDTree(points).query(mirrored)[1]
    odd = flip[flip] != np.arange(len(flip))
    if odd.any():
        raise ValueError(f"{odd.sum()} vertices have no partner on the other side")
    return flip
