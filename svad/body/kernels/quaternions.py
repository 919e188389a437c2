"""Products and matrices of quaternions, as pieces of kernels; real part first."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import part

ONE, TWO, FOUR = (np.float32(v) for v in (1, 2, 4))


@part
def product(a, b):
    """Hamilton product of quaternions, real part first."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


@part
def conjugate(a):
    """The inverse of a unit quaternion."""
    return a[0], -a[1], -a[2], -a[3]


@part
def matrix(q):
    """Rotation matrix of a unit quaternion, row by row."""
    w, x, y, z = q
    return (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip


@part
def matrix_gradient(q, g):
    """Gradient of `matrix` g, row by row, taken to the quaternion."""
    w, x, y, z = q
    return (
        2 * (z * (g[3] - g[1]) + y * (g[2] - g[6]) + x * (g[7] - g[5])),
        2 * (y * (g[1] + g[3]) + z * (g[2] + g[6]) + w * (g[7] - g[5]) - 2 * x * (g[4] + g[8])),
        2 * (x * (g[1] + g[3]) + w * (g[2] - g[6]) + z * (g[5] + g[7]) - 2 * y * (g[0] + g[8])),
        2 * (w * (g[3] - g[1]) + x * (g[2] + g[6]) + y * (g[5] + g[7]) - 2 * z * (g[0] + g[4])),
    )


@part
def matrix32(q):
    """`matrix` in single precision."""
    w, x, y, z = q
    return (
        ONE - TWO * (y * y + z * z), TWO * (x * y - w * z), TWO * (x * z + w * y),
        TWO * (x * y + w * z), ONE - TWO * (x * x + z * z), TWO * (y * z - w * x),
        TWO * (x * z - w * y), TWO * (y * z + w * x), ONE - TWO * (x * x + y * y),
    )  # fmt: skip


@part
def matrix_gradient32(q, g):
    """`matrix_gradient` in single precision."""
    w, x, y, z = q
    return (
        TWO * (z * (g[3] - g[1]) + y * (g[2] - g[6]) + x * (g[7] - g[5])),
        TWO * (y * (g[1] + g[3]) + z * (g[2] + g[6]) + w * (g[7] - g[5]))
        - FOUR * x * (g[4] + g[8]),
        TWO * (x * (g[1] + g[3]) + w * (g[2] - g[6]) + z * (g[5] + g[7]))
        - FOUR * y * (g[0] + g[8]),
        TWO * (w * (g[3] - g[1]) + x * (g[2] + g[6]) + y * (g[5] + g[7]))
        - FOUR * z * (g[0] + g[4]),
    )
