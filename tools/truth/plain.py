"""Plain pictures of a moving person: colours of the surface over white, and the exact matte."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import cached
from svad.geometry.camera import Camera
from svad.types import Pose
from tools.examples.raster import nearest_triangles
from tools.truth.person import MovingPerson
from tools.truth.posed import projected

SAMPLES = 2  # per pixel and axis


def frame(
    person: MovingPerson,
    pose: Pose,  # a single frame
    camera: Camera,
    samples: int = SAMPLES,  # per pixel and axis
) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3] uint8 over white, [H, W] uint8
    """One picture; the matte is the covered share of a pixel."""
    fine = camera.resized(samples)
    eye = -camera.rotation.T @ camera.translation
    seen = projected(fine, person.vertices(pose, eye))
    face, u, v = nearest_triangles(seen, person.faces, fine.height, fine.width)
    image = np.empty((camera.height, camera.width, 3), np.uint8)
    matte = np.empty((camera.height, camera.width), np.uint8)
    _gather(face, u, v, person.faces, person.colours, samples, image, matte)
    return image, matte


@cached(nogil=True, error_model="numpy")
def _gather(face, u, v, faces, colours, samples, image, matte):
    """Means of the samples of each pixel, where nothing is hit over white."""
    count = samples * samples
    for y in range(matte.shape[0]):
        for x in range(matte.shape[1]):
            hits, red, green, blue = 0, 0.0, 0.0, 0.0
            for j in range(y * samples, (y + 1) * samples):
                for i in range(x * samples, (x + 1) * samples):
                    f = face[j, i]
                    if f < 0:
                        continue
                    hits += 1
                    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                    wb, wc = u[j, i], v[j, i]
                    wa = 1.0 - wb - wc
                    red += wa * colours[a, 0] + wb * colours[b, 0] + wc * colours[c, 0]
                    green += wa * colours[a, 1] + wb * colours[b, 1] + wc * colours[c, 1]
                    blue += wa * colours[a, 2] + wb * colours[b, 2] + wc * colours[c, 2]
            rest = float(count - hits)
            image[y, x, 0] = np.uint8(255.0 * (red + rest) / count + 0.5)
            image[y, x, 1] = np.uint8(255.0 * (green + rest) / count + 0.5)
            image[y, x, 2] = np.uint8(255.0 * (blue + rest) / count + 0.5)
            matte[y, x] = np.uint8(255.0 * hits / count + 0.5)
