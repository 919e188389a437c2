"""The compiled loops of the CPU rasteriser.

Tile-based alpha compositing of 3D Gaussians (Kerbl et al. 2023, section 6) with the conventions of
gsplat 1.5.3. All kernels and their constants stay in this one file on purpose: a cached caller is
not compiled again when a kernel in another file changes.

Letters: N splats, M visible ones, I (splat, tile) pairs, C channels, P = TILE pixels of a tile.
Every kernel works on a range of its outermost loop, releases the interpreter lock and writes only
its own part, so that any number of threads gives the same bits.

How the inner loops stay vectorised: a tile is 8 pixels wide, so the rows that a splat touches are
one contiguous run of the tile's planes; there are no branches and no indices that could be
negative; e^-s is a polynomial; all planes of a tile lie in one scratch buffer.
"""

# An intrinsic takes the compiler's context and gets it from there, which no checker sees.
# pyright: reportCallIssue=false

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from svad.compute.compiled import jit as _jit
from svad.compute.compiled import part as _part

TILE_W = 8  # pixels: one 256-bit register of float32
TILE_H = 32  # pixels
TILE = TILE_W * TILE_H
GROUP = 32  # channels drawn in one go
AHEAD = 6  # splats between asking for a record and drawing it
COLUMN_SHIFT, ROW_SHIFT = 3, 5  # log2 of the tile
BLOCK = 64  # splats projected in one go

BLUR = np.float32(0.3)  # px^2, added to the diagonal of the 2D covariance
ALPHA_MAX = np.float32(0.999)
ALPHA_MIN = np.float32(1 / 255)
STOP = np.float32(1e-4)  # a pixel ends before the splat that would take its T to this or below
CUT_MAX = np.float32(math.log(255.0))  # -ln of the smallest alpha of an opaque splat

# e^-x for x in 0..0.7, relative error 8e-8; e^-s is the eighth power of it at s / 8.
E0 = np.float32(0.9999999205127449)
E1 = np.float32(-0.9999925393032584)
E2 = np.float32(0.4998825872608916)
E3 = np.float32(-0.16597397513755904)
E4 = np.float32(0.03977256130886237)
E5 = np.float32(-0.005846759904034566)
EIGHTH = np.float32(1 / 8)

ONE = np.float32(1)
ZERO = np.float32(0)
HALF = np.float32(0.5)
TWO = np.float32(2)
SIXTEEN = np.float32(16)
# Odd coefficients of ln((1 + t) / (1 - t)) and what goes with them
L3, L5, L7, L9 = np.float32(2 / 3), np.float32(2 / 5), np.float32(2 / 7), np.float32(2 / 9)
LN2, ROOT2 = np.float32(math.log(2)), np.float32(math.sqrt(2))
# From the end of a splat to the first pixel and past the last one, with a little to spare
INWARD, OUTWARD = np.float32(0.499), np.float32(0.501)

# Columns of a record: centre (px), the conic as q = U dx + V dy, r = W dy with
# q^2 + r^2 = s / 8, opacity, and the largest s / 8 that is drawn.
# The first three colours follow, then, as integers, tile columns [X0, X1) and pixel rows [Y0, Y1).
# A record fills one line of the cache.
MX, MY, U, V, W, OPACITY, CUT, RED, GREEN, BLUE, X0, X1, Y0, Y1 = range(14)
RECORD = 16


@intrinsic
def _fetch(context, array, row):
    """Ask the memory for the line that `array[row]` starts on, without waiting for it."""

    def generate(target, builder, signature, arguments):
        view = make_array(signature.args[0])(target, builder, arguments[0])
        offset = builder.mul(arguments[1], builder.extract_value(view.strides, 0))
        byte = ir.IntType(8).as_pointer()
        place = builder.gep(builder.bitcast(view.data, byte), [offset])
        word = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        )
        builder.call(function, [place, word(0), word(3), word(1)])
        return target.get_dummy_value()

    return types.void(array, types.intp), generate


@_part
def _rotation(a, b, c, d):
    """Rotation matrix of a quaternion of any length, row by row."""
    n = TWO / (a * a + b * b + c * c + d * d)
    return (
        ONE - n * (c * c + d * d), n * (b * c - a * d), n * (b * d + a * c),
        n * (b * c + a * d), ONE - n * (b * b + d * d), n * (c * d - a * b),
        n * (b * d - a * c), n * (c * d + a * b), ONE - n * (b * b + c * c),
    )  # fmt: skip


@_part
def _view(camera):
    """The camera's rotation, the rest of its numbers: see `project`."""
    rotation = (
        camera[0], camera[1], camera[2], camera[3], camera[4], camera[5], camera[6], camera[7],
        camera[8],
    )  # fmt: skip
    rest = (
        camera[9], camera[10], camera[11], camera[12], camera[13], camera[14], camera[15],
        camera[16], camera[17], camera[18], camera[19],
    )  # fmt: skip
    return rotation, rest


@_part
def _times(p0, p1, p2, a):
    """Row vector times 3 x 3 matrix."""
    return (
        p0 * a[0] + p1 * a[3] + p2 * a[6],
        p0 * a[1] + p1 * a[4] + p2 * a[7],
        p0 * a[2] + p1 * a[5] + p2 * a[8],
    )


@_part
def _covariance(m0, m1):
    """M M^T + blur of the rows m0, m1 of M: xx, xy, yy and the determinant."""
    xx = m0[0] * m0[0] + m0[1] * m0[1] + m0[2] * m0[2]
    xy = m0[0] * m1[0] + m0[1] * m1[1] + m0[2] * m1[2]
    yy = m1[0] * m1[0] + m1[1] * m1[1] + m1[2] * m1[2]
    # det(M M^T) as a sum of squares (Cauchy-Binet): no cancellation for thin splats
    n0 = m0[0] * m1[1] - m0[1] * m1[0]
    n1 = m0[1] * m1[2] - m0[2] * m1[1]
    n2 = m0[2] * m1[0] - m0[0] * m1[2]
    det = n0 * n0 + n1 * n1 + n2 * n2 + BLUR * (xx + yy) + BLUR * BLUR
    return xx + BLUR, xy, yy + BLUR, det


@_part
def _footprints(start, size, means, scales, quats, camera, planes):
    """Splats [start, start + size): x, y, depth, xx, U, V, yy into seven planes of BLOCK."""
    r, rest = _view(camera)
    t0, t1, t2, fx, fy, cx, cy, x_low, x_high, y_low, y_high = rest
    at, turn = max(0, 3 * start), max(0, 4 * start)
    for k in range(size):
        x, y, z = means[at + 3 * k], means[at + 3 * k + 1], means[at + 3 * k + 2]
        tz = r[6] * x + r[7] * y + r[8] * z + t2
        rz = ONE / tz
        xn = (r[0] * x + r[1] * y + r[2] * z + t0) * rz
        yn = (r[3] * x + r[4] * y + r[5] * z + t1) * rz
        xc, yc = min(x_high, max(x_low, xn)), min(y_high, max(y_low, yn))
        a = _rotation(
            quats[turn + 4 * k], quats[turn + 4 * k + 1], quats[turn + 4 * k + 2],
            quats[turn + 4 * k + 3],
        )  # fmt: skip
        p0 = _times(fx * rz, ZERO, -fx * rz * xc, r)
        p1 = _times(ZERO, fy * rz, -fy * rz * yc, r)
        p0, p1 = _times(p0[0], p0[1], p0[2], a), _times(p1[0], p1[1], p1[2], a)
        s0, s1, s2 = scales[at + 3 * k], scales[at + 3 * k + 1], scales[at + 3 * k + 2]
        xx, xy, yy, det = _covariance(
            (p0[0] * s0, p0[1] * s1, p0[2] * s2), (p1[0] * s0, p1[1] * s1, p1[2] * s2)
        )
        u = math.sqrt(yy / (SIXTEEN * det))
        planes[k], planes[k + BLOCK], planes[k + 2 * BLOCK] = fx * xn + cx, fy * yn + cy, tz
        planes[k + 3 * BLOCK], planes[k + 6 * BLOCK] = xx, yy
        planes[k + 4 * BLOCK], planes[k + 5 * BLOCK] = u, -u * xy / yy


@_part
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


@_jit
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
    for part in range(first, last):
        for start in range(edges[part], edges[part + 1], BLOCK):
            size = min(BLOCK, edges[part + 1] - start)
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
                        amounts[part, tile] += 1


@_jit
def sort_by_depth(depth_bits, count, slot, ids):
    """Visible splats, nearest first, into ids [N]; first pair of each into slot [N]; returns M, I.

    depth_bits [N] int32: positive float32 read as integers keep their order. Stable radix sort
    over the bits in which the depths differ.
    """
    n = count.shape[0]
    keys = np.empty((2, n), np.int32)
    order = np.empty((2, n), np.int32)
    visible, pairs = 0, 0
    low, high = np.int32(2147483647), np.int32(0)
    for i in range(n):
        slot[i] = pairs
        if count[i] > 0:
            key = depth_bits[i]
            low, high = min(low, key), max(high, key)
            keys[0, visible] = key
            order[0, visible] = i
            visible += 1
            pairs += count[i]
    if visible == 0:
        return visible, pairs
    bits = 1
    while (high - low) >> bits > 0:
        bits += 1
    passes = (bits + 10) // 11
    digit = (bits + passes - 1) // passes
    mask = (1 << digit) - 1
    starts = np.zeros((passes, mask + 1), np.int32)
    for j in range(visible):
        key = keys[0, j] - low
        keys[0, j] = key
        for p in range(passes):
            starts[p, (key >> (p * digit)) & mask] += 1
    now = 0
    for p in range(passes):
        total = np.int32(0)
        for b in range(mask + 1):
            amount = starts[p, b]
            starts[p, b] = total
            total += amount
        for j in range(visible):
            key = keys[now, j]
            b = (key >> (p * digit)) & mask
            place = starts[p, b]
            starts[p, b] = place + 1
            keys[1 - now, place] = key
            order[1 - now, place] = order[now, j]
        now = 1 - now
    for j in range(visible):
        ids[j] = order[now, j]
    return visible, pairs


@_jit
def start_tiles(amounts, starts, places):
    """Where the lists start [tiles + 1]; the first and last place of each, places [2, tiles]."""
    parts, tiles = amounts.shape
    total = 0
    for tile in range(tiles):
        starts[tile] = total
        places[0, tile] = total
        for part in range(parts):
            total += amounts[part, tile]
        places[1, tile] = total - 1
    starts[tiles] = total


@_jit
def fill_tiles(first, last, edges, ids, box, tiles_x, places, slot, lists, rows):
    """The splats of each tile, nearest first, into lists [I] int32 (a counting sort).

    Part 0 is the near half of the splats and fills the lists from the front, part 1 the far half,
    from the back: edges [3]. rows [I] int32 get the rows of these pairs when they are counted splat
    by splat; no rows are written when none are asked for (length 0).
    """
    wanted = len(rows) > 0
    for part in range(first, last):
        step = 1 - 2 * part
        begin, size = edges[2 * part], edges[part + 1] - edges[part]
        for k in range(size):
            i = ids[begin + k if part == 0 else begin - 1 - k]
            coming = min(k + AHEAD, size - 1)
            _fetch(box, ids[begin + coming if part == 0 else begin - 1 - coming])
            row = slot[i]
            x0, x1 = box[i, 0], box[i, 1]
            for ty in range(box[i, 2] >> ROW_SHIFT, ((box[i, 3] - 1) >> ROW_SHIFT) + 1):
                for tile in range(ty * tiles_x + x0, ty * tiles_x + x1):
                    place = places[part, tile]
                    lists[place] = i
                    if wanted:
                        rows[place] = row
                        row += 1
                    places[part, tile] = place + step


@_part
def _open_tile(planes, x, y, width, height):
    """T = 1 inside the picture and -1 (finished) outside; returns the columns and rows inside."""
    columns, rows = min(TILE_W, width - x), min(TILE_H, height - y)
    for row in range(TILE_H):
        for column in range(TILE_W):
            inside = row < rows and column < columns
            planes[row * TILE_W + column] = ONE if inside else -ONE
    return columns, rows


@_part
def _pixel_planes(planes, at):
    """x and y of the pixel centres of a tile into the planes at `at` and `at` + TILE."""
    for p in range(TILE):
        planes[at + p] = np.float32(p & (TILE_W - 1)) + HALF
        planes[at + TILE + p] = np.float32(p >> COLUMN_SHIFT) + HALF


@_part
def _alive(planes):
    """How many pixels of a tile still take light."""
    alive = np.int32(0)
    for p in range(TILE):
        alive += np.int32(planes[p] > ZERO)
    return alive


@_part
def _alpha(dx, dy, u, v, w, o, cut):
    """Opacity o e^-s of a splat at an offset from its centre, before the cap; 0 past the cut."""
    q, r = u * dx + v * dy, w * dy
    s = q * q + r * r
    e = E0 + s * (E1 + s * (E2 + s * (E3 + s * (E4 + s * E5))))
    e *= e
    e *= e
    return o * (e * e) if s <= cut else ZERO


@_jit
def draw3(first, last, tiles_x, width, height, starts, lists, record, integers, image, left):
    """Composite tiles [first, last): image [H, W, 3] over black and the light left, left [H, W]."""
    planes = np.empty(6 * TILE, np.float32)  # T, red, green, blue, x, y
    _pixel_planes(planes, 4 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        columns, rows = _open_tile(planes, x, y, width, height)
        for p in range(TILE, 4 * TILE):
            planes[p] = ZERO
        last_pair = starts[tile + 1] - 1
        for j in range(starts[tile], starts[tile + 1]):
            i = lists[j]
            _fetch(record, lists[min(j + AHEAD, last_pair)])
            mx, my = record[i, MX] - np.float32(x), record[i, MY] - np.float32(y)
            u, v, w = record[i, U], record[i, V], record[i, W]
            o, cut = record[i, OPACITY], record[i, CUT]
            red, green, blue = record[i, RED], record[i, GREEN], record[i, BLUE]
            top = max(0, integers[i, Y0] - y)
            begin, size = max(0, top * TILE_W), (min(rows, integers[i, Y1] - y) - top) * TILE_W
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 4 * TILE] - mx, planes[p + 5 * TILE] - my
                t = planes[p]
                weight = min(ALPHA_MAX, _alpha(dx, dy, u, v, w, o, cut)) * t
                after = t - weight
                goes_on = after > STOP
                weight = weight if goes_on else ZERO
                planes[p] = after if goes_on else -abs(t)
                planes[p + TILE] += weight * red
                planes[p + 2 * TILE] += weight * green
                planes[p + 3 * TILE] += weight * blue
            if (j - starts[tile]) & 15 == 15 and _alive(planes) == 0:
                break
        for row in range(rows):
            for column in range(columns):
                p = row * TILE_W + column
                image[y + row, x + column, 0] = planes[p + TILE]
                image[y + row, x + column, 1] = planes[p + 2 * TILE]
                image[y + row, x + column, 2] = planes[p + 3 * TILE]
                left[y + row, x + column] = abs(planes[p])


@_jit
def draw(
    first, last, tiles_x, width, height, starts, lists, record, integers, colors, group, channels,
    image, left,
):  # fmt: skip
    """`draw3` for `channels` columns of the colours from `group` on, at most GROUP of them.

    colors [N, C padded to a multiple of 4], image [H, W, C].
    """
    planes = np.empty((4 + GROUP) * TILE, np.float32)  # T, weight, x, y, channels
    _pixel_planes(planes, 2 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        columns, rows = _open_tile(planes, x, y, width, height)
        for p in range(4 * TILE, (4 + GROUP) * TILE):
            planes[p] = ZERO
        last_pair = starts[tile + 1] - 1
        for j in range(starts[tile], starts[tile + 1]):
            i = lists[j]
            _fetch(record, lists[min(j + AHEAD, last_pair)])
            mx, my = record[i, MX] - np.float32(x), record[i, MY] - np.float32(y)
            u, v, w = record[i, U], record[i, V], record[i, W]
            o, cut = record[i, OPACITY], record[i, CUT]
            top = max(0, integers[i, Y0] - y)
            begin, size = max(0, top * TILE_W), (min(rows, integers[i, Y1] - y) - top) * TILE_W
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 2 * TILE] - mx, planes[p + 3 * TILE] - my
                t = planes[p]
                weight = min(ALPHA_MAX, _alpha(dx, dy, u, v, w, o, cut)) * t
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
            if (j - starts[tile]) & 15 == 15 and _alive(planes) == 0:
                break
        for row in range(rows):
            for column in range(columns):
                p = row * TILE_W + column
                for c in range(channels):
                    image[y + row, x + column, group + c] = planes[p + (4 + c) * TILE]
                left[y + row, x + column] = abs(planes[p])


@_jit
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
    _pixel_planes(planes, 5 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        wide, high = _open_tile(planes, x, y, width, height)
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
            _fetch(record, lists[min(j + AHEAD, last_pair)])
            _fetch(sums, rows[min(j + AHEAD, last_pair)])
            mx, my = record[i, MX] - np.float32(x), record[i, MY] - np.float32(y)
            u, v, w = record[i, U], record[i, V], record[i, W]
            o, cut = record[i, OPACITY], record[i, CUT]
            red, green, blue = record[i, RED], record[i, GREEN], record[i, BLUE]
            top = max(0, integers[i, Y0] - y)
            begin, size = max(0, top * TILE_W), (min(high, integers[i, Y1] - y) - top) * TILE_W
            s1, sx, sy, sxx, sxy, syy = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            sr, sg, sb = ZERO, ZERO, ZERO
            for run in range(size):
                p = begin + run
                dx, dy = planes[p + 5 * TILE] - mx, planes[p + 6 * TILE] - my
                alpha = _alpha(dx, dy, u, v, w, o, cut)
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
            if (j - starts[tile]) & 15 == 15 and _alive(planes) == 0:
                stop = j + 1
                break
        for j in range(stop, starts[tile + 1]):
            k = rows[j]
            for c in range(9):
                sums[k, c] = ZERO


@_jit
def draw_backward(
    first, last, tiles_x, width, height, starts, lists, record, integers, colors, group, channels,
    rows, image, left, g_image, g_alpha, sums,
):  # fmt: skip
    """`draw3_backward` for `channels` columns from `group` on: sums [I, 6 + C padded].

    The first group writes the first six sums and takes dL/dalpha, the others add to them.
    """
    planes = np.empty((6 + GROUP) * TILE, np.float32)  # T, R, weight, v, x, y, g
    _pixel_planes(planes, 4 * TILE)
    for tile in range(first, last):
        x, y = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        wide, high = _open_tile(planes, x, y, width, height)
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
            _fetch(record, lists[min(j + AHEAD, last_pair)])
            _fetch(sums, rows[min(j + AHEAD, last_pair)])
            mx, my = record[i, MX] - np.float32(x), record[i, MY] - np.float32(y)
            u, v, w = record[i, U], record[i, V], record[i, W]
            o, cut = record[i, OPACITY], record[i, CUT]
            top = max(0, integers[i, Y0] - y)
            begin, size = max(0, top * TILE_W), (min(high, integers[i, Y1] - y) - top) * TILE_W
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
                alpha = _alpha(dx, dy, u, v, w, o, cut)
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
            if (j - starts[tile]) & 15 == 15 and _alive(planes) == 0:
                stop = j + 1
                break
        for j in range(stop, starts[tile + 1]):
            k = rows[j]
            if group == 0:
                for c in range(sums.shape[1]):
                    sums[k, c] = ZERO


@_part
def _gather(start, size, opacities, count, slot, sums, g_opacities, g_colors, planes):
    """The sums of all pairs of splats [start, start + size): ds moments into planes 0 to 5."""
    for k in range(size):
        i = start + k
        s1, sx, sy, sxx, sxy, syy = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        for c in range(g_colors.shape[1]):
            g_colors[i, c] = ZERO
        for pair in range(slot[i], slot[i] + count[i]):
            s1 += sums[pair, 0]
            sx += sums[pair, 1]
            sy += sums[pair, 2]
            sxx += sums[pair, 3]
            sxy += sums[pair, 4]
            syy += sums[pair, 5]
            for c in range(g_colors.shape[1]):
                g_colors[i, c] += sums[pair, 6 + c]
        g_opacities[i] = -s1 / opacities[i] if count[i] > 0 else ZERO
        planes[k], planes[k + BLOCK], planes[k + 2 * BLOCK] = sx, sy, sxx
        planes[k + 3 * BLOCK], planes[k + 4 * BLOCK] = sxy, syy


@_part
def _quaternion_gradient(q, g):
    """dL/d(rotation matrix) g, row by row, to dL/d(quaternion q of any length)."""
    n = ONE / math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    a, b, c, d = q[0] * n, q[1] * n, q[2] * n, q[3] * n
    ga = d * (g[3] - g[1]) + c * (g[2] - g[6]) + b * (g[7] - g[5])
    gb = c * (g[1] + g[3]) + d * (g[2] + g[6]) + a * (g[7] - g[5]) - TWO * b * (g[4] + g[8])
    gc = b * (g[1] + g[3]) + a * (g[2] - g[6]) + d * (g[5] + g[7]) - TWO * c * (g[0] + g[8])
    gd = a * (g[3] - g[1]) + b * (g[2] + g[6]) + c * (g[5] + g[7]) - TWO * d * (g[0] + g[4])
    along = ga * a + gb * b + gc * c + gd * d
    n *= TWO
    return n * (ga - along * a), n * (gb - along * b), n * (gc - along * c), n * (gd - along * d)


@_part
def _unproject(start, size, means, scales, quats, camera, planes):
    """Moments in planes 0 to 4 to gradients in planes 5 to 14: mean, scale, quaternion."""
    r, rest = _view(camera)
    t0, t1, t2, fx, fy, cx, cy, x_low, x_high, y_low, y_high = rest
    at, turn = max(0, 3 * start), max(0, 4 * start)
    for k in range(size):
        x, y, z = means[at + 3 * k], means[at + 3 * k + 1], means[at + 3 * k + 2]
        rz = ONE / (r[6] * x + r[7] * y + r[8] * z + t2)
        xn = (r[0] * x + r[1] * y + r[2] * z + t0) * rz
        yn = (r[3] * x + r[4] * y + r[5] * z + t1) * rz
        xc, yc = min(x_high, max(x_low, xn)), min(y_high, max(y_low, yn))
        q = (
            quats[turn + 4 * k], quats[turn + 4 * k + 1], quats[turn + 4 * k + 2],
            quats[turn + 4 * k + 3],
        )  # fmt: skip
        a = _rotation(q[0], q[1], q[2], q[3])
        q0 = _times(fx * rz, ZERO, -fx * rz * xc, r)  # Q = Jacobian x camera rotation
        q1 = _times(ZERO, fy * rz, -fy * rz * yc, r)
        p0, p1 = _times(q0[0], q0[1], q0[2], a), _times(q1[0], q1[1], q1[2], a)
        s0, s1, s2 = scales[at + 3 * k], scales[at + 3 * k + 1], scales[at + 3 * k + 2]
        m0, m1 = (p0[0] * s0, p0[1] * s1, p0[2] * s2), (p1[0] * s0, p1[1] * s1, p1[2] * s2)
        xx, xy, yy, det = _covariance(m0, m1)
        ka, kb, kc = yy / det, -xy / det, xx / det  # conic
        sx, sy, sxx = planes[k], planes[k + BLOCK], planes[k + 2 * BLOCK]
        sxy, syy = planes[k + 3 * BLOCK], planes[k + 4 * BLOCK]

        # dL/dcovariance = -conic (moments / 2) conic = H / 2; dL/dM = H M
        c0, c1 = ka * sxx + kb * sxy, ka * sxy + kb * syy
        h00, h01 = -(c0 * ka + c1 * kb), -(c0 * kb + c1 * kc)
        h11 = -((kb * sxx + kc * sxy) * kb + (kb * sxy + kc * syy) * kc)
        d0, d1, d2 = h00 * m0[0] + h01 * m1[0], h00 * m0[1] + h01 * m1[1], h00 * m0[2] + h01 * m1[2]
        e0, e1, e2 = h01 * m0[0] + h11 * m1[0], h01 * m0[1] + h11 * m1[1], h01 * m0[2] + h11 * m1[2]
        planes[k + 8 * BLOCK] = d0 * p0[0] + e0 * p1[0]
        planes[k + 9 * BLOCK] = d1 * p0[1] + e1 * p1[1]
        planes[k + 10 * BLOCK] = d2 * p0[2] + e2 * p1[2]
        d0, d1, d2, e0, e1, e2 = d0 * s0, d1 * s1, d2 * s2, e0 * s0, e1 * s1, e2 * s2  # dL/dP
        ga, gb, gc, gd = _quaternion_gradient(q, (
            q0[0] * d0 + q1[0] * e0, q0[0] * d1 + q1[0] * e1, q0[0] * d2 + q1[0] * e2,
            q0[1] * d0 + q1[1] * e0, q0[1] * d1 + q1[1] * e1, q0[1] * d2 + q1[1] * e2,
            q0[2] * d0 + q1[2] * e0, q0[2] * d1 + q1[2] * e1, q0[2] * d2 + q1[2] * e2,
        ))  # fmt: skip
        planes[k + 11 * BLOCK], planes[k + 12 * BLOCK] = ga, gb
        planes[k + 13 * BLOCK], planes[k + 14 * BLOCK] = gc, gd

        # dL/dQ, whose rows are fx/z (R0 - xc R2) and fy/z (R1 - yc R2); then x/z, y/z, 1/z
        at_ = (a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8])  # transposed
        d, e = _times(d0, d1, d2, at_), _times(e0, e1, e2, at_)
        along = d[0] * q0[0] + d[1] * q0[1] + d[2] * q0[2]
        along += e[0] * q1[0] + e[1] * q1[1] + e[2] * q1[2]
        gx, gy = -fx * (ka * sx + kb * sy), -fy * (kb * sx + kc * sy)
        inside_x, inside_y = xc == xn, yc == yn
        gx -= fx * rz * (d[0] * r[6] + d[1] * r[7] + d[2] * r[8]) if inside_x else ZERO
        gy -= fy * rz * (e[0] * r[6] + e[1] * r[7] + e[2] * r[8]) if inside_y else ZERO
        gx, gy = gx * rz, gy * rz
        gz = -along * rz - gx * xn - gy * yn
        planes[k + 5 * BLOCK] = gx * r[0] + gy * r[3] + gz * r[6]
        planes[k + 6 * BLOCK] = gx * r[1] + gy * r[4] + gz * r[7]
        planes[k + 7 * BLOCK] = gx * r[2] + gy * r[5] + gz * r[8]


@_jit
def project_backward(
    first, last, means, scales, quats, opacities, camera, count, slot, sums,
    g_means, g_scales, g_quats, g_opacities, g_colors,
):  # fmt: skip
    """Sums of the pairs of splats [first, last) to gradients of what they were made from."""
    planes = np.empty(15 * BLOCK, np.float32)
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        _gather(start, size, opacities, count, slot, sums, g_opacities, g_colors, planes)
        _unproject(start, size, means, scales, quats, camera, planes)
        for k in range(size):
            i = start + k
            drawn = count[i] > 0
            for c in range(3):
                g_means[i, c] = planes[k + (5 + c) * BLOCK] if drawn else ZERO
                g_scales[i, c] = planes[k + (8 + c) * BLOCK] if drawn else ZERO
            for c in range(4):
                g_quats[i, c] = planes[k + (11 + c) * BLOCK] if drawn else ZERO
