"""Pictures for the person: what was found, and the fitted body, drawn over the photo."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.body.coco import Keypoint
from svad.face.landmarks import MESH_OF_IBUG
from svad.geometry.camera import Camera
from svad.geometry.surface import face_normals
from svad.geometry.zbuffer import draw
from svad.pose.keypoints import FINGERS
from svad.subject.keypoints import BONES

_LEFT, _RIGHT, _MIDDLE = (255, 150, 60), (70, 190, 255), (250, 250, 250)
_DOTS = (*tuple(Keypoint)[coco.LIMBS], *coco.BIG_TOES, *coco.HEELS)
_TINT = np.array((24, 28, 40), np.float32)


def overlay(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
    keypoints: np.ndarray,  # [133, 3] x px, y px, score
    face: np.ndarray | None,  # [478, 3]
) -> np.ndarray:  # [H, W, 3] uint8
    """The person in full colour on a dimmed background, with outline and skeleton."""
    alpha = matte[..., None].astype(np.float32) / 255
    dimmed = 0.35 * rgb.mean(2, keepdims=True) + _TINT
    image = (rgb * alpha + dimmed * (1 - alpha)).astype(np.uint8)
    height = image.shape[0]
    line = max(1, round(height / 320))
    rings, _ = cv2.findContours(
        (matte > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(image, rings, -1, (255, 255, 255), max(1, line // 2), cv2.LINE_AA)
    marks = image.copy()
    for a, b in BONES:
        _bone(marks, keypoints[a], keypoints[b], _side(a, b), line + 1)
    for part, color in ((coco.LEFT_HAND, _LEFT), (coco.RIGHT_HAND, _RIGHT)):
        hand = keypoints[part]
        for a, b in FINGERS:
            _bone(marks, hand[a], hand[b], color, max(1, line // 2))
    for i in _DOTS:
        if keypoints[i, 2] > 0.3:
            center = tuple(int(v) for v in keypoints[i, :2])
            cv2.circle(marks, center, line + 1, _MIDDLE, -1, cv2.LINE_AA)
    if face is not None:
        for x, y in face[list(MESH_OF_IBUG), :2]:
            cv2.circle(marks, (int(x), int(y)), max(1, line // 2), _MIDDLE, -1, cv2.LINE_AA)
    return cv2.addWeighted(marks, 0.8, image, 0.2, 0)


def body_over_photo(
    rgb: np.ndarray,  # [H, W, 3] uint8
    vertices: np.ndarray,  # [V, 3] posed, world
    faces: np.ndarray,  # [F, 3]
    camera: Camera,
) -> np.ndarray:  # [H, W, 3] uint8
    """The fitted body, shaded and half transparent, over the photo."""
    maps = draw(camera.project(vertices), faces, camera.height, camera.width)
    normals = face_normals(vertices, faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    shade = 0.25 + 0.75 * np.clip(normals @ np.array([0.3, 0.45, 0.84]), 0, 1)
    hit = maps.covered
    image = 0.45 * rgb.astype(np.float32) + 120
    color = shade[maps.near_face[hit], None] * np.array([120, 190, 255], np.float32)
    image[hit] = 0.7 * color + 0.3 * rgb[hit]
    return np.clip(image, 0, 255).astype(np.uint8)


def _side(a: Keypoint, b: Keypoint) -> tuple[int, int, int]:
    first, second = (point.name.startswith("LEFT") for point in (a, b))
    if first != second:
        return _MIDDLE
    return _LEFT if first else _RIGHT


def _bone(
    image: np.ndarray,  # [H, W, 3] uint8, drawn into
    a: np.ndarray,  # [3] x px, y px, score; as b
    b: np.ndarray,
    color: tuple[int, int, int],
    width: int,  # px
) -> None:
    if min(a[2], b[2]) > 0.3:
        first, second = ((int(p[0]), int(p[1])) for p in (a, b))
        cv2.line(image, first, second, color, width, cv2.LINE_AA)
