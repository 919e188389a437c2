"""Which joints move a piece: the weights of the body's vertices nearest to it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skeleton import JOINTS
from svad.geometry.sampling import smoothstep
from tools.examples.figure import Figure
from tools.examples.picture import Piece
from tools.examples.tailor import ARM, both
from tools.truth.meshes import Strands, spread

# Body vertices that a point takes its weights from, and metres within which all count alike. Cloth
# looks farther: one smooth field for every layer, so that they move together.
SKIN, CLOTH = (4, 1e-4), (32, 0.02)
CLOTH_ROUNDS = 6  # smooths what is left of jumps, such as between the legs
ON_BODY = 0.05  # metres; a piece whose resting places lie farther from the body has none on it
TRUNK = 0.02  # share of an arm up to which a vertex belongs to the trunk
STRONGEST = 4  # joints a point keeps


def surface_weights(piece: Piece, figure: Figure) -> np.ndarray:  # [V, 55]
    """Weights of a piece of skin, cloth or leather.

    Skin is looked up at rest, where fingers are apart, and so are sleeves, which else would hold on
    to the trunk. Cloth from the waist down is looked up where it has fallen in the photo's pose:
    layers that lie on each other there are moved alike.
    """
    at_rest = cKDTree(figure.rest)
    if piece.skin and piece.rest is not None:
        return _nearest(at_rest, piece.rest, figure, *SKIN)
    if piece.trunk:
        trunk = np.flatnonzero(figure.weight(*both(ARM)) < TRUNK)
        tree, table = cKDTree(figure.vertices[trunk]), figure.weights[trunk]
        return spread(_blend(tree, piece.vertices, table, *CLOTH), piece.faces, CLOTH_ROUNDS)
    weights = _nearest(cKDTree(figure.vertices), piece.vertices, figure, *CLOTH)
    if piece.rest is not None and np.median(at_rest.query(piece.rest)[0]) < ON_BODY:
        waist, chest = (figure.rest_joints[JOINTS.index(n), 1] for n in ("spine1", "spine3"))
        high = smoothstep((piece.rest[:, 1:2] - waist) / (chest - waist))
        upper = _nearest(at_rest, piece.rest, figure, *CLOTH)
        weights = weights + high * (upper - weights)
    return spread(weights, piece.faces, CLOTH_ROUNDS)


def strand_weights(strands: Strands, figure: Figure) -> np.ndarray:  # [S, 55]
    """Weights of whole strands: hair moves with its root."""
    return _nearest(cKDTree(figure.vertices), strands.paths[:, 0], figure, *SKIN)


def strongest(
    weights: np.ndarray,  # [P, 55]
) -> tuple[np.ndarray, np.ndarray]:  # ids [P, 4] int64, weights [P, 4] float32
    """The strongest joints of each point, rows summing to 1."""
    ids = np.argpartition(-weights, STRONGEST, axis=1)[:, :STRONGEST]
    kept = np.take_along_axis(weights, ids, 1)
    return ids, (kept / kept.sum(1, keepdims=True)).astype(np.float32)


def _nearest(
    tree: cKDTree, points: np.ndarray, figure: Figure, count: int, soft: float
) -> np.ndarray:  # [P, 55]
    return _blend(tree, points, figure.weights, count, soft)


def _blend(
    tree: cKDTree, points: np.ndarray, table: np.ndarray, count: int, soft: float
) -> np.ndarray:  # [P, 55]
    away, near = tree.query(points, k=count)
    share = 1 / (away**2 + soft**2) ** 2
    share /= share.sum(1, keepdims=True)
    out = np.zeros((len(points), table.shape[1]), np.float32)
    for k in range(count):
        out += share[:, k, None] * table[near[:, k]]
    return out
