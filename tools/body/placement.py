"""Places face landmarks on a body mesh by detecting them on drawn views of several heads."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from svad.geometry.camera import Camera
from svad.geometry.rotation import axis_rotation
from svad.geometry.surface import closest_on_mesh, vertex_normals
from svad.geometry.zbuffer import draw

POINTS = 478  # mediapipe face mesh with irises
SURFACE, IRIS = slice(0, 468), slice(468, POINTS)
SIZE = 512  # pixels of a drawn view
VIEWS = tuple((yaw, pitch) for pitch in (-12, 0, 12) for yaw in (-36, -18, 0, 18, 36))  # degrees
DISTANCE = 1.2  # metres from the camera to the face
DEPTH_SLACK = 0.02  # metres; how well the detector's relative depth is believed
GRAZING = 0.3  # cosine to the viewer below which a hit is not trusted
SKIN, WHITE, BROWN = (222, 178, 150), (245, 245, 245), (60, 40, 30)


class Detector(Protocol):
    """Finds the face mesh; what mediapipe answers has no types."""

    def process(
        self,
        image: np.ndarray,  # [H, W, 3] uint8 RGB
    ) -> Any: ...


def place_face_mesh(
    template: np.ndarray,  # [V, 3]
    others: np.ndarray,  # [P, V, 3] more people, so that the detector's slips average out
    faces: np.ndarray,  # [F, 3]
    eyes: np.ndarray,  # ids of the eyeball vertices
    head: np.ndarray,  # ids of the head
) -> tuple[np.ndarray, np.ndarray]:  # triangles [478], barycentric weights [478, 3]
    """Detect the mediapipe face mesh on views of many heads and cast it back to the surface."""
    import mediapipe as mp  # 1 to 2 s and only the bake needs it here

    near_head = np.isin(faces, head).all(1)
    is_eye = np.isin(faces, eyes).all(1)
    sums, weights = [], []
    with mp.solutions.face_mesh.FaceMesh(  # pyright: ignore[reportAttributeAccessIssue]
        static_image_mode=True, refine_landmarks=True, max_num_faces=1, min_detection_confidence=0.3
    ) as detector:
        for vertices in (template, *others):
            center = vertices[eyes].mean(0)
            for yaw, pitch in VIEWS:
                found = _cast(detector, vertices, faces, eyes, _camera(center, yaw, pitch))
                if found is None:
                    continue
                triangle, bary, weight = found
                weight = np.where(near_head[triangle], weight, 0)
                weight[SURFACE][is_eye[triangle[SURFACE]]] = 0
                weight[IRIS][~is_eye[triangle[IRIS]]] = 0
                sums.append(np.einsum("nk,nkc->nc", bary, template[faces[triangle]]))
                weights.append(weight)
    if not sums:
        raise RuntimeError("the detector found no face on any drawn view of the body")
    places = _robust_mean(np.stack(sums), np.stack(weights))
    places = _symmetric(places)
    triangle = np.empty(POINTS, np.int64)
    bary = np.empty((POINTS, 3))
    for part, allowed in ((SURFACE, near_head & ~is_eye), (IRIS, near_head & is_eye)):
        ids = np.flatnonzero(allowed)
        chosen, bary[part] = closest_on_mesh(places[part], template, faces[ids])
        triangle[part] = ids[chosen]
    return triangle, bary


def _camera(center: np.ndarray, yaw: float, pitch: float) -> Camera:
    """A camera in front of the face, turned about its centre."""
    around, tilt = axis_rotation(1, np.radians(yaw)), axis_rotation(0, np.radians(pitch))
    rotation = np.diag([1.0, -1.0, -1.0]) @ tilt @ around
    shift = np.array([0, 0, DISTANCE]) - rotation @ (center - (0, 0, 0.06))
    focal = DISTANCE * SIZE / 0.36
    return Camera(rotation, shift, (focal, focal), (SIZE / 2, SIZE / 2), SIZE, SIZE)


def _cast(
    detector: Detector,
    vertices: np.ndarray,
    faces: np.ndarray,
    eyes: np.ndarray,
    camera: Camera,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Triangle [478], barycentrics [478, 3], trust [478] of what the detector saw in one view."""
    maps = draw(camera.project(vertices), faces, SIZE, SIZE)
    normals = vertex_normals(vertices, faces) @ camera.rotation.T * (1, -1, -1)  # z to the viewer
    normal = maps.values(faces, normals.astype(np.float32))
    color = maps.values(faces, _paint(vertices, eyes))
    light = 0.25 + 0.75 * np.clip(normal @ np.array([0.25, 0.45, 0.86]), 0, 1)
    image = np.where(maps.covered[..., None], color * light[..., None], 70).astype(np.uint8)
    result = detector.process(image).multi_face_landmarks
    if not result:
        return None
    at = np.array([(p.x, p.y, p.z) for p in result[0].landmark]) * SIZE
    column, row = np.clip(at[:, :2].astype(int), 0, SIZE - 1).T
    triangle = maps.near_face[row, column]
    facing = np.where(triangle >= 0, normal[row, column, 2], 0)
    weight = np.where(facing > GRAZING, facing**2, 0)
    # on the far side a point may be drawn over the nose or cheek: its own depth tells
    ahead = maps.near[row, column] - at[:, 2] * DISTANCE / camera.focal[0]
    ahead = ahead - np.median(ahead[weight > 0])
    weight = weight * np.exp(-((ahead / DEPTH_SLACK) ** 2))
    return np.maximum(triangle, 0), maps.near_bary[row, column], weight


def _paint(vertices: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """Skin with white eyeballs and brown irises: enough for the detector to lock on."""
    color = np.tile(np.array(SKIN, np.float32), (len(vertices), 1))
    left = vertices[eyes, 0] > vertices[:, 0].mean()
    for side in (left, ~left):
        ball = eyes[side]
        out = vertices[ball] - vertices[ball].mean(0)
        front = out[:, 2] / np.linalg.norm(out, axis=1)
        color[ball] = np.where(front[:, None] > 0.955, BROWN, WHITE)
    return color


def _robust_mean(
    places: np.ndarray,  # [D, N, 3] detections
    weights: np.ndarray,  # [D, N]
) -> np.ndarray:  # [N, 3]
    """Weighted geometric median (Weiszfeld's iteration)."""
    weights = weights + 1e-9
    mean = np.einsum("dn,dnc->nc", weights, places) / weights.sum(0)[:, None]
    for _ in range(30):
        distance = np.linalg.norm(places - mean, axis=2)
        pull = weights / np.maximum(distance, 2e-4)
        mean = np.einsum("dn,dnc->nc", pull, places) / pull.sum(0)[:, None]
    return mean


def _symmetric(
    places: np.ndarray,  # [N, 3]
) -> np.ndarray:
    """Average every point with its mirror partner (the face mesh is left-right symmetric)."""
    result = places.copy()
    for part in (SURFACE, IRIS):  # an iris lies on an eyelid otherwise
        mirrored = places[part] * (-1, 1, 1)
        cost = np.linalg.norm(places[part][:, None] - mirrored[None], axis=2) ** 2
        partner = linear_sum_assignment(cost + cost.T)[1]
        mutual = partner[partner] == np.arange(len(partner))
        better = (places[part] + mirrored[partner]) / 2
        result[part] = np.where(mutual[:, None], better, places[part])
    return result
