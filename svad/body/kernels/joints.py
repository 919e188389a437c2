"""From the turns of the joints to the table of a pose, and the gradients back."""

from __future__ import annotations

import math

import numpy as np

from svad.body.kernels.quaternions import conjugate, matrix, matrix_gradient, product
from svad.compute.compiled import jit_beside, part

TINY = 1e-8  # rad^2; squared angles below it take the series


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


@jit_beside
def chain(rotations, joints, parents, world, places, table):
    """Joints of a pose: rotations and joints [J, 3] float64 to table [J, 20] float32.

    world [J, 4] and places [J, 3] float64 get the joints' rotations and positions.
    """
    for j in range(len(parents)):
        q, _, _, _ = _local(rotations[j, 0], rotations[j, 1], rotations[j, 2])
        above = parents[j]
        if above >= 0:
            p = world[above, 0], world[above, 1], world[above, 2], world[above, 3]
            m = matrix(p)
            b0 = joints[j, 0] - joints[above, 0]
            b1 = joints[j, 1] - joints[above, 1]
            b2 = joints[j, 2] - joints[above, 2]
            for c in range(3):
                turned = m[3 * c] * b0 + m[3 * c + 1] * b1 + m[3 * c + 2] * b2
                places[j, c] = places[above, c] + turned
            q = product(p, q)
        else:
            for c in range(3):
                places[j, c] = joints[j, c]
        for c in range(4):
            world[j, c] = q[c]
            table[j, c] = q[c]
        m = matrix(q)
        shift = np.zeros(3)
        for c in range(3):
            moved = m[3 * c] * joints[j, 0] + m[3 * c + 1] * joints[j, 1]
            shift[c] = places[j, c] - moved - m[3 * c + 2] * joints[j, 2]
            table[j, 8 + 4 * c], table[j, 9 + 4 * c] = m[3 * c], m[3 * c + 1]
            table[j, 10 + 4 * c], table[j, 11 + 4 * c] = m[3 * c + 2], shift[c]
        dual = product((0.0, shift[0], shift[1], shift[2]), q)
        for c in range(4):
            table[j, 4 + c] = 0.5 * dual[c]


@jit_beside
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
        m = matrix(q)
        j0, j1, j2 = joints[j, 0], joints[j, 1], joints[j, 2]
        for c in range(3):
            s[c] = places[j, c] - m[3 * c] * j0 - m[3 * c + 1] * j1 - m[3 * c + 2] * j2
        half = 0.5 * g_table[j, 4], 0.5 * g_table[j, 5], 0.5 * g_table[j, 6], 0.5 * g_table[j, 7]
        pulled = product(half, conjugate(q))  # of the pure quaternion (0, s)
        turned = product((0.0, -s[0], -s[1], -s[2]), half)
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
        g = matrix_gradient(q, (
            g_matrix[j, 0], g_matrix[j, 1], g_matrix[j, 2], g_matrix[j, 3], g_matrix[j, 4],
            g_matrix[j, 5], g_matrix[j, 6], g_matrix[j, 7], g_matrix[j, 8],
        ))  # fmt: skip
        gq = g[0] + g_world[j, 0], g[1] + g_world[j, 1], g[2] + g_world[j, 2], g[3] + g_world[j, 3]
        r0, r1, r2 = rotations[j, 0], rotations[j, 1], rotations[j, 2]
        own, sine, slope, sign = _local(r0, r1, r2)
        if above >= 0:
            p = world[above, 0], world[above, 1], world[above, 2], world[above, 3]
            up = product(gq, conjugate(own))
            gq = product(conjugate(p), gq)
            n = matrix(p)
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
