"""Splats to records, boxes and depths."""

from __future__ import annotations

import math

import numpy as np

from svad.compute.compiled import jit_beside, part
from svad.splat.kernels.constants import (
    ALPHA_MIN,
    BLOCK,
    COLUMN_SHIFT,
    CUT,
    CUT_MAX,
    EIGHTH,
    HALF,
    INWARD,
    L3,
    L5,
    L7,
    L9,
    LN2,
    MX,
    MY,
    ONE,
    OPACITY,
    OUTWARD,
    RED,
    ROOT2,
    ROW_SHIFT,
    SIXTEEN,
    TWO,
    X0,
    X1,
    Y0,
    Y1,
    ZERO,
    U,
    V,
    W,
)
from svad.splat.kernels.footprint import covariance, rotation, times, view


@part
def _footprints(start, size, means, scales, quats, camera, planes):
    """Splats [start, start + size): x, y, depth, xx, U, V, yy into seven planes of BLOCK."""
    r, rest = view(camera)
    t0, t1, t2, fx, fy, cx, cy, x_low, x_high, y_low, y_high = rest
    at, turn = max(0, 3 * start), max(0, 4 * start)
    for k in range(size):
        x, y, z = means[at + 3 * k], means[at + 3 * k + 1], means[at + 3 * k + 2]
        tz = r[6] * x + r[7] * y + r[8] * z + t2
        rz = ONE / tz
        xn = (r[0] * x + r[1] * y + r[2] * z + t0) * rz
        yn = (r[3] * x + r[4] * y + r[5] * z + t1) * rz
        xc, yc = min(x_high, max(x_low, xn)), min(y_high, max(y_low, yn))
        a = rotation(
            quats[turn + 4 * k], quats[turn + 4 * k + 1], quats[turn + 4 * k + 2],
            quats[turn + 4 * k + 3],
        )  # fmt: skip
        p0 = times(fx * rz, ZERO, -fx * rz * xc, r)
        p1 = times(ZERO, fy * rz, -fy * rz * yc, r)
        p0, p1 = times(p0[0], p0[1], p0[2], a), times(p1[0], p1[1], p1[2], a)
        s0, s1, s2 = scales[at + 3 * k], scales[at + 3 * k + 1], scales[at + 3 * k + 2]
        xx, xy, yy, det = covariance(
            (p0[0] * s0, p0[1] * s1, p0[2] * s2), (p1[0] * s0, p1[1] * s1, p1[2] * s2)
        )
        u = math.sqrt(yy / (SIXTEEN * det))
        planes[k], planes[k + BLOCK], planes[k + 2 * BLOCK] = fx * xn + cx, fy * yn + cy, tz
        planes[k + 3 * BLOCK], planes[k + 6 * BLOCK] = xx, yy
        planes[k + 4 * BLOCK], planes[k + 5 * BLOCK] = u, -u * xy / yy


@part
def _reaches(start, size, opacity_bits, planes):
    """yy to W; ln(255 o) and the half sizes of the boxes into planes 7, 8 and 9."""
    at = max(0, start)
    for k in range(size):
        bits = opacity_bits[at + k]
        exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
        part = np.float32(bits & np.int32(0x7FFFFF)) * np.float32(2**-23) + ONE  # 1..2
        large = part > ROOT2
        part = part * HALF if large else part
        exponent = exponent + ONE if large else exponent
        t = (part - ONE) / (part + ONE)
        t2 = t * t
        log = exponent * LN2 + t * (TWO + t2 * (L3 + t2 * (L5 + t2 * (L7 + t2 * L9))))
        cut = min(CUT_MAX, max(ZERO, log + CUT_MAX))
        xx, yy = planes[k + 3 * BLOCK], planes[k + 6 * BLOCK]
        planes[k + 6 * BLOCK] = np.float32(0.25) / math.sqrt(yy)
        planes[k + 7 * BLOCK] = cut
        planes[k + 8 * BLOCK] = math.sqrt(TWO * cut * xx)
        planes[k + 9 * BLOCK] = math.sqrt(TWO * cut * yy)


@jit_beside
def project(
    first, last, edges, means, scales, quats, opacities, opacity_bits, colors, camera,
    width, height, tiles_x, record, integers, box, depth, count, amounts,
):  # fmt: skip
    """Splats of parts [first, last) to records, boxes, depths and numbers of tiles (0 = not drawn).

    means [3 N], scales [3 N], quats [4 N], opacities [N], colors [N, C] float32; opacity_bits and
    integers are opacities and records seen as int32; camera [21] float32: R row by row, t, fx, fy,
    cx, cy, the least and largest x / z and y / z of the Jacobian, the least depth drawn;
    edges [parts + 1];
    amounts [parts, tiles] int32, zeros at the start: how many splats of a part touch a tile.
    """
    wide, high, near = np.float32(width), np.float32(height), camera[20]
    planes = np.empty(10 * BLOCK, np.float32)
    for share in range(first, last):
        for start in range(edges[share], edges[share + 1], BLOCK):
            size = min(BLOCK, edges[share + 1] - start)
            _footprints(start, size, means, scales, quats, camera, planes)
            _reaches(start, size, opacity_bits, planes)
            for k in range(size):
                i = start + k
                count[i] = 0
                mx, my, tz, o = planes[k], planes[k + BLOCK], planes[k + 2 * BLOCK], opacities[i]
                u, v, w = planes[k + 4 * BLOCK], planes[k + 5 * BLOCK], planes[k + 6 * BLOCK]
                cut, rx, ry = planes[k + 7 * BLOCK], planes[k + 8 * BLOCK], planes[k + 9 * BLOCK]
                total = mx + my + u + v + w + rx + ry + o
                for c in range(colors.shape[1]):
                    total += abs(colors[i, c])
                if not (tz >= near and o >= ALPHA_MIN and u > ZERO and math.isfinite(total)):
                    continue
                x0 = np.int32(min(wide, max(ZERO, mx - rx + INWARD)))
                x1 = np.int32(min(wide, max(ZERO, mx + rx + OUTWARD)))
                y0 = np.int32(min(high, max(ZERO, my - ry + INWARD)))
                y1 = np.int32(min(high, max(ZERO, my + ry + OUTWARD)))
                if x1 <= x0 or y1 <= y0:
                    continue
                record[i, MX], record[i, MY], record[i, U], record[i, V] = mx, my, u, v
                record[i, W], record[i, OPACITY], record[i, CUT] = w, o, cut * EIGHTH
                for c in range(min(3, colors.shape[1])):
                    record[i, RED + c] = colors[i, c]
                t0, t1 = x0 >> COLUMN_SHIFT, ((x1 - 1) >> COLUMN_SHIFT) + 1
                integers[i, X0], integers[i, X1], integers[i, Y0], integers[i, Y1] = t0, t1, y0, y1
                box[i, 0], box[i, 1], box[i, 2], box[i, 3] = t0, t1, y0, y1
                depth[i] = tz
                r0, r1 = y0 >> ROW_SHIFT, ((y1 - 1) >> ROW_SHIFT) + 1
                count[i] = (t1 - t0) * (r1 - r0)
                for row in range(r0, r1):
                    for tile in range(row * tiles_x + t0, row * tiles_x + t1):
                        amounts[share, tile] += 1
