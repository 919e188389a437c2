"""Which joints move a piece: the weights of the body's vertices nearest to it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from tools.examples.figure import Figure
from tools.examples.picture import Piece
from tools.truth.meshes import Strands, spread

NEAREST = 4  # body vertices that a point takes its weights from
ON_BODY = 0.05  # metres; a piece whose resting places lie farther from the body has none on it
CLOTH_ROUNDS = 24  # smooths weights over some two centimetres: no creases between the legs
STRONGEST = 4  # joints a point keeps


def surface_weights(piece: Piece, figure: Figure) -> np.ndarray:  # [V, 55]
    """Weights of a piece of skin, cloth or leather."""
    if piece.rest is not None:  # at rest, arms and legs are far apart
        tree = cKDTree(figure.rest)
        if np.median(tree.query(piece.rest)[0]) < ON_BODY:
            weights = _nearest(tree, piece.rest, figure)
            return weights if piece.skin else spread(weights, piece.faces, CLOTH_ROUNDS)
    weights = _nearest(cKDTree(figure.vertices), piece.vertices, figure)
    return spread(weights, piece.faces, CLOTH_ROUNDS)


def strand_weights(strands: Strands, figure: Figure) -> np.ndarray:  # [S, 55]
    """Weights of whole strands: hair moves with its root."""
    return _nearest(cKDTree(figure.vertices), strands.paths[:, 0], figure)


def strongest(
    weights: np.ndarray,  # [P, 55]
) -> tuple[np.ndarray, np.ndarray]:  # ids [P, 4] int64, weights [P, 4] float32
    """The strongest joints of each point, rows summing to 1."""
    ids = np.argpartition(-weights, STRONGEST, axis=1)[:, :STRONGEST]
    kept = np.take_along_axis(weights, ids, 1)
    return ids, (kept / kept.sum(1, keepdims=True)).astype(np.float32)


def _nearest(tree: cKDTree, points: np.ndarray, figure: Figure) -> np.ndarray:  # [P, 55]
    away, near = tree.query(points, k=NEAREST)
    share = 1 / (away**2 + 1e-8)
    share /= share.sum(1, keepdims=True)
    out = np.zeros((len(points), figure.weights.shape[1]), np.float32)
    for k in range(NEAREST):
        out += share[:, k, None] * figure.weights[near[:, k]]
    return out
