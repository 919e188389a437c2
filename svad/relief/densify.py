"""Densification: points between grid neighbours far apart in depth, on the head's steep sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svad.geometry.camera import Camera
from svad.relief.points import (
    BACK,
    FRONT,
    OPAQUE,
    RIM,
    SIGMA,
    UNSEEN,
    Points,
    Sheet,
    grid_positions,
    quaternions,
)

STEEP = 1.6  # grid steps between neighbours above which points are put between them
MOST_BETWEEN = 28


def densifying_points(sheet: Sheet, camera: Camera, coarse: float = 1.0) -> list[Points]:
    """Points between neighbours that lie far apart in depth, so that no splat need be stretched.

    `coarse` times as far apart as on a head, and only between neighbours so much farther apart.
    """
    parts = []
    for side in (FRONT, BACK):
        for axis in (1, 0):
            found = _between(sheet, camera, side, axis, coarse)
            if found is not None:
                parts.append(found)
    return parts


def _between(sheet: Sheet, camera: Camera, side: int, axis: int, coarse: float) -> Points | None:
    """Between neighbours along one axis (0 = down, 1 = across) of the front or the back."""
    front = side == FRONT
    depth, rgb, weights = (
        (sheet.near, sheet.near_rgb, sheet.near_weights)
        if front
        else (sheet.far, sheet.far_rgb, sheet.far_weights)
    )
    xyz = grid_positions(sheet, depth, camera)
    first, second = [slice(None), slice(None)], [slice(None), slice(None)]
    first[axis], second[axis] = slice(None, -1), slice(1, None)
    a, b = tuple(first), tuple(second)
    length = np.linalg.norm(xyz[b] - xyz[a], axis=-1)
    step = (sheet.near / camera.focal[1] / sheet.density)[a]
    steep = sheet.mask[a] & sheet.mask[b] & (length > STEEP * coarse * step)
    apart = length[steep] / (1.4 * coarse * step[steep])
    count = np.clip(np.ceil(apart) - 1, 0, MOST_BETWEEN).astype(int)
    if not count.sum():
        return None
    index = np.repeat(np.arange(len(count)), count)
    order = np.arange(len(index)) - (np.cumsum(count) - count)[index]
    t = ((order + 1) / (count[index] + 1)).astype(np.float32)[:, None]
    row, column = (x[index] for x in np.nonzero(steep))
    p, q = xyz[a][row, column], xyz[b][row, column]
    s, spacing = step[row, column], length[row, column] / (count[index] + 1)
    direction = (q - p) / np.maximum(np.linalg.norm(q - p, axis=1, keepdims=True), 1e-9)
    across = np.eye(3, dtype=np.float32)[axis]
    tangent = across - direction * (direction @ across)[:, None]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    frame = np.stack([direction, tangent, np.cross(direction, tangent)], -1)
    scales = np.stack([0.5 * spacing, UNSEEN * SIGMA * s, 0.3 * SIGMA * s], 1)
    mix = lambda x: x[a][row, column] * (1 - t) + x[b][row, column] * t  # noqa: E731
    grid = np.stack([column, row], 1) + 0.5 + t * ((1, 0) if axis == 1 else (0, 1))
    n = len(index)
    return Points(
        mix(xyz).astype(np.float32), scales.astype(np.float32), quaternions(frame), mix(rgb),
        np.full(n, OPAQUE, np.float32), mix(weights),
        (grid / sheet.density + np.asarray(sheet.origin)).astype(np.float32),
        np.full(n, side, np.uint8), np.full(n, sheet.layer, np.uint8),
        (sheet.own[a] & sheet.own[b])[row, column] & front,
    )  # fmt: skip


def unstretched(points: Points, sheet: Sheet, camera: Camera) -> Points:
    """A sheet's points without stretched splats, for those that have neighbours in between."""
    step = float(np.median(sheet.near[sheet.mask])) / camera.focal[1] / sheet.density
    flat = points.side != RIM
    scales = points.scales.copy()
    scales[flat, :2] = np.minimum(scales[flat, :2], 1.25 * SIGMA * UNSEEN * step)
    return replace(points, scales=scales)
