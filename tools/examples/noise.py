"""Smooth random fields in space, for skin, cloth and folds."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import cached
from svad.geometry import sampling


@cached(nogil=True, error_model="numpy")
def _hash(x, y, z, seed):
    h = np.uint32(x) * np.uint32(374761393) + np.uint32(y) * np.uint32(668265263)
    h += np.uint32(z) * np.uint32(2147483647 - 64) + np.uint32(seed) * np.uint32(1274126177)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    return ((h ^ (h >> np.uint32(16))) & np.uint32(0xFFFFFF)) / 8388607.5 - 1.0


@cached(nogil=True, error_model="numpy")
def _fill(points, seed, out):
    for p in range(points.shape[0]):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        ix, iy, iz = np.floor(x), np.floor(y), np.floor(z)
        fx, fy, fz = x - ix, y - iy, z - iz
        sx, sy, sz = (
            fx * fx * (3 - 2 * fx),
            fy * fy * (3 - 2 * fy),
            fz * fz * (3 - 2 * fz),
        )
        total = 0.0
        for i in range(2):
            wx = sx if i else 1 - sx
            for j in range(2):
                wy = sy if j else 1 - sy
                for k in range(2):
                    wz = sz if k else 1 - sz
                    total += (
                        wx
                        * wy
                        * wz
                        * _hash(np.int64(ix) + i, np.int64(iy) + j, np.int64(iz) + k, seed)
                    )
        out[p] = total


def noise(
    points: np.ndarray,  # [P, 3]
    size: float | tuple[float, float, float],  # metres, distance between independent values
    seed: int = 0,
) -> np.ndarray:  # [P] in -1..1
    """Value noise."""
    out = np.empty(len(points), np.float32)
    scaled = np.ascontiguousarray(points / np.asarray(size, np.float64) + 1000.0, np.float64)
    _fill(scaled, seed, out)
    return out


def cloud(
    points: np.ndarray,  # [P, 3]
    size: float | tuple[float, float, float],  # metres, of the coarsest layer
    octaves: int = 3,
    seed: int = 0,
) -> np.ndarray:  # [P] about -1..1
    """Sum of noise at halving sizes."""
    out = np.zeros(len(points), np.float32)
    for octave in range(octaves):
        out += noise(points, np.asarray(size) / 2**octave, seed + octave) * 0.5**octave
    return out / (2 - 0.5 ** (octaves - 1))


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between; `low` may be above `high`."""
    return sampling.smoothstep((np.asarray(x) - low) / (high - low))
