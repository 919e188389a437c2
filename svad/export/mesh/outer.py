"""The outer surface of overlapping closed meshes: one watertight mesh without inner layers."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from svad.export.mesh.fields import crossings, near_distances, near_points

EVEN = 0.5  # cells; takes the steps out of surfaces that were sampled on grids
FEW = 0.02  # of the largest part's volume: smaller parts are crumbs
ROUNDS = 40  # of filling corners in which a surface would touch itself
CORNERS = np.array([[i >> 2, i >> 1 & 1, i & 1] for i in range(8)])  # of a cell, by number


def outer_surface(
    points: np.ndarray,  # [V, 3] metres
    faces: np.ndarray,  # [F, 3] closed parts, outward by the right-hand rule; they may overlap
    more: np.ndarray,  # [N, 3] metres, points that lie in the surface as well
    cell: float,  # metres, between the vertices of the result
    skin: float,  # metres by which the surface lies outside, so that nothing thin is lost
) -> tuple[np.ndarray, np.ndarray]:  # [W, 3] metres, [G, 3]
    """The surface of the union of all parts and points, moved outward by `skin`: a 2-manifold.

    Every edge has two triangles, normals point outward, cavities are filled and crumbs left out.
    Naive surface nets on a signed distance: the sign is the winding number along z, so parts may
    overlap and cut themselves.
    """
    margin = skin + 3 * cell
    all_points = np.concatenate([points, more])
    low = all_points.min(0).astype(np.float64) - margin
    size = np.ceil((all_points.max(0) - low + margin) / cell).astype(int) + 1
    local = np.ascontiguousarray((points - low) / cell, np.float64)
    # A ray through a vertex or an edge would count twice: rays pass a little beside the nodes.
    wound = crossings(local + np.array([3.1e-4, 1.7e-4, 0]), faces, size)
    inside = np.cumsum(wound[..., ::-1], -1, dtype=np.int16)[..., ::-1] > 0
    reach = skin / cell + 1.8
    distance = near_distances(local, faces, size, reach)
    field = np.where(inside, -distance, np.minimum(distance, near_points((more - low) / cell, size,
                                                                         reach)))  # fmt: skip
    field = (field * np.float32(cell) - np.float32(skin)).astype(np.float32)
    field = ndimage.gaussian_filter(field, EVEN, truncate=2.0)
    _whole(field, cell)
    _separated(field, cell)
    vertices, found = surface_net(field)
    return (vertices * cell + low).astype(np.float32), found


def _whole(field: np.ndarray, cell: float) -> None:
    """Fills cavities, and removes what is not connected with anything large."""
    empty, _ = ndimage.label(field > 0)
    field[(field > 0) & (empty != empty[0, 0, 0])] = -cell
    solid, count = ndimage.label(field <= 0)
    sizes = np.bincount(solid.reshape(-1), minlength=count + 1)
    sizes[0] = 0
    crumbs = np.flatnonzero(sizes < FEW * sizes.max())
    field[np.isin(solid, crumbs[crumbs > 0])] = cell


def _separated(field: np.ndarray, cell: float) -> None:
    """Fills cells in which two parts of the surface would share a vertex."""
    good = _simple_cells()
    for _ in range(ROUNDS):
        bad = ~good[cell_signs(field)]
        if not bad.any():
            return
        where = np.argwhere(bad)
        for corner in CORNERS:
            i, j, k = (where + corner).T
            field[i, j, k] = np.minimum(field[i, j, k], -0.05 * cell)


def _simple_cells() -> np.ndarray:  # [256] bool
    """By the bits of a cell's corners: whether inside and outside are each in one piece."""
    steps = [[b for b in range(8) if bin(a ^ b).count("1") == 1] for a in range(8)]

    def one_piece(corners: set[int]) -> bool:
        seen, waiting = set(), [min(corners)] if corners else []
        while waiting:
            a = waiting.pop()
            if a not in seen:
                seen.add(a)
                waiting += [b for b in steps[a] if b in corners]
        return seen == corners

    sets = [{k for k in range(8) if bits >> k & 1} for bits in range(256)]
    return np.array([one_piece(s) and one_piece(set(range(8)) - s) for s in sets])


def cell_signs(
    field: np.ndarray,  # [X, Y, Z]
) -> np.ndarray:  # [X - 1, Y - 1, Z - 1] uint8
    """Which corners of each cell are inside (at or below 0), a bit for each of `CORNERS`."""
    inside = (field <= 0).astype(np.uint8)
    x, y, z = (n - 1 for n in field.shape)
    out = np.zeros((x, y, z), np.uint8)
    for bit, (i, j, k) in enumerate(CORNERS):
        out |= inside[i : i + x, j : j + y, k : k + z] << bit
    return out


def surface_net(
    field: np.ndarray,  # [X, Y, Z] below 0 inside, in one piece within every cell
) -> tuple[np.ndarray, np.ndarray]:  # [W, 3] in nodes, [G, 3]
    """One vertex per cell the surface passes, amid its crossings; one quad per crossed edge."""
    signs = cell_signs(field)
    cells = np.argwhere((signs > 0) & (signs < 255))
    number = np.full(signs.shape, -1, np.int32)
    number[tuple(cells.T)] = np.arange(len(cells))
    corner = np.stack([field[tuple((cells + c).T)] for c in CORNERS], 1).clip(-1, 1)  # [W, 8]
    total, count = np.zeros((len(cells), 3)), np.zeros((len(cells), 1))
    for a in range(8):
        for b in (a | 1, a | 2, a | 4):
            if b == a:
                continue
            cut = (corner[:, a] <= 0) != (corner[:, b] <= 0)
            share = corner[cut, a] / (corner[cut, a] - corner[cut, b])
            total[cut] += CORNERS[a] + share[:, None] * (CORNERS[b] - CORNERS[a])
            count[cut] += 1
    return cells + total / count, _triangles(_quads(field, number), cells + total / count)


def _quads(field: np.ndarray, number: np.ndarray) -> np.ndarray:  # [Q, 4]
    """The four cells around each crossed edge, in the order that points outward."""
    inside, quads = field <= 0, []
    for axis in range(3):
        first = np.take(inside, range(inside.shape[axis] - 1), axis)
        second = np.take(inside, range(1, inside.shape[axis]), axis)
        edges = np.argwhere(first != second)
        u, v = np.eye(3, dtype=int)[[(axis + 1) % 3, (axis + 2) % 3]]
        around = [number[tuple((edges - d).T)] for d in (0 * u, u, u + v, v)]
        quad = np.stack(around, 1)
        leaves = first[tuple(edges.T)]  # the surface is passed outward along the axis
        quads.append(np.where(leaves[:, None], quad, quad[:, ::-1]))
    return np.concatenate(quads)


def _triangles(quads: np.ndarray, points: np.ndarray) -> np.ndarray:  # [G, 3] int32
    """Quads cut along the shorter diagonal, or the other where another quad took that one."""
    a, b, c, d = quads.T
    length = lambda p, q: np.linalg.norm(points[p] - points[q], axis=1)  # noqa: E731
    second = length(b, d) < length(a, c)
    for _ in range(4):
        ends = np.where(second[:, None], np.stack([b, d], 1), np.stack([a, c], 1))
        key = np.sort(ends, 1) @ np.array([len(points), 1])
        sides = np.sort(np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)]), 1)
        taken = np.concatenate([key, np.unique(sides @ np.array([len(points), 1]))])
        _, inverse, times = np.unique(taken, return_inverse=True, return_counts=True)
        again = times[inverse[: len(key)]] > 1
        if not again.any():
            break
        second[again] = ~second[again]
    one = np.where(second[:, None], np.stack([a, b, d], 1), np.stack([a, b, c], 1))
    two = np.where(second[:, None], np.stack([b, c, d], 1), np.stack([a, c, d], 1))
    return np.concatenate([one, two]).astype(np.int32)
