"""Compiled loops over the triangles near each node of a grid: windings and distances."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import cached


def crossings(
    points: np.ndarray,  # [V, 3] in nodes of the grid
    faces: np.ndarray,  # [F, 3]
    size: np.ndarray,  # [3] nodes along each axis
) -> np.ndarray:  # [X, Y, Z] int16
    """Signed passages of the rays along z, noted at the last node before them.

    Summed from a node on to the end of its ray they are its winding number.
    """
    out = np.zeros(tuple(int(n) for n in size), np.int16)
    _crossings(points, np.ascontiguousarray(faces, np.int32), out)
    return out


def near_distances(
    points: np.ndarray,  # [V, 3] in nodes of the grid
    faces: np.ndarray,  # [F, 3]
    size: np.ndarray,  # [3] nodes along each axis
    reach: float,  # in nodes
) -> np.ndarray:  # [X, Y, Z] float32, in nodes
    """How far each node is from the nearest triangle, and `reach` where none is nearer."""
    out = np.full(tuple(int(n) for n in size), reach * reach, np.float32)
    _distances(points, np.ascontiguousarray(faces, np.int32), out, reach)
    return np.sqrt(out)


def near_points(
    points: np.ndarray,  # [N, 3] in nodes of the grid
    size: np.ndarray,  # [3] nodes along each axis
    reach: float,  # in nodes
) -> np.ndarray:  # [X, Y, Z] float32, in nodes
    """How far each node is from the nearest point, and `reach` where none is nearer."""
    out = np.full(tuple(int(n) for n in size), reach * reach, np.float32)
    _point_distances(np.ascontiguousarray(points, np.float64), out, reach)
    return np.sqrt(out)


@cached(nogil=True, error_model="numpy")
def _point_distances(points, out, reach):
    for p in range(points.shape[0]):
        a, b, c = points[p, 0], points[p, 1], points[p, 2]
        for x in range(
            max(0, int(np.ceil(a - reach))), min(out.shape[0] - 1, int(np.floor(a + reach))) + 1
        ):
            for y in range(
                max(0, int(np.ceil(b - reach))), min(out.shape[1] - 1, int(np.floor(b + reach))) + 1
            ):
                flat = (x - a) ** 2 + (y - b) ** 2
                for z in range(
                    max(0, int(np.ceil(c - reach))),
                    min(out.shape[2] - 1, int(np.floor(c + reach))) + 1,
                ):
                    d = flat + (z - c) ** 2
                    if d < out[x, y, z]:
                        out[x, y, z] = d


@cached(nogil=True, error_model="numpy")
def _crossings(points, faces, out):
    for f in range(faces.shape[0]):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        sign = 1 if area > 0 else -1
        x0, x1 = np.ceil(min(a[0], b[0], c[0])), np.floor(max(a[0], b[0], c[0]))
        y0, y1 = np.ceil(min(a[1], b[1], c[1])), np.floor(max(a[1], b[1], c[1]))
        for x in range(int(x0), int(x1) + 1):
            for y in range(int(y0), int(y1) + 1):
                u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
                v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
                w = 1 - u - v
                if u < 0 or v < 0 or w < 0:
                    continue
                z = int(np.floor(u * a[2] + v * b[2] + w * c[2]))
                out[x, y, z] += sign


@cached(nogil=True, error_model="numpy")
def _squared(p0, p1, p2, a, b, c):
    """Squared distance of a point to a triangle, by the region its foot lies in (Ericson 5.1.5)."""
    ab0, ab1, ab2 = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    ac0, ac1, ac2 = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    ap0, ap1, ap2 = p0 - a[0], p1 - a[1], p2 - a[2]
    d1 = ab0 * ap0 + ab1 * ap1 + ab2 * ap2
    d2 = ac0 * ap0 + ac1 * ap1 + ac2 * ap2
    bp0, bp1, bp2 = p0 - b[0], p1 - b[1], p2 - b[2]
    d3 = ab0 * bp0 + ab1 * bp1 + ab2 * bp2
    d4 = ac0 * bp0 + ac1 * bp1 + ac2 * bp2
    cp0, cp1, cp2 = p0 - c[0], p1 - c[1], p2 - c[2]
    d5 = ab0 * cp0 + ab1 * cp1 + ab2 * cp2
    d6 = ac0 * cp0 + ac1 * cp1 + ac2 * cp2
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0 and d2 <= 0:
        s, t = 0.0, 0.0
    elif d3 >= 0 and d4 <= d3:
        s, t = 1.0, 0.0
    elif d6 >= 0 and d5 <= d6:
        s, t = 0.0, 1.0
    elif vc <= 0 and d1 >= 0 and d3 <= 0:
        s, t = d1 / (d1 - d3), 0.0
    elif vb <= 0 and d2 >= 0 and d6 <= 0:
        s, t = 0.0, d2 / (d2 - d6)
    elif va <= 0 and d4 >= d3 and d5 >= d6:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        s = 1 - t
    else:
        whole = va + vb + vc
        s, t = vb / whole, vc / whole
    x, y, z = ap0 - s * ab0 - t * ac0, ap1 - s * ab1 - t * ac1, ap2 - s * ab2 - t * ac2
    return x * x + y * y + z * z


@cached(nogil=True, error_model="numpy")
def _distances(points, faces, out, reach):
    for f in range(faces.shape[0]):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        x0, x1 = min(a[0], b[0], c[0]) - reach, max(a[0], b[0], c[0]) + reach
        y0, y1 = min(a[1], b[1], c[1]) - reach, max(a[1], b[1], c[1]) + reach
        z0, z1 = min(a[2], b[2], c[2]) - reach, max(a[2], b[2], c[2]) + reach
        for x in range(max(0, int(np.ceil(x0))), min(out.shape[0] - 1, int(np.floor(x1))) + 1):
            for y in range(max(0, int(np.ceil(y0))), min(out.shape[1] - 1, int(np.floor(y1))) + 1):
                for z in range(
                    max(0, int(np.ceil(z0))), min(out.shape[2] - 1, int(np.floor(z1))) + 1
                ):
                    d = _squared(float(x), float(y), float(z), a, b, c)
                    if d == d and d < out[x, y, z]:
                        out[x, y, z] = d
