"""Turns closed layers into oriented Gaussians and a triangle mesh, still in the photo's pose."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch

from svad.geometry.camera import Camera
from svad.geometry.rotation import matrix_to_quaternion
from svad.media.fields import masked_blur

FRONT, BACK, RIM, FILL = 0, 1, 2, 3
SIGMA = 0.46  # standard deviation of a Gaussian, in steps of its grid
UNSEEN = 1.3  # larger where the photo cannot be matched anyway: no pinholes from close by
# Drawing ends before the splat that leaves less than 1e-4 of the light: behind nine tenths, one of
# opacity 1 would never be drawn, and a tenth of the background shine through.
OPAQUE = 0.98
LONGEST = 6.0  # steps; slopes steeper than this are left to the rim


@dataclass(frozen=True)
class Sheet:
    """A layer sampled on a pixel grid."""

    layer: int
    origin: tuple[float, float]  # working px of the grid's corner
    density: int  # grid steps per working pixel
    mask: np.ndarray  # [h, w] bool
    alpha: np.ndarray  # [h, w] float32, the matte
    near: np.ndarray  # [h, w] metres
    far: np.ndarray  # [h, w] metres
    near_rgb: np.ndarray  # [h, w, 3] float32
    far_rgb: np.ndarray  # [h, w, 3] float32
    near_weights: np.ndarray  # [h, w, 22]
    far_weights: np.ndarray  # [h, w, 22]
    own: np.ndarray  # [h, w] bool, what the photo shows
    lap: np.ndarray | None = None  # [h, w] bool, its edge over other layers, without back; no edge

    @property
    def backed(self) -> np.ndarray:  # [h, w] bool
        """The pixels that have a back, too."""
        return self.mask if self.lap is None else self.mask & ~self.lap


@dataclass(frozen=True)
class Points:
    """Oriented Gaussians in the photo's pose, world coordinates."""

    xyz: np.ndarray  # [P, 3] metres
    scales: np.ndarray  # [P, 3] metres
    quats: np.ndarray  # [P, 4] real first
    rgb: np.ndarray  # [P, 3] 0..1
    opacity: np.ndarray  # [P]
    weights: np.ndarray  # [P, 22]
    pixel: np.ndarray  # [P, 2] working px
    side: np.ndarray  # [P] FRONT, BACK, RIM or FILL
    layer: np.ndarray  # [P]
    seen: np.ndarray  # [P] bool, the photo shows this very point

    def __len__(self) -> int:
        return len(self.xyz)

    def select(
        self,
        index: np.ndarray,  # [P] bool or [K] positions
    ) -> Points:  # K points
        """The points of a mask or at positions."""
        return Points(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def joined(parts: list[Points]) -> Points:
    """All points of all parts, in order."""
    return Points(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Points)}
    )


def grid_positions(sheet: Sheet, depth: np.ndarray, camera: Camera) -> np.ndarray:  # [h, w, 3]
    """World positions of a depth map over the sheet's grid."""
    pixels = np.concatenate([sheet_pixels(sheet), depth[..., None]], -1)
    return camera.unproject(pixels)


def sheet_pixels(sheet: Sheet) -> np.ndarray:  # [h, w, 2] working px
    """Pixel centres of the sheet's grid in working pixels."""
    h, w = sheet.mask.shape
    x = (np.arange(w, dtype=np.float32) + 0.5) / sheet.density + sheet.origin[0]
    y = (np.arange(h, dtype=np.float32) + 0.5) / sheet.density + sheet.origin[1]
    return np.stack(np.meshgrid(x, y), -1)


def sheet_points(sheet: Sheet, camera: Camera) -> Points:
    """Front and back points of a sheet, one pair per pixel, and columns that close the rim.

    Over other layers the back ends before the front: wider than the photo's pixels, it would look
    out beside it and take the colours of what it lies on.
    """
    near, far = grid_positions(sheet, sheet.near, camera), grid_positions(sheet, sheet.far, camera)
    steps, pixels = sheet.near / camera.focal[1] / sheet.density, sheet_pixels(sheet)
    parts = []
    for side, mask, xyz, rgb, weights in (
        (FRONT, sheet.mask, near, sheet.near_rgb, sheet.near_weights),
        (BACK, sheet.backed, far, sheet.far_rgb, sheet.far_weights),
    ):
        step, pixel = steps[mask], pixels[mask]  # metres per grid step
        scales, quats = oriented(*tangents(xyz, mask), step)
        scales = scales * np.where(sheet.own[mask] & (side == FRONT), 1.0, UNSEEN)[:, None]
        n = int(mask.sum())
        parts.append(
            Points(
                xyz[mask], scales.astype(np.float32), quats, rgb[mask],
                np.full(n, OPAQUE, np.float32), weights[mask], pixel,
                np.full(n, side, np.uint8), np.full(n, sheet.layer, np.uint8),
                sheet.own[mask] & (side == FRONT),
            )
        )  # fmt: skip
    parts.append(_rim(sheet, camera, near, far))
    return joined(parts)


def tangents(
    xyz: np.ndarray,  # [h, w, 3] metres
    mask: np.ndarray,  # [h, w] bool, P pixels
) -> tuple[np.ndarray, np.ndarray]:  # [P, 3] metres, along x and along y
    """Steps along x and y at every pixel of the mask, one-sided at its edge."""
    out = []
    for axis in (1, 0):
        forward = np.roll(xyz, -1, axis) - xyz
        ok_f = mask & np.roll(mask, -1, axis)
        edge: list[slice | int] = [slice(None), slice(None)]
        edge[axis] = -1
        ok_f[tuple(edge)] = False
        backward, ok_b = np.roll(forward, 1, axis), np.roll(ok_f, 1, axis)
        total = forward * ok_f[..., None] + backward * ok_b[..., None]
        out.append((total / np.maximum(ok_f.astype(np.float32) + ok_b, 1)[..., None])[mask])
    return out[0], out[1]


def oriented(
    tx: np.ndarray,  # [P, 3]
    ty: np.ndarray,  # [P, 3]
    step: np.ndarray,  # [P] metres
) -> tuple[np.ndarray, np.ndarray]:  # scales [P, 3], quats [P, 4]
    """Flat Gaussians that cover the parallelogram of two surface steps.

    The covariance in the surface is SIGMA^2 (tx tx' + ty ty'); seen from the photo's camera its
    footprint is round and one grid step wide, however steep the surface.
    """
    s = step[:, None]
    tx = _at_least(tx, s, (1, 0, 0))
    ty = _at_least(ty, s, (0, -1, 0))
    a = (tx * tx).sum(1) + 1e-12
    b = (tx * ty).sum(1)
    c = (ty * ty).sum(1) + 1e-12
    half, root = (a + c) / 2, np.sqrt(np.maximum(((a - c) / 2) ** 2 + b * b, 0))
    big = half + root
    small = np.maximum(half - root, 1e-12)
    angle = 0.5 * np.arctan2(2 * b, a - c)
    u = np.cos(angle)[:, None] * tx + np.sin(angle)[:, None] * ty
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-9)
    n = np.cross(tx, ty)
    n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-12)
    v = np.cross(n, u)
    limit = LONGEST * step
    scales = np.stack(
        [
            SIGMA * np.minimum(np.sqrt(big), limit),
            SIGMA * np.clip(np.sqrt(small), 0.6 * step, limit),
            0.2 * SIGMA * step,
        ],
        1,
    ).astype(np.float32)
    return scales, quaternions(np.stack([u, v, n], -1))


def _at_least(t: np.ndarray, step: np.ndarray, fallback: tuple[float, float, float]) -> np.ndarray:
    """A step of no length (a lone pixel) becomes one grid step sideways."""
    bad = np.linalg.norm(t, axis=1, keepdims=True) < 0.3 * step
    return np.where(bad, np.asarray(fallback, np.float32) * step, t)


def quaternions(matrix: np.ndarray) -> np.ndarray:  # [P, 3, 3] -> [P, 4]
    """Rotation matrices to unit quaternions, real part first."""
    return matrix_to_quaternion(torch.from_numpy(matrix), positive=False).float().numpy()


def _eroded(mask: np.ndarray) -> np.ndarray:
    """Pixels whose four neighbours are in the mask; the border of the picture is no edge."""
    padded = np.pad(mask, 1, mode="edge")
    return mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]


def _rim(sheet: Sheet, camera: Camera, near: np.ndarray, far: np.ndarray) -> Points:
    """Columns of points between front and back, one pixel inside the outline.

    They close the layer for views from the side; at the outline itself a stack of splats would
    make the edge of the front view hard and wide.
    """
    mask = _eroded(sheet.backed)
    rim = mask & ~_eroded(mask)
    step = sheet.near[rim] / camera.focal[1] / sheet.density
    gap = sheet.far[rim] - sheet.near[rim]
    count = np.clip(np.ceil(gap / (2.0 * step)).astype(int) - 1, 0, 40)
    index = np.repeat(np.arange(len(step)), count)
    start = np.cumsum(count) - count
    order = np.arange(len(index)) - start[index]
    t = ((order + 1) / (count[index] + 1)).astype(np.float32)[:, None]
    a, b = near[rim][index], far[rim][index]
    across = b - a
    spacing = np.linalg.norm(across, axis=1) / (count[index] + 1)
    direction = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    side = np.cross(direction, np.array([0, 1, 0], np.float32))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    frame = np.stack([direction, side, np.cross(direction, side)], -1)
    s = step[index]
    scales = np.stack([0.55 * np.maximum(spacing, s), UNSEEN * SIGMA * s, SIGMA * s], 1)
    front, back = (masked_blur(c, sheet.mask, 3.0) for c in (sheet.near_rgb, sheet.far_rgb))
    rgb = front[rim][index] * (1 - t) + back[rim][index] * t
    weights = sheet.near_weights[rim][index] * (1 - t) + sheet.far_weights[rim][index] * t
    n = len(index)
    return Points(
        (a * (1 - t) + b * t).astype(np.float32), scales.astype(np.float32), quaternions(frame),
        rgb, np.full(n, OPAQUE, np.float32), weights, sheet_pixels(sheet)[rim][index],
        np.full(n, RIM, np.uint8), np.full(n, sheet.layer, np.uint8), np.zeros(n, bool),
    )  # fmt: skip
