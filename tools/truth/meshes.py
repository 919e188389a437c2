"""Meshes of the moving person: cut finer for colours per vertex, smoothed, hair as strands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, diags

from tools.examples.picture import Piece

EDGE = 0.0026  # metres, median edge that is fine enough: under a pixel of the usual frame
FINEST = 2  # subdivisions at most


def finer(piece: Piece) -> Piece:
    """The piece with colours per vertex in mind: split until its edges are about a pixel long."""
    edges = piece.vertices[piece.faces] - piece.vertices[np.roll(piece.faces, 1, 1)]
    size = float(np.median(np.linalg.norm(edges, axis=-1)))
    for _ in range(min(FINEST, max(0, round(np.log2(size / EDGE))))):
        piece = _split(piece)
    return piece


def _split(piece: Piece) -> Piece:
    """Every triangle in four; the surface itself stays as it is."""
    faces, count = piece.faces, len(piece.vertices)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    low, high = np.sort(directed, 1).T.astype(np.int64)
    keys, index = np.unique(low * count + high, return_inverse=True)
    ends = np.stack([keys // count, keys % count], 1)
    a, b, c = faces.T
    ab, bc, ca = count + index.reshape(3, -1)
    corners = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))

    def grown(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.concatenate([values, values[ends].mean(1)])

    return replace(
        piece,
        vertices=np.concatenate([piece.vertices, piece.vertices[ends].mean(1)]),
        faces=np.concatenate([np.stack(corner, 1) for corner in corners]),
        rest=grown(piece.rest),
        extra=grown(piece.extra),
        normals=grown(piece.normals),
    )


def spread(
    values: np.ndarray,  # [V, C]
    faces: np.ndarray,  # [F, 3]
    rounds: int,
) -> np.ndarray:  # [V, C]
    """Every value half way to the mean of its neighbours, so many times."""
    count = len(values)
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1]])
    links = csr_matrix((np.ones(len(ends), np.float32), ends.T), (count, count))
    links.data[:] = 1
    degree = np.asarray(links.sum(1)).ravel()
    # a vertex of no triangle keeps its value
    mean = diags(0.5 / np.maximum(degree, 1)) @ links + diags(np.where(degree > 0, 0.5, 1.0))
    for _ in range(rounds):
        values = mean @ values
    return values


@dataclass(frozen=True)
class Strands:
    """Hair as polylines of S strands with K points each."""

    paths: np.ndarray  # [S, K, 3] metres, root to tip
    half: np.ndarray  # [S, K] metres, half the width


def strands_of(piece: Piece) -> Strands:
    """The middle lines of a piece of ribbons (two vertices a point, two triangles a step)."""
    pairs = piece.vertices.reshape(-1, 2, 3)
    count = len(pairs) - len(piece.faces) // 2  # a strand has one step less than points
    half = np.linalg.norm(pairs[:, 1] - pairs[:, 0], axis=1) / 2
    return Strands(pairs.mean(1).reshape(count, -1, 3), half.reshape(count, -1))
