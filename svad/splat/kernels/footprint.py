"""How a splat lies in the picture: camera, rotation and projected covariance."""

from __future__ import annotations

from svad.compute.compiled import part
from svad.splat.kernels.constants import BLUR, ONE, TWO


@part
def rotation(a, b, c, d):
    """Rotation matrix of a quaternion of any length, row by row."""
    n = TWO / (a * a + b * b + c * c + d * d)
    return (
        ONE - n * (c * c + d * d), n * (b * c - a * d), n * (b * d + a * c),
        n * (b * c + a * d), ONE - n * (b * b + d * d), n * (c * d - a * b),
        n * (b * d - a * c), n * (c * d + a * b), ONE - n * (b * b + c * c),
    )  # fmt: skip


@part
def view(camera):
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


@part
def times(p0, p1, p2, a):
    """Row vector times 3 x 3 matrix."""
    return (
        p0 * a[0] + p1 * a[3] + p2 * a[6],
        p0 * a[1] + p1 * a[4] + p2 * a[7],
        p0 * a[2] + p1 * a[5] + p2 * a[8],
    )


@part
def covariance(m0, m1):
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
