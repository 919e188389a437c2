"""The rasteriser on NVIDIA Warp, before and after compositing: projection, lists, gradients.

Tile-based alpha compositing of 3D Gaussians (Kerbl et al. 2023, section 6) with the conventions of
gsplat 1.5.3 and the constants of `kernels`. Importing this module imports Warp.

Letters: T cameras, N splats, B = T or 1 sets of splats, D = T or 1 sets of their colours, I (splat,
tile) pairs, C channels. A row is camera x N + splat; what all cameras share has N rows.
"""

# Warp reads its own types from annotations, and its functions have bodies in another language.
# pyright: reportInvalidTypeForm=false, reportReturnType=false, reportArgumentType=false
# pyright: reportGeneralTypeIssues=false, reportOperatorIssue=false, reportIndexIssue=false
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false

import warp as wp

from svad.splat.kernels import constants

TILE_W = 16  # pixels
TILE_H = 16  # pixels
MOMENTS = 8  # columns of the sums over a splat's pixels; 6 are used
DEPTH_BITS = 31  # of a pair's key; a positive float32 has no sign

BLUR = float(constants.BLUR)
ALPHA_MIN = float(constants.ALPHA_MIN)
CUT_MAX = float(constants.CUT_MAX)
INWARD, OUTWARD = float(constants.INWARD), float(constants.OUTWARD)

MODULE = wp.get_module(__name__)


@wp.func
def rotation(q: wp.vec4) -> wp.mat33:
    """Rotation matrix of a quaternion of any length, real part first."""
    n = 2.0 / wp.dot(q, q)
    a, b, c, d = q[0], q[1], q[2], q[3]
    return wp.mat33(
        1.0 - n * (c * c + d * d), n * (b * c - a * d), n * (b * d + a * c),
        n * (b * c + a * d), 1.0 - n * (b * b + d * d), n * (c * d - a * b),
        n * (b * d - a * c), n * (c * d + a * b), 1.0 - n * (b * b + c * c),
    )  # fmt: skip


@wp.func
def quaternion_gradient(q: wp.vec4, g: wp.mat33) -> wp.vec4:
    """dL/d(rotation matrix) g to dL/d(quaternion q of any length)."""
    n = 1.0 / wp.length(q)
    u = q * n
    a, b, c, d = u[0], u[1], u[2], u[3]
    x, y, z = g[2, 1] - g[1, 2], g[0, 2] - g[2, 0], g[1, 0] - g[0, 1]
    xy, xz, yz = g[0, 1] + g[1, 0], g[0, 2] + g[2, 0], g[1, 2] + g[2, 1]
    along = wp.vec4(
        b * x + c * y + d * z,
        a * x + c * xy + d * xz - 2.0 * b * (g[1, 1] + g[2, 2]),
        a * y + b * xy + d * yz - 2.0 * c * (g[0, 0] + g[2, 2]),
        a * z + b * xz + c * yz - 2.0 * d * (g[0, 0] + g[1, 1]),
    )
    return 2.0 * n * (along - wp.dot(along, u) * u)


@wp.func
def view_rotation(cameras: wp.array2d[float], t: int) -> wp.mat33:
    """World to camera."""
    return wp.mat33(
        cameras[t, 0], cameras[t, 1], cameras[t, 2], cameras[t, 3], cameras[t, 4], cameras[t, 5],
        cameras[t, 6], cameras[t, 7], cameras[t, 8],
    )  # fmt: skip


@wp.func
def in_view(cameras: wp.array2d[float], t: int, point: wp.vec3) -> wp.vec3:
    """x / z, y / z, z of a point of the world."""
    at = view_rotation(cameras, t) * point
    z = at[2] + cameras[t, 11]
    return wp.vec3((at[0] + cameras[t, 9]) / z, (at[1] + cameras[t, 10]) / z, z)


@wp.func
def jacobian_rows(cameras: wp.array2d[float], t: int, at: wp.vec3):
    """The two rows of Jacobian x camera rotation, taken at most 15 % outside of the picture."""
    r = view_rotation(cameras, t)
    x = wp.min(cameras[t, 17], wp.max(cameras[t, 16], at[0]))
    y = wp.min(cameras[t, 19], wp.max(cameras[t, 18], at[1]))
    r0, r1, r2 = r[0], r[1], r[2]
    return cameras[t, 12] / at[2] * (r0 - x * r2), cameras[t, 13] / at[2] * (r1 - y * r2)


@wp.func
def blurred(m0: wp.vec3, m1: wp.vec3) -> wp.vec4:
    """M M^T + blur of the rows of M: xx, xy, yy and the determinant.

    The determinant is a sum of squares (Cauchy-Binet): no cancellation for thin splats.
    """
    xx, yy, n = wp.dot(m0, m0), wp.dot(m1, m1), wp.cross(m0, m1)
    det = wp.dot(n, n) + BLUR * (xx + yy) + BLUR * BLUR
    return wp.vec4(xx + BLUR, wp.dot(m0, m1), yy + BLUR, det)


@wp.kernel(enable_backward=False, module=MODULE)
def project(
    means: wp.array[wp.vec3],  # [B N]
    scales: wp.array[wp.vec3],  # [B N]
    quats: wp.array[wp.vec4],  # [B N]
    opacities: wp.array[float],  # [B N]
    colors: wp.array2d[float],  # [D N, C]
    cameras: wp.array2d[float],  # [T, 21], see `render_cpu.camera_numbers`
    shared: wp.vec2i,  # 1 where B is, and where D is, and T is not
    splats: int,  # N
    size: wp.vec2i,  # of the picture, px
    record: wp.array2d[wp.vec4],  # [T N, 2] centre, conic (U, V, W), opacity, cut, nothing
    box: wp.array[wp.vec4i],  # [T N] first and last + 1 column, then row, of tiles
    depth: wp.array[float],  # [T N] metres
    count: wp.array[int],  # [T N] tiles, 0 = not drawn
):
    """A thread per row: what a splat looks like in a camera, and which tiles it touches."""
    row = wp.tid()
    t = row // splats
    i = row - shared[0] * t * splats
    count[row] = 0
    at = in_view(cameras, t, means[i])
    q0, q1 = jacobian_rows(cameras, t, at)
    a, scale = rotation(quats[i]), scales[i]
    c = blurred(wp.cw_mul(q0 * a, scale), wp.cw_mul(q1 * a, scale))
    o = opacities[i]
    mx, my = cameras[t, 12] * at[0] + cameras[t, 14], cameras[t, 13] * at[1] + cameras[t, 15]
    u, w = wp.sqrt(c[2] / (2.0 * c[3])), wp.sqrt(0.5 / c[2])
    v = -u * c[1] / c[2]
    cut = wp.min(CUT_MAX, wp.max(0.0, wp.log(o) + CUT_MAX))
    rx, ry = wp.sqrt(2.0 * cut * c[0]), wp.sqrt(2.0 * cut * c[2])
    total = mx + my + u + v + w + rx + ry + o
    for k in range(colors.shape[1]):
        total += wp.abs(colors[row - shared[1] * t * splats, k])
    if not (at[2] >= cameras[t, 20] and o >= ALPHA_MIN and u > 0.0 and wp.isfinite(total)):
        return
    wide, high = float(size[0]), float(size[1])
    x0 = int(wp.clamp(mx - rx + INWARD, 0.0, wide))
    x1 = int(wp.clamp(mx + rx + OUTWARD, 0.0, wide))
    y0 = int(wp.clamp(my - ry + INWARD, 0.0, high))
    y1 = int(wp.clamp(my + ry + OUTWARD, 0.0, high))
    if x1 <= x0 or y1 <= y0:
        return
    x0, x1 = x0 // TILE_W, (x1 - 1) // TILE_W + 1
    y0, y1 = y0 // TILE_H, (y1 - 1) // TILE_H + 1
    record[row, 0] = wp.vec4(mx, my, u, v)
    record[row, 1] = wp.vec4(w, o, cut, 0.0)
    box[row] = wp.vec4i(x0, x1, y0, y1)
    depth[row] = at[2]
    count[row] = (x1 - x0) * (y1 - y0)


@wp.kernel(enable_backward=False, module=MODULE)
def list_pairs(
    box: wp.array[wp.vec4i],  # [T N]
    depth_bits: wp.array[int],  # [T N] the depths, seen as integers
    count: wp.array[int],  # [T N]
    ends: wp.array[int],  # [T N] running sums of the counts
    splats: int,  # N
    tiles: wp.vec2i,  # columns and rows of tiles
    keys: wp.array[wp.int64],  # [I or more] camera, tile, depth
    rows: wp.array[int],  # [I or more]
):
    """A thread per row: a key for each tile that a splat touches, in the order of the splats."""
    row = wp.tid()
    if count[row] == 0:
        return
    at = ends[row] - count[row]
    bits = wp.int64(depth_bits[row])
    around = box[row]
    first = (row // splats) * tiles[0] * tiles[1]
    for y in range(around[2], around[3]):
        for x in range(around[0], around[1]):
            tile = wp.int64(first + y * tiles[0] + x)
            keys[at] = wp.lshift(tile, wp.int64(DEPTH_BITS)) | bits
            rows[at] = row
            at += 1


@wp.kernel(enable_backward=False, module=MODULE)
def project_backward(
    means: wp.array[wp.vec3],  # [B N]
    scales: wp.array[wp.vec3],  # [B N]
    quats: wp.array[wp.vec4],  # [B N]
    opacities: wp.array[float],  # [B N]
    cameras: wp.array2d[float],  # [T, 21]
    shared: int,  # 1 where B is and T is not
    splats: int,  # N
    count: wp.array[int],  # [T N]
    moments: wp.array2d[float],  # [T N, MOMENTS] sums of ds times 1, dx, dy, dx^2, dx dy, dy^2
    g_means: wp.array[wp.vec3],  # [B N]
    g_scales: wp.array[wp.vec3],  # [B N]
    g_quats: wp.array[wp.vec4],  # [B N]
    g_opacities: wp.array[float],  # [B N]
):
    """A thread per splat of a set: sums over its pixels to gradients of what it was made from."""
    i = wp.tid()
    first, last = i // splats, i // splats + 1
    if shared == 1:
        last = cameras.shape[0]
    g_mean, g_scale, g_rotation, g_opacity = wp.vec3(), wp.vec3(), wp.mat33(), float(0.0)
    drawn = bool(False)
    a, scale = rotation(quats[i]), scales[i]
    for t in range(first, last):
        row = t * splats + i - first * splats
        if count[row] > 0:
            drawn = True
            at = in_view(cameras, t, means[i])
            q0, q1 = jacobian_rows(cameras, t, at)
            p0, p1 = q0 * a, q1 * a
            m0, m1 = wp.cw_mul(p0, scale), wp.cw_mul(p1, scale)
            c = blurred(m0, m1)
            ka, kb, kc = c[2] / c[3], -c[1] / c[3], c[0] / c[3]  # conic
            sx, sy = moments[row, 1], moments[row, 2]
            sxx, sxy, syy = moments[row, 3], moments[row, 4], moments[row, 5]
            # dL/dcovariance = -conic (moments / 2) conic = H / 2; dL/dM = H M
            c0, c1 = ka * sxx + kb * sxy, ka * sxy + kb * syy
            h00, h01 = -(c0 * ka + c1 * kb), -(c0 * kb + c1 * kc)
            h11 = -((kb * sxx + kc * sxy) * kb + (kb * sxy + kc * syy) * kc)
            d, e = h00 * m0 + h01 * m1, h01 * m0 + h11 * m1
            g_scale += wp.cw_mul(d, p0) + wp.cw_mul(e, p1)
            d, e = wp.cw_mul(d, scale), wp.cw_mul(e, scale)  # dL/dP
            g_rotation += wp.outer(q0, d) + wp.outer(q1, e)
            # dL/dQ, whose rows are fx/z (R0 - xc R2) and fy/z (R1 - yc R2); then x/z, y/z, 1/z
            d, e = a * d, a * e
            r = view_rotation(cameras, t)
            along = wp.dot(d, q0) + wp.dot(e, q1)
            fx, fy = cameras[t, 12], cameras[t, 13]
            gx, gy = -fx * (ka * sx + kb * sy), -fy * (kb * sx + kc * sy)
            if at[0] >= cameras[t, 16] and at[0] <= cameras[t, 17]:
                gx -= fx / at[2] * wp.dot(d, r[2])
            if at[1] >= cameras[t, 18] and at[1] <= cameras[t, 19]:
                gy -= fy / at[2] * wp.dot(e, r[2])
            gx, gy = gx / at[2], gy / at[2]
            gz = -along / at[2] - gx * at[0] - gy * at[1]
            g_mean += gx * r[0] + gy * r[1] + gz * r[2]
            g_opacity -= moments[row, 0] / opacities[i]
    g_means[i] = g_mean
    g_scales[i] = g_scale
    g_opacities[i] = g_opacity
    if drawn:  # a quaternion of no length never is
        g_quats[i] = quaternion_gradient(quats[i], g_rotation)
    else:
        g_quats[i] = wp.vec4()
