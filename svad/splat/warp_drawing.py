"""Compositing and its gradient on NVIDIA Warp, for CUDA and for Warp's own CPU device.

One thread draws one pixel and a block one tile. The 32 threads of a CUDA warp cover 8 x 4 pixels.
They look at 32 splats of the tile's list at once, each at one, then draw together those that reach
their pixels, and add up their gradients in registers, so that a splat costs one atomic addition per
warp and value. On the CPU device a "warp" is one thread, see `warp_native`.

Letters as in `warp_kernels`.
"""

# Warp reads its own types from annotations, and its functions have bodies in another language.
# pyright: reportInvalidTypeForm=false, reportReturnType=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOperatorIssue=false, reportIndexIssue=false
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false

import functools
from types import SimpleNamespace

import warp as wp

from svad.splat.kernels import constants
from svad.splat.warp_kernels import MOMENTS, TILE_H, TILE_W
from svad.splat.warp_native import (
    adding,
    any_lane,
    ballot,
    decay,
    lanes,
    loading,
    lowest,
    of_lane,
    own_lane,
    picture_access,
)

TILE = TILE_W * TILE_H  # threads of a block
PATCH_W, PATCH_H = 8, 4  # pixels of a CUDA warp
PATCHES = TILE_W // PATCH_W  # beside each other in a tile
WIDTHS = (4, constants.GROUP)  # channels that the two sets of kernels draw in one go

ALPHA_MAX = float(constants.ALPHA_MAX)
STOP = float(constants.STOP)
SPARE = 0.02  # px, for rounding

vec8 = wp.types.vector(MOMENTS, float)


load4 = loading(4)
add8 = adding(MOMENTS)


@wp.func
def place(index: int, tiles: wp.vec2i):
    """Camera, tile among those of all cameras, and pixel (x, y) of a thread."""
    tile, thread = index // TILE, index % TILE
    t, inside = tile // (tiles[0] * tiles[1]), tile % (tiles[0] * tiles[1])
    patch, lane = thread // (PATCH_W * PATCH_H), thread % (PATCH_W * PATCH_H)
    x = (inside % tiles[0]) * TILE_W + (patch % PATCHES) * PATCH_W + lane % PATCH_W
    y = (inside // tiles[0]) * TILE_H + (patch // PATCHES) * PATCH_H + lane // PATCH_W
    return t, tile, x, y


@wp.func
def offset(x: int, y: int, a: wp.vec4) -> wp.vec2:
    """From a splat's centre to that of a pixel."""
    return wp.vec2(float(x) + 0.5 - a[0], float(y) + 0.5 - a[1])


@wp.func
def exponent(d: wp.vec2, a: wp.vec4, b: wp.vec4) -> float:
    """s of the opacity o e^-s at an offset, from the two halves of a record."""
    q, r = a[2] * d[0] + a[3] * d[1], b[0] * d[1]
    return q * q + r * r


@wp.func
def reaches(a: wp.vec4, b: wp.vec4, x: int, y: int) -> bool:
    """Whether the box around a splat reaches the 8 x 4 pixels around one, with some to spare."""
    reach, slant = wp.sqrt(b[2]), a[3] / b[0]
    half = wp.vec2(reach * wp.sqrt(1.0 + slant * slant) / a[2], reach / b[0])
    low = offset(x - x % PATCH_W, y - y % PATCH_H, a) - half
    high = offset(x - x % PATCH_W + PATCH_W - 1, y - y % PATCH_H + PATCH_H - 1, a) + half
    return low[0] < SPARE and low[1] < SPARE and high[0] > -SPARE and high[1] > -SPARE


@wp.func
def wanted(record: wp.array[float], rows: wp.array[int], at: int, stop: int, x: int, y: int):
    """This thread's splat of the list, and a bit for each thread whose splat reaches the pixels."""
    row = 0
    near = bool(False)
    if at + own_lane() < stop:
        row = rows[at + own_lane()]
        near = reaches(load4(record, 2 * row), load4(record, 2 * row + 1), x, y)
    return row, ballot(near)


@functools.cache
def compositing(width: int) -> SimpleNamespace:
    """The kernels `draw` and `draw_backward` for up to `width` channels, 4 or 32.

    Each set is a module of its own, so that Warp compiles what is used.
    """
    module = wp.get_module(f"{__name__}_{width}")
    load, add, (take, put) = loading(width), adding(width), picture_access(width)
    values_type = wp.types.vector(width, float)

    @wp.kernel(enable_backward=False, module=module)
    def draw(
        record: wp.array[float],  # [T N, 8] see `project`
        colors: wp.array[float],  # [D N, width]
        shared: int,  # 1 where D is and T is not
        splats: int,  # N
        rows: wp.array[int],  # [I] splats of each tile, nearest first
        starts: wp.array[int],  # [T tiles + 1]
        tiles: wp.vec2i,  # columns and rows of tiles
        size: wp.vec2i,  # px
        channels: wp.vec3i,  # C of the picture, first one drawn, how many
        image: wp.array[float],  # [T, H, W, C] over black
        left: wp.array[float],  # [T, H, W] the light left
    ):
        t, tile, x, y = place(wp.tid(), tiles)
        inside = x < size[0] and y < size[1]
        light = float(-1.0)  # negative: this pixel takes no more
        if inside:
            light = 1.0
        values = values_type()
        at = starts[tile]
        stop = starts[tile + 1]
        while at < stop and any_lane(light > 0.0):
            own, bits = wanted(record, rows, at, stop, x, y)
            at += lanes()
            while bits != wp.uint32(0):
                row = of_lane(own, lowest(bits))
                bits = bits & (bits - wp.uint32(1))
                a, b = load4(record, 2 * row), load4(record, 2 * row + 1)
                s = exponent(offset(x, y, a), a, b)
                weight = float(0.0)
                if light > 0.0 and s <= b[2]:
                    weight = wp.min(ALPHA_MAX, b[1] * decay(s)) * light
                    after = light - weight
                    if after > STOP:
                        light = after
                    else:
                        light = -light
                        weight = 0.0
                if any_lane(weight > 0.0):
                    values += weight * load(colors, row - shared * t * splats)
        if inside:
            pixel = (t * size[1] + y) * size[0] + x
            put(image, pixel, channels[0], channels[1], channels[2], values)
            left[pixel] = wp.abs(light)

    @wp.kernel(enable_backward=False, module=module)
    def draw_backward(
        record: wp.array[float],  # [T N, 8] see `project`
        colors: wp.array[float],  # [D N, width]
        shared: int,
        splats: int,  # N
        rows: wp.array[int],  # [I]
        starts: wp.array[int],  # [T tiles + 1]
        tiles: wp.vec2i,
        size: wp.vec2i,
        channels: wp.vec3i,
        image: wp.array[float],  # [T, H, W, C]
        left: wp.array[float],  # [T, H, W]
        g_image: wp.array[float],  # [T, H, W, C]
        g_alpha: wp.array[float],  # [T, H, W]
        moments: wp.array[float],  # [T N, MOMENTS] sums of ds times 1, dx, dy, dx^2, dx dy, dy^2
        g_colors: wp.array[float],  # [D N, width]
    ):
        """Front to back, with R = g . (what lies behind) - dL/dalpha T_end, as in `kernels`."""
        t, tile, x, y = place(wp.tid(), tiles)
        light, behind = float(-1.0), float(0.0)
        g = values_type()
        if x < size[0] and y < size[1]:
            pixel = (t * size[1] + y) * size[0] + x
            light = 1.0
            g = take(g_image, pixel, channels[0], channels[1], channels[2])
            behind = wp.dot(g, take(image, pixel, channels[0], channels[1], channels[2]))
            if channels[1] == 0:
                behind -= g_alpha[pixel] * left[pixel]
        at = starts[tile]
        stop = starts[tile + 1]
        while at < stop and any_lane(light > 0.0):
            own, bits = wanted(record, rows, at, stop, x, y)
            at += lanes()
            while bits != wp.uint32(0):
                row = of_lane(own, lowest(bits))
                bits = bits & (bits - wp.uint32(1))
                a, b = load4(record, 2 * row), load4(record, 2 * row + 1)
                d = offset(x, y, a)
                s = exponent(d, a, b)
                weight, alpha = float(0.0), float(0.0)
                if light > 0.0 and s <= b[2]:
                    alpha = b[1] * decay(s)
                    weight = wp.min(ALPHA_MAX, alpha) * light
                    after = light - weight
                    if after > STOP:
                        light = after
                    else:
                        light = -light
                        weight = 0.0
                if any_lane(weight > 0.0):
                    i = row - shared * t * splats
                    value = wp.dot(g, load(colors, i))
                    behind -= weight * value
                    ds = float(0.0)
                    if weight > 0.0 and alpha <= ALPHA_MAX:
                        ds = weight * (behind / light - value)
                    dx, dy = ds * d[0], ds * d[1]
                    sums = vec8(ds, dx, dy, dx * d[0], dx * d[1], dy * d[1], 0.0, 0.0)
                    add8(moments, row, sums)
                    add(g_colors, i, weight * g)

    return SimpleNamespace(draw=draw, draw_backward=draw_backward)
