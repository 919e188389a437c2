"""Simplifies a closed mesh by collapsing edges, those first whose loss of shape is smallest."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import cached
from svad.core.progress import Report, silent
from svad.geometry.surface import face_normals

SHARE = 0.25  # of the edges are looked at in one round: the next may change what is cheapest
FLAT = 1e-3  # weight of keeping vertices in place where the shape does not tell
TURN = 0.35  # cosine: a triangle may not turn farther in one step
ROUNDS = 200


def simplified(
    points: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3] a closed 2-manifold
    target: int,  # triangles
    weights: np.ndarray,  # [V] how much a loss of shape counts there
    report: Report = silent,
) -> tuple[np.ndarray, np.ndarray]:  # [W, 3], [G, 3]
    """The mesh with at most `target` triangles, or as near as it can be had without cutting it.

    Quadric error metrics (Garland and Heckbert, 1997). A collapse must keep the surface a
    2-manifold (the ends of the edge have two neighbours in common) and turn no triangle over.
    """
    points, faces = points.astype(np.float64), faces.astype(np.int32)
    quadrics = _quadrics(points, faces, weights)
    begun = len(faces)
    for _ in range(ROUNDS):
        if len(faces) <= target:
            break
        report(begun - len(faces), begun - target, "simplifying")
        edges = _edges(faces)
        place, cost = _best_places(points, quadrics, edges)
        few = min(len(edges), max(int(SHARE * len(edges)), 64))
        order = np.argpartition(cost, few - 1)[:few]
        order = order[np.argsort(cost[order], kind="stable")]
        start, ring = _rings(faces, len(points))
        into = np.arange(len(points), dtype=np.int32)
        surplus = len(faces) - target
        if not _collapse(points, faces, start, ring, edges[order], place[order], into, surplus):
            break
        gone = np.flatnonzero(into != np.arange(len(points)))
        quadrics[into[gone]] += quadrics[gone]
        faces = into[faces]
        a, b, c = faces.T
        faces = faces[(a != b) & (b != c) & (c != a)]
    used, faces = np.unique(faces, return_inverse=True)
    return points[used].astype(np.float32), faces.reshape(-1, 3).astype(np.int32)


def _quadrics(points: np.ndarray, faces: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Symmetric 4 x 4 matrices [V, 4, 4] of squared distances from the planes at each vertex."""
    normals = face_normals(points, faces)
    area = np.linalg.norm(normals, axis=1, keepdims=True)
    unit = normals / np.maximum(area, 1e-30)
    plane = np.concatenate([unit, -(unit * points[faces[:, 0]]).sum(1, keepdims=True)], 1)
    each = plane[:, :, None] * plane[:, None, :] * area[..., None]
    out = np.zeros((len(points), 16))
    for corner in faces.T:
        for k in range(16):
            out[:, k] += np.bincount(corner, each.reshape(-1, 16)[:, k], len(points))
    # a little of the distance from the vertex itself, so that every matrix can be inverted
    still = np.zeros((len(points), 4, 4))
    still[:, range(3), range(3)] = 1
    still[:, :3, 3] = still[:, 3, :3] = -points
    still[:, 3, 3] = (points**2).sum(1)
    scale = FLAT * np.bincount(faces.reshape(-1), np.repeat(area[:, 0], 3), len(points))
    return (out.reshape(-1, 4, 4) + scale[:, None, None] * still) * weights[:, None, None]


def _edges(faces: np.ndarray) -> np.ndarray:  # [E, 2]
    """Every edge once; in a closed mesh it runs once each way."""
    both = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    return both[both[:, 0] < both[:, 1]]


@cached(nogil=True, error_model="numpy")
def _best_places(points, quadrics, edges):
    """Where the two ends of each edge are best put together [E, 3], and what that costs [E]."""
    place, cost = np.empty((len(edges), 3)), np.empty(len(edges))
    for e in range(len(edges)):
        u, v = edges[e, 0], edges[e, 1]
        p, q = quadrics[u], quadrics[v]
        a, b, c = p[0, 0] + q[0, 0], p[0, 1] + q[0, 1], p[0, 2] + q[0, 2]
        d, f, g = p[1, 1] + q[1, 1], p[1, 2] + q[1, 2], p[2, 2] + q[2, 2]
        x, y, z = p[0, 3] + q[0, 3], p[1, 3] + q[1, 3], p[2, 3] + q[2, 3]
        i, j, k = d * g - f * f, c * f - b * g, b * f - c * d
        det = a * i + b * j + c * k
        m0, m1, m2, reach = 0.0, 0.0, 0.0, 0.0
        for n in range(3):
            reach += (points[u, n] - points[v, n]) ** 2
        h0 = (points[u, 0] + points[v, 0]) / 2  # the middle of the edge
        h1 = (points[u, 1] + points[v, 1]) / 2
        h2 = (points[u, 2] + points[v, 2]) / 2
        if det > 0:
            m0 = -(i * x + j * y + k * z) / det
            m1 = -(j * x + (a * g - c * c) * y + (b * c - a * f) * z) / det
            m2 = -(k * x + (b * c - a * f) * y + (a * d - b * b) * z) / det
        if not (det > 0 and (m0 - h0) ** 2 + (m1 - h1) ** 2 + (m2 - h2) ** 2 <= reach):
            m0, m1, m2 = h0, h1, h2  # nearly flat: anywhere is as good
        place[e, 0], place[e, 1], place[e, 2] = m0, m1, m2
        cost[e] = (
            a * m0 * m0 + d * m1 * m1 + g * m2 * m2 + p[3, 3] + q[3, 3]
            + 2 * (b * m0 * m1 + c * m0 * m2 + f * m1 * m2 + x * m0 + y * m1 + z * m2)
        )  # fmt: skip
    return place, cost


def _rings(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The faces at each vertex: those of v are ring[start[v] : start[v + 1]]."""
    flat = faces.reshape(-1)
    order = np.argsort(flat, kind="stable")
    start = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(flat, minlength=count), out=start[1:])
    return start, (order // 3).astype(np.int32)


@cached(nogil=True, error_model="numpy")
def _turns(points, faces, start, ring, moved, other, place):
    """Whether a triangle at `moved` that stays turns too far when `moved` goes to `place`."""
    for r in range(start[moved], start[moved + 1]):
        f = ring[r]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if a == other or b == other or c == other:
            continue
        if b == moved:
            a, b, c = b, c, a
        elif c == moved:
            a, b, c = c, a, b
        p, q, s = points[a], points[b], points[c]
        n = np.cross(q - p, s - p)
        m = np.cross(q - place, s - place)
        size = np.sqrt((n * n).sum() * (m * m).sum())
        if (n * m).sum() <= TURN * size:
            return True
    return False


@cached(nogil=True, error_model="numpy")
def _collapse(points, faces, start, ring, edges, place, into, surplus):
    """Collapses edges in their order; each locks the triangles around it. Returns how many."""
    locked = np.zeros(len(points), np.bool_)
    mark = np.full(len(points), -1, np.int64)
    done = 0
    for e in range(len(edges)):
        if 2 * done >= surplus:
            break
        u, v = edges[e, 0], edges[e, 1]
        if locked[u] or locked[v]:
            continue
        free = True
        for r in range(start[u], start[u + 1]):
            for k in range(3):
                w = faces[ring[r], k]
                mark[w] = e
                free = free and not locked[w]
        common = 0
        mark[u], mark[v] = -1, -1
        for r in range(start[v], start[v + 1]):
            for k in range(3):
                w = faces[ring[r], k]
                free = free and not locked[w]
                if mark[w] == e:
                    common += 1
                    mark[w] = -1
        if not free or common != 2:
            continue
        to = place[e]
        if _turns(points, faces, start, ring, u, v, to):
            continue
        if _turns(points, faces, start, ring, v, u, to):
            continue
        for end in (u, v):
            for r in range(start[end], start[end + 1]):
                for k in range(3):
                    locked[faces[ring[r], k]] = True
        points[u] = to
        into[v] = u
        done += 1
    return done
