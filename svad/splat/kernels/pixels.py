"""The pixels of a tile, and what a splat adds to one."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import part
from svad.splat.kernels.constants import (
    COLUMN_SHIFT,
    CUT,
    E0,
    E1,
    E2,
    E3,
    E4,
    E5,
    HALF,
    MX,
    MY,
    ONE,
    OPACITY,
    TILE,
    TILE_H,
    TILE_W,
    Y0,
    Y1,
    ZERO,
    U,
    V,
    W,
)


@part
def open_tile(planes, x, y, width, height):
    """T = 1 inside the picture and -1 (finished) outside; returns the columns and rows inside."""
    columns, rows = min(TILE_W, width - x), min(TILE_H, height - y)
    for row in range(TILE_H):
        for column in range(TILE_W):
            inside = row < rows and column < columns
            planes[row * TILE_W + column] = ONE if inside else -ONE
    return columns, rows


@part
def pixel_planes(planes, at):
    """x and y of the pixel centres of a tile into the planes at `at` and `at` + TILE."""
    for p in range(TILE):
        planes[at + p] = np.float32(p & (TILE_W - 1)) + HALF
        planes[at + TILE + p] = np.float32(p >> COLUMN_SHIFT) + HALF


@part
def alive(planes):
    """How many pixels of a tile still take light."""
    count = np.int32(0)
    for p in range(TILE):
        count += np.int32(planes[p] > ZERO)
    return count


@part
def splat_at(record, integers, i, x, y, rows):
    """Splat i in the tile at pixel (x, y) of which `rows` rows are inside.

    Returns its centre counted from there, U, V, W, opacity and cut, and the run of the tile's
    pixels whose rows it reaches: the first and how many.
    """
    top = max(0, integers[i, Y0] - y)
    return (
        record[i, MX] - np.float32(x), record[i, MY] - np.float32(y),
        record[i, U], record[i, V], record[i, W], record[i, OPACITY], record[i, CUT],
        max(0, top * TILE_W), (min(rows, integers[i, Y1] - y) - top) * TILE_W,
    )  # fmt: skip


@part
def splat_alpha(dx, dy, u, v, w, o, cut):
    """Opacity o e^-s of a splat at an offset from its centre, before the cap; 0 past the cut."""
    q, r = u * dx + v * dy, w * dy
    s = q * q + r * r
    e = E0 + s * (E1 + s * (E2 + s * (E3 + s * (E4 + s * E5))))
    e *= e
    e *= e
    return o * (e * e) if s <= cut else ZERO
