"""Points and quaternions moved by the table of a pose, and the gradients back."""

from __future__ import annotations

import math

import numpy as np

from svad.body.kernels.quaternions import (
    ONE,
    TWO,
    conjugate,
    matrix32,
    matrix_gradient32,
    product,
)
from svad.compute.compiled import jit_beside, part

TABLE = 20  # numbers of a joint
ZERO = np.float32(0)
LEAST = np.float32(1e-16)  # squared length of a blended quaternion


@part
def _mixed(table, ids, weights, i):
    """The blended numbers of a point."""
    real_w, real_x, real_y, real_z = ZERO, ZERO, ZERO, ZERO
    dual_w, dual_x, dual_y, dual_z = ZERO, ZERO, ZERO, ZERO
    a0, a1, a2, a3, a4, a5 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    a6, a7, a8, a9, a10, a11 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for k in range(ids.shape[1]):
        w, j = weights[i, k], ids[i, k]
        if w == ZERO:
            continue
        real_w += w * table[j, 0]
        real_x += w * table[j, 1]
        real_y += w * table[j, 2]
        real_z += w * table[j, 3]
        dual_w += w * table[j, 4]
        dual_x += w * table[j, 5]
        dual_y += w * table[j, 6]
        dual_z += w * table[j, 7]
        a0 += w * table[j, 8]
        a1 += w * table[j, 9]
        a2 += w * table[j, 10]
        a3 += w * table[j, 11]
        a4 += w * table[j, 12]
        a5 += w * table[j, 13]
        a6 += w * table[j, 14]
        a7 += w * table[j, 15]
        a8 += w * table[j, 16]
        a9 += w * table[j, 17]
        a10 += w * table[j, 18]
        a11 += w * table[j, 19]
    n = ONE / math.sqrt(
        max(LEAST, real_w * real_w + real_x * real_x + real_y * real_y + real_z * real_z)
    )
    q = real_w * n, real_x * n, real_y * n, real_z * n
    d = dual_w * n, dual_x * n, dual_y * n, dual_z * n
    return q, d, n, (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11)


@part
def _blend(q, d, linear, rigid):
    """Affine transform row by row: linear blending mixed with dual quaternions."""
    m = matrix32(q)
    w, x, y, z = q
    dw, dx, dy, dz = d
    t0 = TWO * (w * dx - dw * x + y * dz - z * dy)
    t1 = TWO * (w * dy - dw * y + z * dx - x * dz)
    t2 = TWO * (w * dz - dw * z + x * dy - y * dx)
    keep = ONE - rigid
    return (
        keep * linear[0] + rigid * m[0], keep * linear[1] + rigid * m[1],
        keep * linear[2] + rigid * m[2], keep * linear[3] + rigid * t0,
        keep * linear[4] + rigid * m[3], keep * linear[5] + rigid * m[4],
        keep * linear[6] + rigid * m[5], keep * linear[7] + rigid * t1,
        keep * linear[8] + rigid * m[6], keep * linear[9] + rigid * m[7],
        keep * linear[10] + rigid * m[8], keep * linear[11] + rigid * t2,
    )  # fmt: skip


@jit_beside
def points(first, last, edges, table, shift, rigid, means, quats, ids, weights, placed, turned):
    """Points of parts [first, last) to the pose: means [N, 3] to placed, quats [N, 4] to turned.

    table [J, 20], shift [3], weights [N, K] float32; ids [N, K] int64; edges [P + 1].
    """
    for at in range(first, last):
        for i in range(edges[at], edges[at + 1]):
            q, d, n, linear = _mixed(table, ids, weights, i)
            a = _blend(q, d, linear, rigid)
            x, y, z = means[i, 0], means[i, 1], means[i, 2]
            placed[i, 0] = a[0] * x + a[1] * y + a[2] * z + a[3] + shift[0]
            placed[i, 1] = a[4] * x + a[5] * y + a[6] * z + a[7] + shift[1]
            placed[i, 2] = a[8] * x + a[9] * y + a[10] * z + a[11] + shift[2]
            t = product(q, (quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]))
            turned[i, 0], turned[i, 1], turned[i, 2], turned[i, 3] = t


@jit_beside
def points_backward(
    first, last, edges, table, rigid, means, quats, ids, weights, g_placed, g_turned,
    g_means, g_table, g_shift,
):  # fmt: skip
    """Gradients of parts [first, last): g_means [N, 3]; sums g_table [P, J, 20], g_shift [P, 3].

    The sums are float64, those of g_shift zeros at the start; the quaternions at rest have no
    gradient.
    """
    keep = ONE - rigid
    g = np.empty(TABLE, np.float32)
    sums = np.empty((len(table), TABLE), np.float32)
    for at in range(first, last):
        sums[:] = ZERO
        for i in range(edges[at], edges[at + 1]):
            q, d, n, linear = _mixed(table, ids, weights, i)
            a = _blend(q, d, linear, rigid)
            x, y, z = means[i, 0], means[i, 1], means[i, 2]
            g0, g1, g2 = g_placed[i, 0], g_placed[i, 1], g_placed[i, 2]
            g_means[i, 0] = a[0] * g0 + a[4] * g1 + a[8] * g2
            g_means[i, 1] = a[1] * g0 + a[5] * g1 + a[9] * g2
            g_means[i, 2] = a[2] * g0 + a[6] * g1 + a[10] * g2
            g_shift[at, 0] += g0
            g_shift[at, 1] += g1
            g_shift[at, 2] += g2

            # the rotation of the splat, the rotation part and the translation part
            still = conjugate((quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]))
            turn = (g_turned[i, 0], g_turned[i, 1], g_turned[i, 2], g_turned[i, 3])
            u = product(turn, still)
            h0, h1, h2 = rigid * g0, rigid * g1, rigid * g2
            v = matrix_gradient32(
                q, (h0 * x, h0 * y, h0 * z, h1 * x, h1 * y, h1 * z, h2 * x, h2 * y, h2 * z)
            )
            k0, k1, k2 = TWO * h0, TWO * h1, TWO * h2
            gw = u[0] + v[0] + k0 * d[1] + k1 * d[2] + k2 * d[3]
            gx = u[1] + v[1] - d[0] * k0 + d[2] * k2 - d[3] * k1
            gy = u[2] + v[2] - d[0] * k1 + d[3] * k0 - d[1] * k2
            gz = u[3] + v[3] - d[0] * k2 + d[1] * k1 - d[2] * k0
            ew = -(k0 * q[1] + k1 * q[2] + k2 * q[3])
            ex = q[0] * k0 + k1 * q[3] - k2 * q[2]
            ey = q[0] * k1 + k2 * q[1] - k0 * q[3]
            ez = q[0] * k2 + k0 * q[2] - k1 * q[1]
            along = gw * q[0] + gx * q[1] + gy * q[2] + gz * q[3]
            along += ew * d[0] + ex * d[1] + ey * d[2] + ez * d[3]
            g[0], g[1] = n * (gw - along * q[0]), n * (gx - along * q[1])
            g[2], g[3] = n * (gy - along * q[2]), n * (gz - along * q[3])
            g[4], g[5], g[6], g[7] = n * ew, n * ex, n * ey, n * ez
            g[8], g[9], g[10], g[11] = keep * g0 * x, keep * g0 * y, keep * g0 * z, keep * g0
            g[12], g[13], g[14], g[15] = keep * g1 * x, keep * g1 * y, keep * g1 * z, keep * g1
            g[16], g[17], g[18], g[19] = keep * g2 * x, keep * g2 * y, keep * g2 * z, keep * g2
            for k in range(ids.shape[1]):
                w, j = weights[i, k], ids[i, k]
                if w != ZERO:
                    for c in range(TABLE):
                        sums[j, c] += w * g[c]
        for j in range(len(table)):
            for c in range(TABLE):
                g_table[at, j, c] = sums[j, c]
