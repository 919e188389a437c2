"""Gradients of what was drawn to gradients of the splats."""

from __future__ import annotations

import math

import numpy as np

from svad.compute.compiled import jit_beside, part
from svad.splat.kernels.constants import BLOCK, ONE, TWO, ZERO
from svad.splat.kernels.footprint import covariance, rotation, times, view


@part
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


@part
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


@part
def _unproject(start, size, means, scales, quats, camera, planes):
    """Moments in planes 0 to 4 to gradients in planes 5 to 14: mean, scale, quaternion."""
    r, rest = view(camera)
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
        a = rotation(q[0], q[1], q[2], q[3])
        q0 = times(fx * rz, ZERO, -fx * rz * xc, r)  # Q = Jacobian x camera rotation
        q1 = times(ZERO, fy * rz, -fy * rz * yc, r)
        p0, p1 = times(q0[0], q0[1], q0[2], a), times(q1[0], q1[1], q1[2], a)
        s0, s1, s2 = scales[at + 3 * k], scales[at + 3 * k + 1], scales[at + 3 * k + 2]
        m0, m1 = (p0[0] * s0, p0[1] * s1, p0[2] * s2), (p1[0] * s0, p1[1] * s1, p1[2] * s2)
        xx, xy, yy, det = covariance(m0, m1)
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
        d, e = times(d0, d1, d2, at_), times(e0, e1, e2, at_)
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


@jit_beside
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
