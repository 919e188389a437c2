"""Compositing and its gradient on NVIDIA Warp, for CUDA and for Warp's own CPU device.

One thread draws one pixel and a block one tile. The 32 threads of a CUDA warp cover 8 x 4 pixels,
go through the tile's list in step, pass over splats that none of them needs and add up their
gradients in registers, so that each splat costs one atomic addition per warp and value. These few
parts are native code, where "any" and "sum" of a warp are those of one thread on the CPU device.

Letters as in `warp_kernels`.
"""

# Warp reads its own types from annotations, and its functions have bodies in another language.
# pyright: reportInvalidTypeForm=false, reportReturnType=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOperatorIssue=false, reportIndexIssue=false
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false

import functools
from types import SimpleNamespace

import warp as wp

from svad.splat import kernels
from svad.splat.warp_kernels import MOMENTS, TILE_H, TILE_W

TILE = TILE_W * TILE_H  # threads of a block
PATCH_W, PATCH_H = 8, 4  # pixels of a CUDA warp
PATCHES = TILE_W // PATCH_W  # beside each other in a tile
WIDTHS = (4, kernels.GROUP)  # channels that the two sets of kernels draw in one go

ALPHA_MAX = float(kernels.ALPHA_MAX)
STOP = float(kernels.STOP)

vec8 = wp.types.vector(MOMENTS, float)


def _either(cuda: str, cpu: str) -> str:
    return f"#if defined(__CUDA_ARCH__)\n{cuda}\n#else\n{cpu}\n#endif\n"


@wp.func_native(_either("return __any_sync(0xffffffffu, flag);", "return flag;"))
def any_lane(flag: bool) -> bool:
    """Whether the flag of any thread of the CUDA warp is set."""
    ...


@wp.func_native(_either("return __expf(-s);", "return wp::exp(-s);"))
def decay(s: float) -> float:
    """e^-s, with a relative error of 1e-6 for the exponents that are drawn (up to 5.6)."""
    ...


def _loading(width: int) -> wp.Function:
    """A function that reads one row of [.., width], which starts on 16 bytes."""
    values = wp.types.vector(width, float)
    cuda = f"""
    const float4* from = reinterpret_cast<const float4*>(table.data + size_t(row) * {width});
    #pragma unroll
    for (int k = 0; k < {width // 4}; ++k) {{
        const float4 part = from[k];
        out[4 * k] = part.x; out[4 * k + 1] = part.y;
        out[4 * k + 2] = part.z; out[4 * k + 3] = part.w;
    }}"""
    cpu = f"for (int k = 0; k < {width}; ++k) out[k] = table.data[size_t(row) * {width} + k];"

    snippet = f"wp::vec_t<{width}, wp::float32> out;\n{_either(cuda, cpu)}\nreturn out;"

    @wp.func_native(snippet)
    def load(table: wp.array[float], row: int) -> values: ...

    return load


def _adding(width: int) -> wp.Function:
    """A function that adds the sum over the CUDA warp's threads to one row of [.., width].

    Halves of the values change sides until each thread holds the sum of one of them.
    """
    lines = ["const unsigned int lane = threadIdx.x & 31u;", f"float v[{width}];"]
    lines.append(f"for (int k = 0; k < {width}; ++k) v[k] = values[k];")
    half = width // 2
    while half:
        lines.append(f"""
    for (int k = 0; k < {half}; ++k) {{
        const bool upper = (lane & {half}u) != 0u;
        const float sent = upper ? v[k] : v[k + {half}];
        const float kept = upper ? v[k + {half}] : v[k];
        v[k] = kept + __shfl_xor_sync(0xffffffffu, sent, {half});
    }}""")
        half //= 2
    for step in (1, 2, 4, 8, 16):
        if step >= width:
            lines.append(f"v[0] += __shfl_xor_sync(0xffffffffu, v[0], {step});")
    lines.append(
        f"if (lane < {width}u && v[0] != 0.0f) "
        f"atomicAdd(table.data + size_t(row) * {width} + lane, v[0]);"
    )
    cuda = "\n".join(lines).replace("for (", '_Pragma("unroll") for (')
    cpu = f"for (int k = 0; k < {width}; ++k) table.data[size_t(row) * {width} + k] += values[k];"
    values = wp.types.vector(width, float)

    @wp.func_native(_either(cuda, cpu))
    def add(table: wp.array[float], row: int, values: values): ...

    return add


def _picture_access(width: int) -> tuple[wp.Function, wp.Function]:
    """Functions that read and write `count` channels of one pixel, from `first` on."""
    values = wp.types.vector(width, float)
    each = f"""
    #pragma unroll
    for (int k = 0; k < {width}; ++k)"""

    at = "table.data[size_t(pixel) * channels + first + k]"
    reading = f"wp::vec_t<{width}, wp::float32> out;{each} out[k] = k < count ? {at} : 0.0f;"
    writing = f"{each} if (k < count) {at} = values[k];"

    @wp.func_native(reading + "\nreturn out;")
    def take(
        table: wp.array[float], pixel: int, channels: int, first: int, count: int
    ) -> values: ...

    @wp.func_native(writing)
    def put(
        table: wp.array[float], pixel: int, channels: int, first: int, count: int, values: values
    ): ...

    return take, put


load4 = _loading(4)
add8 = _adding(MOMENTS)


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


@functools.cache
def compositing(width: int) -> SimpleNamespace:
    """The kernels `draw` and `draw_backward` for up to `width` channels, 4 or 32.

    Each set is a module of its own, so that Warp compiles what is used.
    """
    module = wp.get_module(f"{__name__}_{width}")
    load, add, (take, put) = _loading(width), _adding(width), _picture_access(width)
    values_type = wp.types.vector(width, float)

    @wp.kernel(enable_backward=False, module=module)
    def draw(
        record: wp.array[float],  # [T N, 8] see `project`
        colors: wp.array[float],  # [B N, width]
        shared: int,  # 1 where all cameras see one set
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
        j = starts[tile]
        stop = starts[tile + 1]
        while j < stop and any_lane(light > 0.0):
            row = rows[j]
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
            j += 1
        if inside:
            pixel = (t * size[1] + y) * size[0] + x
            put(image, pixel, channels[0], channels[1], channels[2], values)
            left[pixel] = wp.abs(light)

    @wp.kernel(enable_backward=False, module=module)
    def draw_backward(
        record: wp.array[float],  # [T N, 8] see `project`
        colors: wp.array[float],  # [B N, width]
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
        g_colors: wp.array[float],  # [B N, width]
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
        j = starts[tile]
        stop = starts[tile + 1]
        while j < stop and any_lane(light > 0.0):
            row = rows[j]
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
            j += 1

    return SimpleNamespace(draw=draw, draw_backward=draw_backward)
