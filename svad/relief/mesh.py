"""The layers as one coloured triangle mesh, for programs that know no Gaussians."""

from __future__ import annotations

import numpy as np

from svad.geometry.camera import Camera
from svad.relief.points import Sheet, grid_positions


def sheet_mesh(
    sheet: Sheet,
    camera: Camera,
    stride: int,  # grid steps between vertices
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A closed mesh of one sheet: xyz [V, 3], faces [F, 3], rgb [V, 3], weights [V, 22].

    Front and back share no vertices (they have different colours); a band closes the outline.
    """
    cells = sheet.mask[::stride, ::stride]
    near = grid_positions(sheet, sheet.near, camera)[::stride, ::stride]
    far = grid_positions(sheet, sheet.far, camera)[::stride, ::stride]
    quad = cells[:-1, :-1] & cells[1:, :-1] & cells[:-1, 1:] & cells[1:, 1:]
    used = np.zeros(cells.shape, bool)
    for dy in (0, 1):
        for dx in (0, 1):
            used[dy : dy + quad.shape[0], dx : dx + quad.shape[1]] |= quad
    n = int(used.sum())
    index = np.full(cells.shape, -1, np.int64)
    index[used] = np.arange(n)
    a, b = index[:-1, :-1][quad], index[:-1, 1:][quad]
    c, d = index[1:, :-1][quad], index[1:, 1:][quad]
    front = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    back = front[:, ::-1] + n
    band = _band(quad, index, n)
    pick = lambda x: x[::stride, ::stride][used]  # noqa: E731
    return (
        np.concatenate([near[used], far[used]]).astype(np.float32),
        np.concatenate([front, back, band]).astype(np.int32),
        np.concatenate([pick(sheet.near_rgb), pick(sheet.far_rgb)]),
        np.concatenate([pick(sheet.near_weights), pick(sheet.far_weights)]),
    )


def _band(quad: np.ndarray, index: np.ndarray, n: int) -> np.ndarray:  # [F, 3]
    """Triangles between front and back along every open edge of the grid."""
    padded = np.pad(quad, 1)
    inside = padded[1:-1, 1:-1]
    faces = []
    tl, tr = index[:-1, :-1], index[:-1, 1:]
    bl, br = index[1:, :-1], index[1:, 1:]
    for neighbour, p, q in (
        (padded[:-2, 1:-1], tl, tr),  # open above
        (padded[2:, 1:-1], br, bl),
        (padded[1:-1, :-2], bl, tl),
        (padded[1:-1, 2:], tr, br),
    ):
        edge = inside & ~neighbour
        u, v = p[edge], q[edge]
        faces.append(np.stack([u, v, v + n], 1))
        faces.append(np.stack([u, v + n, u + n], 1))
    return np.concatenate(faces)


def joined_meshes(parts: list[tuple]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Concatenates meshes of `sheet_mesh`'s form."""
    offsets = np.cumsum([0] + [len(p[0]) for p in parts[:-1]])
    return (
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] + o for p, o in zip(parts, offsets, strict=True)]),
        np.concatenate([p[2] for p in parts]),
        np.concatenate([p[3] for p in parts]),
    )
