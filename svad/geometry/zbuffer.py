"""Z-buffer on the CPU: the nearest and the farthest surface of a mesh in each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.compute.compiled import cached


@dataclass(frozen=True)
class DepthMaps:
    """Near and far surface per pixel; `near` is inf and faces are -1 where nothing is drawn."""

    near: np.ndarray  # [H, W] float32, camera depth, metres
    far: np.ndarray  # [H, W] float32, -inf where nothing is drawn
    near_face: np.ndarray  # [H, W] int32
    far_face: np.ndarray  # [H, W] int32
    near_bary: np.ndarray  # [H, W, 3] float32
    far_bary: np.ndarray  # [H, W, 3] float32

    @property
    def covered(self) -> np.ndarray:
        """[H, W] bool: something is drawn here."""
        return self.near_face >= 0

    def crop(self, box: tuple[slice, slice]) -> DepthMaps:
        """The maps inside a box of rows and columns."""
        return DepthMaps(
            self.near[box],
            self.far[box],
            self.near_face[box],
            self.far_face[box],
            self.near_bary[box],
            self.far_bary[box],
        )

    def values(
        self,
        faces: np.ndarray,  # [F, 3]
        values: np.ndarray,  # [V, C]
        *,
        far: bool = False,
    ) -> np.ndarray:  # [H, W, C], 0 where nothing is drawn
        """Vertex values interpolated over the near (or far) surface."""
        face, bary = (self.far_face, self.far_bary) if far else (self.near_face, self.near_bary)
        hit = face >= 0
        out = np.zeros((*face.shape, values.shape[1]), np.float32)
        corners = values[faces[face[hit]]]  # [P, 3, C]
        out[hit] = np.einsum("pk,pkc->pc", bary[hit], corners)
        return out


def draw(
    points: np.ndarray,  # [V, 3] x px, y px, depth (svad.geometry.camera.Camera.project)
    faces: np.ndarray,  # [F, 3]
    height: int,
    width: int,
) -> DepthMaps:
    """Draws the faces; values vary linearly in the picture, exact enough for small faces."""
    near = np.full((height, width), np.inf, np.float32)
    far = np.full((height, width), -np.inf, np.float32)
    near_face = np.full((height, width), -1, np.int32)
    far_face = np.full((height, width), -1, np.int32)
    near_bary = np.zeros((height, width, 3), np.float32)
    far_bary = np.zeros((height, width, 3), np.float32)
    _draw(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(faces, np.int32),
        near,
        far,
        near_face,
        far_face,
        near_bary,
        far_bary,
    )
    return DepthMaps(near, far, near_face, far_face, near_bary, far_bary)


@cached(nogil=True, error_model="numpy")
def corners_of(points, faces, f):
    """The nine coordinates of a triangle, corner by corner."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    return (
        *(points[a, 0], points[a, 1], points[a, 2]),
        *(points[b, 0], points[b, 1], points[b, 2]),
        *(points[c, 0], points[c, 1], points[c, 2]),
    )


@cached(nogil=True, error_model="numpy")
def pixel_span(a, b, c, size):
    """First and last of `size` pixels whose centre lies between three coordinates."""
    low = min(max(np.ceil(min(a, b, c) - 0.5), 0), size)
    high = max(min(np.floor(max(a, b, c) - 0.5), size - 1), -1)
    return int(low), int(high)


@cached(nogil=True, error_model="numpy")
def _draw(points, faces, near, far, near_face, far_face, near_bary, far_bary):
    height, width = near.shape
    for f in range(faces.shape[0]):
        ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(points, faces, f)
        if not (az > 0.01 and bz > 0.01 and cz > 0.01):
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        x0, x1 = pixel_span(ax, bx, cx, width)
        y0, y1 = pixel_span(ay, by, cy, height)
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) * inverse
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) * inverse
                w = 1.0 - u - v
                if u < 0 or v < 0 or w < 0:
                    continue
                z = u * az + v * bz + w * cz
                if z < near[y, x]:
                    near[y, x] = z
                    near_face[y, x] = f
                    near_bary[y, x, 0], near_bary[y, x, 1], near_bary[y, x, 2] = u, v, w
                if z > far[y, x]:
                    far[y, x] = z
                    far_face[y, x] = f
                    far_bary[y, x, 0], far_bary[y, x, 1], far_bary[y, x, 2] = u, v, w
