"""Splats to pixels, nearest first."""

# An intrinsic takes the compiler's context and gets it from there, which no checker sees.
# pyright: reportCallIssue=false

from __future__ import annotations

import numpy as np

from svad.compute.compiled import jit_beside
from svad.splat.kernels.constants import (
    AHEAD,
    ALPHA_MAX,
    BLUE,
    GREEN,
    GROUP,
    RED,
    STOP,
    TILE,
    TILE_H,
    TILE_W,
    ZERO,
)
from svad.splat.kernels.pixels import alive, open_tile, pixel_planes, splat_alpha, splat_at
from svad.splat.kernels.prefetch import fetch


@jit_beside
def draw3(first, last, tiles_x, width, height, starts, lists, record, integers, image, left):
    """Composite tiles [first, last): image [H, W, 3] over black and the light left, left [H, W]."""
    planes = np.empty(6 * TILE, np.float32)  # T, red, green, blue, x, y
    pixel_planes(planes, 4 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        columns, rows = open_tile(planes, x, y, width, height)
        for p in range(TILE, 4 * TILE):
            planes[p] = ZERO
        last_pair = starts[tile + 1] - 1
        for j in range(starts[tile], starts[tile + 1]):
            i = lists[j]
            fetch(record, lists[min(j + AHEAD, last_pair)])
            mx, my, u, v, w, o, cut, begin, size = splat_at(record, integers, i, x, y, rows)
            red, green, blue = record[i, RED], record[i, GREEN], record[i, BLUE]
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 4 * TILE] - mx, planes[p + 5 * TILE] - my
                t = planes[p]
                weight = min(ALPHA_MAX, splat_alpha(dx, dy, u, v, w, o, cut)) * t
                after = t - weight
                goes_on = after > STOP
                weight = weight if goes_on else ZERO
                planes[p] = after if goes_on else -abs(t)
                planes[p + TILE] += weight * red
                planes[p + 2 * TILE] += weight * green
                planes[p + 3 * TILE] += weight * blue
            if (j - starts[tile]) & 15 == 15 and alive(planes) == 0:
                break
        for row in range(rows):
            for column in range(columns):
                p = row * TILE_W + column
                image[y + row, x + column, 0] = planes[p + TILE]
                image[y + row, x + column, 1] = planes[p + 2 * TILE]
                image[y + row, x + column, 2] = planes[p + 3 * TILE]
                left[y + row, x + column] = abs(planes[p])


@jit_beside
def draw(
    first, last, tiles_x, width, height, starts, lists, record, integers, colors, group, channels,
    image, left,
):  # fmt: skip
    """`draw3` for `channels` columns of the colours from `group` on, at most GROUP of them.

    colors [N, C padded to a multiple of 4], image [H, W, C].
    """
    planes = np.empty((4 + GROUP) * TILE, np.float32)  # T, weight, x, y, channels
    pixel_planes(planes, 2 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        columns, rows = open_tile(planes, x, y, width, height)
        for p in range(4 * TILE, (4 + GROUP) * TILE):
            planes[p] = ZERO
        last_pair = starts[tile + 1] - 1
        for j in range(starts[tile], starts[tile + 1]):
            i = lists[j]
            fetch(record, lists[min(j + AHEAD, last_pair)])
            mx, my, u, v, w, o, cut, begin, size = splat_at(record, integers, i, x, y, rows)
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 2 * TILE] - mx, planes[p + 3 * TILE] - my
                t = planes[p]
                weight = min(ALPHA_MAX, splat_alpha(dx, dy, u, v, w, o, cut)) * t
                after = t - weight
                goes_on = after > STOP
                planes[p + TILE] = weight if goes_on else ZERO
                planes[p] = after if goes_on else -abs(t)
            for c in range(0, channels, 4):
                base = max(0, begin + (4 + c) * TILE)
                c0, c1 = colors[i, group + c], colors[i, group + c + 1]
                c2, c3 = colors[i, group + c + 2], colors[i, group + c + 3]
                for run in range(size):
                    p = base + run
                    weight = planes[begin + run + TILE]
                    planes[p] += weight * c0
                    planes[p + TILE] += weight * c1
                    planes[p + 2 * TILE] += weight * c2
                    planes[p + 3 * TILE] += weight * c3
            if (j - starts[tile]) & 15 == 15 and alive(planes) == 0:
                break
        for row in range(rows):
            for column in range(columns):
                p = row * TILE_W + column
                for c in range(channels):
                    image[y + row, x + column, group + c] = planes[p + (4 + c) * TILE]
                left[y + row, x + column] = abs(planes[p])
