"""Gradients of pixels to sums for each pair of a splat and a tile."""

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
def draw3_backward(
    first, last, tiles_x, width, height, starts, lists, record, integers, rows,
    image, left, g_image, g_alpha, sums,
):  # fmt: skip
    """Gradients of tiles [first, last) as nine sums per (splat, tile) pair: sums [I, 9].

    With g = dL/dimage, v = g . colour, w = alpha T, R = g . (what lies behind) - dL/dalpha T_end,
    ds = dL/ds = w (R / T_after - v) for s = d^T conic d / 2. The sums are those of ds times
    1, dx, dy, dx^2, dx dy, dy^2 and of w g. Front to back, with the masks of `draw3`.
    """
    planes = np.empty(7 * TILE, np.float32)  # T, R, g (3), x, y
    pixel_planes(planes, 5 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        wide, high = open_tile(planes, x, y, width, height)
        for p in range(TILE, 5 * TILE):
            planes[p] = ZERO
        for row in range(high):
            for column in range(wide):
                p, b, a = row * TILE_W + column, y + row, x + column
                g0, g1, g2 = g_image[b, a, 0], g_image[b, a, 1], g_image[b, a, 2]
                behind = g0 * image[b, a, 0] + g1 * image[b, a, 1] + g2 * image[b, a, 2]
                planes[p + TILE] = behind - g_alpha[b, a] * left[b, a]
                planes[p + 2 * TILE], planes[p + 3 * TILE], planes[p + 4 * TILE] = g0, g1, g2
        stop = starts[tile + 1]
        last_pair = starts[tile + 1] - 1
        for j in range(starts[tile], starts[tile + 1]):
            i = lists[j]
            fetch(record, lists[min(j + AHEAD, last_pair)])
            fetch(sums, rows[min(j + AHEAD, last_pair)])
            mx, my, u, v, w, o, cut, begin, size = splat_at(record, integers, i, x, y, high)
            red, green, blue = record[i, RED], record[i, GREEN], record[i, BLUE]
            s1, sx, sy, sxx, sxy, syy = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            sr, sg, sb = ZERO, ZERO, ZERO
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 5 * TILE] - mx, planes[p + 6 * TILE] - my
                alpha = splat_alpha(dx, dy, u, v, w, o, cut)
                t = planes[p]
                weight = min(ALPHA_MAX, alpha) * t
                after = t - weight
                goes_on = after > STOP
                weight = weight if goes_on else ZERO
                planes[p] = after if goes_on else -abs(t)
                g0, g1, g2 = planes[p + 2 * TILE], planes[p + 3 * TILE], planes[p + 4 * TILE]
                value = g0 * red + g1 * green + g2 * blue
                behind = planes[p + TILE] - weight * value
                planes[p + TILE] = behind
                ds = weight * (behind / after - value)
                ds = ds if alpha <= ALPHA_MAX else ZERO
                dsx, dsy = ds * dx, ds * dy
                s1 += ds
                sx += dsx
                sy += dsy
                sxx += dsx * dx
                sxy += dsx * dy
                syy += dsy * dy
                sr += weight * g0
                sg += weight * g1
                sb += weight * g2
            k = rows[j]
            sums[k, 0], sums[k, 1], sums[k, 2] = s1, sx, sy
            sums[k, 3], sums[k, 4], sums[k, 5] = sxx, sxy, syy
            sums[k, 6], sums[k, 7], sums[k, 8] = sr, sg, sb
            if (j - starts[tile]) & 15 == 15 and alive(planes) == 0:
                stop = j + 1
                break
        for j in range(stop, starts[tile + 1]):
            k = rows[j]
            for c in range(9):
                sums[k, c] = ZERO


@jit_beside
def draw_backward(
    first, last, tiles_x, width, height, starts, lists, record, integers, colors, group, channels,
    rows, image, left, g_image, g_alpha, sums,
):  # fmt: skip
    """`draw3_backward` for `channels` columns from `group` on: sums [I, 6 + C padded].

    The first group writes the first six sums and takes dL/dalpha, the others add to them.
    """
    planes = np.empty((6 + GROUP) * TILE, np.float32)  # T, R, weight, v, x, y, g
    pixel_planes(planes, 4 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        wide, high = open_tile(planes, x, y, width, height)
        for p in range(6 * TILE, (6 + GROUP) * TILE):
            planes[p] = ZERO
        for row in range(high):
            for column in range(wide):
                p, b, a = row * TILE_W + column, y + row, x + column
                behind = -g_alpha[b, a] * left[b, a] if group == 0 else ZERO
                for c in range(channels):
                    g = g_image[b, a, group + c]
                    planes[p + (6 + c) * TILE] = g
                    behind += g * image[b, a, group + c]
                planes[p + TILE] = behind
        stop = starts[tile + 1]
        last_pair = starts[tile + 1] - 1
        for j in range(starts[tile], starts[tile + 1]):
            i = lists[j]
            fetch(record, lists[min(j + AHEAD, last_pair)])
            fetch(sums, rows[min(j + AHEAD, last_pair)])
            mx, my, u, v, w, o, cut, begin, size = splat_at(record, integers, i, x, y, high)
            for run in range(size):
                planes[begin + run + 3 * TILE] = ZERO
            for c in range(0, channels, 4):
                base = max(0, begin + (6 + c) * TILE)
                c0, c1 = colors[i, group + c], colors[i, group + c + 1]
                c2, c3 = colors[i, group + c + 2], colors[i, group + c + 3]
                for run in range(size):
                    p = base + run
                    planes[begin + run + 3 * TILE] += (
                        planes[p] * c0 + planes[p + TILE] * c1
                        + planes[p + 2 * TILE] * c2 + planes[p + 3 * TILE] * c3
                    )  # fmt: skip
            s1, sx, sy, sxx, sxy, syy = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 4 * TILE] - mx, planes[p + 5 * TILE] - my
                alpha = splat_alpha(dx, dy, u, v, w, o, cut)
                t = planes[p]
                weight = min(ALPHA_MAX, alpha) * t
                after = t - weight
                goes_on = after > STOP
                weight = weight if goes_on else ZERO
                planes[p] = after if goes_on else -abs(t)
                planes[p + 2 * TILE] = weight
                value = planes[p + 3 * TILE]
                behind = planes[p + TILE] - weight * value
                planes[p + TILE] = behind
                ds = weight * (behind / after - value)
                ds = ds if alpha <= ALPHA_MAX else ZERO
                dsx, dsy = ds * dx, ds * dy
                s1 += ds
                sx += dsx
                sy += dsy
                sxx += dsx * dx
                sxy += dsx * dy
                syy += dsy * dy
            k = rows[j]
            if group > 0:
                s1, sx, sy = s1 + sums[k, 0], sx + sums[k, 1], sy + sums[k, 2]
                sxx, sxy, syy = sxx + sums[k, 3], sxy + sums[k, 4], syy + sums[k, 5]
            sums[k, 0], sums[k, 1], sums[k, 2] = s1, sx, sy
            sums[k, 3], sums[k, 4], sums[k, 5] = sxx, sxy, syy
            for c in range(0, channels, 4):
                base = max(0, begin + (6 + c) * TILE)
                s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
                for run in range(size):
                    p = base + run
                    weight = planes[begin + run + 2 * TILE]
                    s0 += weight * planes[p]
                    s1 += weight * planes[p + TILE]
                    s2 += weight * planes[p + 2 * TILE]
                    s3 += weight * planes[p + 3 * TILE]
                sums[k, 6 + group + c], sums[k, 7 + group + c] = s0, s1
                sums[k, 8 + group + c], sums[k, 9 + group + c] = s2, s3
            if (j - starts[tile]) & 15 == 15 and alive(planes) == 0:
                stop = j + 1
                break
        for j in range(stop, starts[tile + 1]):
            k = rows[j]
            if group == 0:
                for c in range(sums.shape[1]):
                    sums[k, c] = ZERO
