"""What the kernels of `warp_drawing` need beyond Warp's language: native code for both devices.

The threads of a CUDA warp tell each other things without memory between them. On Warp's CPU device
every function here is that of a "warp" of one thread.
"""

# Warp reads its own types from annotations, and its functions have bodies in another language.
# pyright: reportInvalidTypeForm=false, reportReturnType=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOperatorIssue=false, reportIndexIssue=false
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false

import warp as wp


def _either(cuda: str, cpu: str) -> str:
    return f"#if defined(__CUDA_ARCH__)\n{cuda}\n#else\n{cpu}\n#endif\n"


@wp.func_native(_either("return __any_sync(0xffffffffu, flag);", "return flag;"))
def any_lane(flag: bool) -> bool:
    """Whether the flag of any thread of the CUDA warp is set."""
    ...


@wp.func_native(_either("return __ballot_sync(0xffffffffu, flag);", "return flag ? 1u : 0u;"))
def ballot(flag: bool) -> wp.uint32:
    """A bit for each thread of the CUDA warp: its flag."""
    ...


@wp.func_native(_either("return __ffs(static_cast<int>(bits)) - 1;", "return 0;"))
def lowest(bits: wp.uint32) -> int:
    """The thread of the lowest bit that is set; one is."""
    ...


@wp.func_native(_either("return __shfl_sync(0xffffffffu, value, lane);", "return value;"))
def of_lane(value: int, lane: int) -> int:
    """That thread's value."""
    ...


@wp.func_native(_either("return static_cast<int>(threadIdx.x & 31u);", "return 0;"))
def own_lane() -> int:
    """This thread's number in its CUDA warp."""
    ...


@wp.func_native(_either("return 32;", "return 1;"))
def lanes() -> int:
    """Threads of a CUDA warp."""
    ...


@wp.func_native(_either("return __expf(-s);", "return wp::exp(-s);"))
def decay(s: float) -> float:
    """e^-s, with a relative error of 1e-6 for the exponents that are drawn (up to 5.6)."""
    ...


def loading(width: int) -> wp.Function:
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


def adding(width: int) -> wp.Function:
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


def picture_access(width: int) -> tuple[wp.Function, wp.Function]:
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
