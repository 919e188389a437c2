"""The compiled loops of `svad.body.skin_fast`: joints and points of one pose, and their gradients.

Letters: J joints, N points, K joints of a point, P parts. The table of a pose has twenty numbers a
joint: the real and dual part of its dual quaternion (4 + 4) and its affine transform row by row
(12), as in `svad.body.skin`. Every kernel on points works on whole parts and writes only its own,
so that any number of threads gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from svad.compute.compiled import jit, part

TABLE = 20  # numbers of a joint
ZERO, ONE, TWO, FOUR = (np.float32(v) for v in (0, 1, 2, 4))
TINY = 1e-8  # rad^2; squared angles below it take the series
LEAST = np.float32(1e-16)  # squared length of a blended quaternion


@part
def _product(a, b):
    """Hamilton product of quaternions, real part first."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


@part
def _conjugate(a):
    """The inverse of a unit quaternion."""
    return a[0], -a[1], -a[2], -a[3]


@part
def _matrix(q):
    """Rotation matrix of a unit quaternion, row by row."""
    w, x, y, z = q
    return (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip


@part
def _matrix_gradient(q, g):
    """Gradient of `_matrix` g, row by row, taken to the quaternion."""
    w, x, y, z = q
    return (
        2 * (z * (g[3] - g[1]) + y * (g[2] - g[6]) + x * (g[7] - g[5])),
        2 * (y * (g[1] + g[3]) + z * (g[2] + g[6]) + w * (g[7] - g[5]) - 2 * x * (g[4] + g[8])),
        2 * (x * (g[1] + g[3]) + w * (g[2] - g[6]) + z * (g[5] + g[7]) - 2 * y * (g[0] + g[8])),
        2 * (w * (g[3] - g[1]) + x * (g[2] + g[6]) + y * (g[5] + g[7]) - 2 * z * (g[0] + g[4])),
    )


@part
def _local(r0, r1, r2):
    """Unit quaternion of an axis-angle with a real part that is not negative; sin, its slope, sign.

    q = sign (c, s r) with s = sin(|r| / 2) / |r|; ds/dr = slope r.
    """
    square = r0 * r0 + r1 * r1 + r2 * r2
    if square < TINY:
        c, s, slope = 1 - square / 8, 0.5 - square / 48, -1 / 24 + square / 960
    else:
        angle = math.sqrt(square)
        c, sine = math.cos(angle / 2), math.sin(angle / 2)
        s = sine / angle
        slope = (0.5 * c * angle - sine) / (square * angle)
    sign = -1.0 if c < 0 else 1.0
    return (sign * c, sign * s * r0, sign * s * r1, sign * s * r2), s, slope, sign


@jit
def chain(rotations, joints, parents, world, places, table):
    """Joints of a pose: rotations and joints [J, 3] float64 to table [J, 20] float32.

    world [J, 4] and places [J, 3] float64 get the joints' rotations and positions.
    """
    for j in range(len(parents)):
        q, _, _, _ = _local(rotations[j, 0], rotations[j, 1], rotations[j, 2])
        above = parents[j]
        if above >= 0:
            p = world[above, 0], world[above, 1], world[above, 2], world[above, 3]
            m = _matrix(p)
            b0 = joints[j, 0] - joints[above, 0]
            b1 = joints[j, 1] - joints[above, 1]
            b2 = joints[j, 2] - joints[above, 2]
            for c in range(3):
                turned = m[3 * c] * b0 + m[3 * c + 1] * b1 + m[3 * c + 2] * b2
                places[j, c] = places[above, c] + turned
            q = _product(p, q)
        else:
            for c in range(3):
                places[j, c] = joints[j, c]
        for c in range(4):
            world[j, c] = q[c]
            table[j, c] = q[c]
        m = _matrix(q)
        shift = np.zeros(3)
        for c in range(3):
            moved = m[3 * c] * joints[j, 0] + m[3 * c + 1] * joints[j, 1]
            shift[c] = places[j, c] - moved - m[3 * c + 2] * joints[j, 2]
            table[j, 8 + 4 * c], table[j, 9 + 4 * c] = m[3 * c], m[3 * c + 1]
            table[j, 10 + 4 * c], table[j, 11 + 4 * c] = m[3 * c + 2], shift[c]
        dual = _product((0.0, shift[0], shift[1], shift[2]), q)
        for c in range(4):
            table[j, 4 + c] = 0.5 * dual[c]


@jit
def chain_backward(rotations, joints, parents, world, places, g_table, g_rotations, g_joints):
    """Gradient of the table [J, 20] float64 taken to rotations and joints [J, 3] float64.

    world and places are those of `chain`; g_joints must be zeros at the start.
    """
    count = len(parents)
    g_places, g_matrix, g_world = np.zeros((count, 3)), np.zeros((count, 9)), np.zeros((count, 4))
    s, g_s = np.zeros(3), np.zeros(3)
    for back in range(count):
        j = count - 1 - back
        above = parents[j]
        q = world[j, 0], world[j, 1], world[j, 2], world[j, 3]
        m = _matrix(q)
        j0, j1, j2 = joints[j, 0], joints[j, 1], joints[j, 2]
        for c in range(3):
            s[c] = places[j, c] - m[3 * c] * j0 - m[3 * c + 1] * j1 - m[3 * c + 2] * j2
        half = 0.5 * g_table[j, 4], 0.5 * g_table[j, 5], 0.5 * g_table[j, 6], 0.5 * g_table[j, 7]
        pulled = _product(half, _conjugate(q))  # of the pure quaternion (0, s)
        turned = _product((0.0, -s[0], -s[1], -s[2]), half)
        for c in range(4):
            g_world[j, c] += g_table[j, c] + turned[c]
        for c in range(3):
            g_s[c] = g_table[j, 11 + 4 * c] + pulled[c + 1]
            g_places[j, c] += g_s[c]
            g_matrix[j, 3 * c] += g_table[j, 8 + 4 * c] - g_s[c] * j0
            g_matrix[j, 3 * c + 1] += g_table[j, 9 + 4 * c] - g_s[c] * j1
            g_matrix[j, 3 * c + 2] += g_table[j, 10 + 4 * c] - g_s[c] * j2
        for c in range(3):
            g_joints[j, c] -= m[c] * g_s[0] + m[3 + c] * g_s[1] + m[6 + c] * g_s[2]
        g = _matrix_gradient(q, (
            g_matrix[j, 0], g_matrix[j, 1], g_matrix[j, 2], g_matrix[j, 3], g_matrix[j, 4],
            g_matrix[j, 5], g_matrix[j, 6], g_matrix[j, 7], g_matrix[j, 8],
        ))  # fmt: skip
        gq = g[0] + g_world[j, 0], g[1] + g_world[j, 1], g[2] + g_world[j, 2], g[3] + g_world[j, 3]
        r0, r1, r2 = rotations[j, 0], rotations[j, 1], rotations[j, 2]
        own, sine, slope, sign = _local(r0, r1, r2)
        if above >= 0:
            p = world[above, 0], world[above, 1], world[above, 2], world[above, 3]
            up = _product(gq, _conjugate(own))
            gq = _product(_conjugate(p), gq)
            n = _matrix(p)
            b = j0 - joints[above, 0], j1 - joints[above, 1], j2 - joints[above, 2]
            for c in range(4):
                g_world[above, c] += up[c]
            for c in range(3):
                g_places[above, c] += g_places[j, c]
                for d in range(3):
                    g_matrix[above, 3 * c + d] += g_places[j, c] * b[d]
                pull = n[c] * g_places[j, 0] + n[3 + c] * g_places[j, 1] + n[6 + c] * g_places[j, 2]
                g_joints[j, c] += pull
                g_joints[above, c] -= pull
        else:
            for c in range(3):
                g_joints[j, c] += g_places[j, c]
        along = (gq[1] * r0 + gq[2] * r1 + gq[3] * r2) * slope - 0.5 * sine * gq[0]
        g_rotations[j, 0] = sign * (sine * gq[1] + along * r0)
        g_rotations[j, 1] = sign * (sine * gq[2] + along * r1)
        g_rotations[j, 2] = sign * (sine * gq[3] + along * r2)


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
    m = _matrix32(q)
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


@part
def _matrix32(q):
    """`_matrix` in single precision."""
    w, x, y, z = q
    return (
        ONE - TWO * (y * y + z * z), TWO * (x * y - w * z), TWO * (x * z + w * y),
        TWO * (x * y + w * z), ONE - TWO * (x * x + z * z), TWO * (y * z - w * x),
        TWO * (x * z - w * y), TWO * (y * z + w * x), ONE - TWO * (x * x + y * y),
    )  # fmt: skip


@part
def _matrix_gradient32(q, g):
    """`_matrix_gradient` in single precision."""
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


@jit
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
            t = _product(q, (quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]))
            turned[i, 0], turned[i, 1], turned[i, 2], turned[i, 3] = t


@jit
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
            still = _conjugate((quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]))
            turn = (g_turned[i, 0], g_turned[i, 1], g_turned[i, 2], g_turned[i, 3])
            u = _product(turn, still)
            h0, h1, h2 = rigid * g0, rigid * g1, rigid * g2
            v = _matrix_gradient32(
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
