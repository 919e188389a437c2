"""Signed distances on a grid, and meshes drawn from them (for clothes and shoes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.compute.compiled import cached

BAND = 0.06  # metres, how far from the surface distances are measured


@dataclass(frozen=True)
class Grid:
    """Values at regular points."""

    values: np.ndarray  # [X, Y, Z] float64, metres, negative inside
    origin: np.ndarray  # [3] place of the first value
    step: float  # metres

    def points(self) -> np.ndarray:  # [X, Y, Z, 3]
        """Where the values are."""
        axes = [self.origin[k] + self.step * np.arange(self.values.shape[k]) for k in range(3)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1)

    def with_values(self, values: np.ndarray) -> Grid:
        """The same grid with other values."""
        return Grid(values, self.origin, self.step)


def empty_grid(low: np.ndarray, high: np.ndarray, step: float) -> Grid:
    """A grid of zeros over a box."""
    size = np.ceil((np.asarray(high) - low) / step).astype(int) + 1
    return Grid(np.zeros(tuple(size)), np.asarray(low, float), step)


def measure(
    grid: Grid,
    points: np.ndarray,  # [N, 3] dense samples of a surface
    normals: np.ndarray,  # [N, 3] outward
    band: float = BAND,
) -> Grid:
    """Signed distance to a sampled surface; clipped at the band."""
    empty = np.ones(grid.values.shape, bool)
    cell = np.round((points - grid.origin) / grid.step).astype(int)
    cell = cell[((cell >= 0) & (cell < empty.shape)).all(1)]
    empty[tuple(cell.T)] = False
    known = inward(empty, grid.step) < band
    where = grid.origin + grid.step * np.argwhere(known)
    distance, near = cKDTree(points).query(where, k=3)
    offset = where[:, None] - points[near]
    plane = (offset * normals[near]).sum(-1)
    share = 1 / (distance**2 + 1e-8)
    mean = (plane * share).sum(1) / share.sum(1)
    close = np.clip((distance[:, 0] - 0.004) / 0.012, 0, 1)
    signed = np.where(mean < 0, -distance[:, 0], distance[:, 0])
    values = np.full(grid.values.shape, np.nan)
    values[known] = close * signed + (1 - close) * mean
    parts, _ = cast("tuple[np.ndarray, int]", ndimage.label(np.isnan(values)))
    outside = parts[0, 0, 0]
    far = np.isnan(values)
    values[far] = np.where((parts == outside) | _on_edge(parts), band, -band)[far]
    return grid.with_values(values)


def _on_edge(parts: np.ndarray) -> np.ndarray:
    """Cells of parts that touch a side of the grid."""
    sides = [np.take(parts, i, axis).ravel() for axis in range(3) for i in (0, -1)]
    return np.isin(parts, np.setdiff1d(np.unique(np.concatenate(sides)), [0]))


def inward(
    cells: np.ndarray,  # [X, Y, Z] bool
    step: float,  # metres
) -> np.ndarray:  # [X, Y, Z] metres
    """Distance of each of the cells from the nearest other one."""
    return cast("np.ndarray", ndimage.distance_transform_edt(cells)) * step


def closed(grid: Grid, radius: float) -> Grid:
    """Creases narrower than twice the radius are bridged (morphological closing)."""
    grown = grid.values < radius
    depth = inward(grown, grid.step)
    bridged = np.where(grown, radius - depth, grid.values)
    smooth = ndimage.gaussian_filter(bridged, 1.0)
    return grid.with_values(np.minimum(grid.values, smooth))


def merged(a: np.ndarray, b: np.ndarray, blend: float) -> np.ndarray:
    """Smooth union of two distance fields; `blend` in metres."""
    h = np.clip(0.5 + 0.5 * (b - a) / blend, 0, 1)
    return b + (a - b) * h - blend * h * (1 - h)


def tube(
    points: np.ndarray,  # [..., 3]
    path: np.ndarray,  # [K, 3]
    radii: np.ndarray,  # [K] metres
    flatten: tuple[float, float, float] = (1.0, 1.0, 1.0),  # scale of distance along the axes
) -> np.ndarray:  # [...]
    """Distance to a chain of cones with round ends."""
    best = np.full(points.shape[:-1], np.inf)
    for a, b, ra, rb in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        along = b - a
        t = np.clip(((points - a) @ along) / (along @ along), 0, 1)
        apart = (points - a - t[..., None] * along) * np.asarray(flatten)
        best = np.minimum(best, np.linalg.norm(apart, axis=-1) - (ra + (rb - ra) * t))
    return best


def surface(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The zero level as vertices [V, 3] and triangles [F, 3] (naive surface nets)."""
    values = grid.values
    inside = values < 0
    corners = np.stack(
        [
            values[i : i - 1 or None, j : j - 1 or None, k : k - 1 or None]
            for i in (0, 1)
            for j in (0, 1)
            for k in (0, 1)
        ],
        -1,
    )
    signs = corners < 0
    mixed = signs.any(-1) & ~signs.all(-1)
    offsets = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    cell = np.argwhere(mixed)
    c = corners[mixed]
    total, count = np.zeros((len(cell), 3)), np.zeros(len(cell))
    for p in range(8):
        for q in range(p + 1, 8):
            if np.abs(offsets[p] - offsets[q]).sum() != 1:
                continue
            cross = (c[:, p] < 0) != (c[:, q] < 0)
            t = c[:, p] / np.where(cross, c[:, p] - c[:, q], 1)
            total += np.where(
                cross[:, None], offsets[p] + t[:, None] * (offsets[q] - offsets[p]), 0
            )
            count += cross
    vertices = grid.origin + grid.step * (cell + total / count[:, None])
    number = np.full(mixed.shape, -1)
    number[mixed] = np.arange(len(cell))
    quads = []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        low = np.take(inside, range(inside.shape[axis] - 1), axis)
        high = np.take(inside, range(1, inside.shape[axis]), axis)
        at = np.argwhere(low != high)
        at = at[(at[:, a] > 0) & (at[:, b] > 0)]
        at = at[(at[:, a] < mixed.shape[a]) & (at[:, b] < mixed.shape[b])]
        step_a, step_b = np.eye(3, dtype=int)[a], np.eye(3, dtype=int)[b]
        ring = [number[tuple((at - s).T)] for s in (0 * step_a, step_a, step_a + step_b, step_b)]
        quad = np.stack(ring, 1)
        back = high[tuple(at.T)]
        quad[back] = quad[back][:, ::-1]
        quads.append(quad)
    quad = np.concatenate(quads)
    quad = quad[(quad >= 0).all(1)]
    return vertices, np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])


def cut(
    vertices: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
    keep: np.ndarray,  # [V] kept where positive
    others: tuple[np.ndarray, ...] = (),  # [V, C]
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Cuts a mesh along the zero line of a vertex field; no slivers are left beside it."""
    table = np.concatenate([vertices, *others], 1)
    keep, table = _snapped(keep, table, faces)
    signs = np.sign(keep[faces])
    whole = (signs >= 0).all(1) & (signs > 0).any(1)
    crossing = (signs > 0).any(1) & (signs < 0).any(1)
    made: dict[tuple[int, int], int] = {}
    extra: list[np.ndarray] = []
    new_faces = []

    def between(i: int, j: int) -> int:
        key = (min(i, j), max(i, j))
        if key not in made:
            t = keep[i] / (keep[i] - keep[j])
            extra.append(table[i] + t * (table[j] - table[i]))
            made[key] = len(table) + len(extra) - 1
        return made[key]

    for corner in faces[crossing]:
        polygon = []
        for i, j in zip(corner, np.roll(corner, -1), strict=True):
            if keep[i] >= 0:
                polygon.append(i)
            if keep[i] * keep[j] < 0:
                polygon.append(between(i, j))
        new_faces += [[polygon[0], polygon[n], polygon[n + 1]] for n in range(1, len(polygon) - 1)]
    table = np.concatenate([table, np.array(extra).reshape(-1, table.shape[1])])
    faces = np.concatenate([faces[whole], np.array(new_faces, int).reshape(-1, 3)])
    return compact(table, faces, [3] + [o.shape[1] for o in others])


def _snapped(
    keep: np.ndarray, table: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Moves vertices that are almost on the zero line onto it, so that no slivers are cut off."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    a, b = pairs[keep[pairs[:, 0]] * keep[pairs[:, 1]] < 0].T
    share = keep[a] / (keep[a] - keep[b])  # of the way from a to b where the line is
    order = np.argsort(-share)
    nearest, target = np.full(len(table), 1.0), np.full(len(table), -1)
    nearest[a[order]], target[a[order]] = share[order], b[order]
    close = nearest < 0.3
    move = nearest[close, None] * (table[target[close]] - table[close])
    table, keep = table.copy(), keep.copy()
    table[close] += move
    keep[close] = 0.0
    return keep, table


def compact(
    table: np.ndarray, faces: np.ndarray, widths: list[int]
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Drops unused vertices; splits the table into its columns."""
    used, faces = np.unique(faces, return_inverse=True)
    first, *rest = np.split(table[used], np.cumsum(widths)[:-1], axis=1)
    return first, faces.reshape(-1, 3), tuple(rest)


def largest_part(
    vertices: np.ndarray, faces: np.ndarray, others: tuple[np.ndarray, ...] = (), count: int = 1
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """The connected pieces with the most vertices."""
    links = coo_matrix(
        (np.ones(len(faces) * 2), (faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel())),
        shape=(len(vertices),) * 2,
    )
    _, part = connected_components(links, directed=False)
    best = np.bincount(part).argsort()[::-1][:count]
    table = np.concatenate([vertices, *others], 1)
    kept = faces[np.isin(part[faces[:, 0]], best)]
    return compact(table, kept, [3] + [o.shape[1] for o in others])


@cached(nogil=True, error_model="numpy")
def trilinear(values, origin, step, x, y, z):
    """Value and gradient of a grid at a point: (d, gx, gy, gz)."""
    fx, fy, fz = (x - origin[0]) / step, (y - origin[1]) / step, (z - origin[2]) / step
    nx, ny, nz = values.shape
    if fx < 0 or fy < 0 or fz < 0 or fx >= nx - 1 or fy >= ny - 1 or fz >= nz - 1:
        return 1.0, 0.0, 0.0, 0.0
    i, j, k = int(fx), int(fy), int(fz)
    u, v, w = fx - i, fy - j, fz - k
    a, b = values[i, j, k], values[i + 1, j, k]
    c, d = values[i, j + 1, k], values[i + 1, j + 1, k]
    e, f = values[i, j, k + 1], values[i + 1, j, k + 1]
    g, h = values[i, j + 1, k + 1], values[i + 1, j + 1, k + 1]
    near = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v
    far = (e * (1 - u) + f * u) * (1 - v) + (g * (1 - u) + h * u) * v
    gx = ((b - a) * (1 - v) + (d - c) * v) * (1 - w) + ((f - e) * (1 - v) + (h - g) * v) * w
    low = ((c - a) * (1 - u) + (d - b) * u) * (1 - w)
    gy = low + ((g - e) * (1 - u) + (h - f) * u) * w
    return near * (1 - w) + far * w, gx / step, gy / step, (far - near) / step


@cached(nogil=True, error_model="numpy")
def sample(values, origin, step, points, out):
    """Values of a grid at points [P, 3] into out [P, 4] (value, gradient)."""
    for p in range(points.shape[0]):
        d, x, y, z = trilinear(values, origin, step, points[p, 0], points[p, 1], points[p, 2])
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = d, x, y, z
