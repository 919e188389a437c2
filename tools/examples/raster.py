"""A z-buffer rasteriser for the pictures of the examples: nearest triangle and its barycentrics."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import cached
from svad.geometry.zbuffer import corners_of, pixel_span


def nearest_triangles(
    points: np.ndarray,  # [V, 3] x px, y px, depth
    faces: np.ndarray,  # [F, 3]
    height: int,
    width: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # face [H, W] int32 (-1 = none), u, v [H, W]
    """The triangle seen in each pixel; corners weigh (1 - u - v, u, v), right in perspective."""
    depth = np.full((height, width), np.inf, np.float32)
    face = np.full((height, width), -1, np.int32)
    u = np.zeros((height, width), np.float32)
    v = np.zeros((height, width), np.float32)
    _draw(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(faces, np.int32),
        depth,
        face,
        u,
        v,
    )
    return face, u, v


@cached(nogil=True, error_model="numpy")
def _draw(points, faces, depth, face, out_u, out_v):
    height, width = depth.shape
    for f in range(faces.shape[0]):
        ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(points, faces, f)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9 or min(az, bz, cz) < 0.05:
            continue
        x0, x1 = pixel_span(ax, bx, cx, width)
        y0, y1 = pixel_span(ay, by, cy, height)
        inverse = 1.0 / area
        ia, ib, ic = 1.0 / az, 1.0 / bz, 1.0 / cz
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) * inverse
                wc = ((ax - px) * (by - py) - (ay - py) * (bx - px)) * inverse
                wa = 1.0 - wb - wc
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                z = 1.0 / (wa * ia + wb * ib + wc * ic)
                if z < depth[y, x]:
                    depth[y, x] = z
                    face[y, x] = f
                    out_u[y, x] = wb * ib * z
                    out_v[y, x] = wc * ic * z


@cached(nogil=True, error_model="numpy", fastmath=True)
def depth_map(points, faces, depth):
    """Writes the smallest depth per cell of a parallel projection into `depth` [S, S] float32.

    points [V, 3] float32: column, row, depth. Triangles thinner than a cell mark the cell of their
    centre, so that hair casts a shadow too.
    """
    side = depth.shape[0]
    for f in range(faces.shape[0]):
        ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(points, faces, f)
        mx, my = int((ax + bx + cx) / 3), int((ay + by + cy) / 3)
        if 0 <= mx < side and 0 <= my < side:
            mz = (az + bz + cz) / 3
            if mz < depth[my, mx]:
                depth[my, mx] = mz
        x0, x1 = pixel_span(ax, bx, cx, side)
        y0, y1 = pixel_span(ay, by, cy, side)
        if x1 < x0 or y1 < y0:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) * inverse
                wc = ((ax - px) * (by - py) - (ay - py) * (bx - px)) * inverse
                wa = 1.0 - wb - wc
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                z = wa * az + wb * bz + wc * cz
                if z < depth[y, x]:
                    depth[y, x] = z
