"""What was found of a person, drawn over the picture: matte, outline, skeleton."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.body.coco import Keypoint
from svad.face.landmarks import MESH_OF_IBUG
from svad.pose.keypoints import FINGERS

_BONES = (
    *(coco.SHOULDERS, *coco.ARM_LINES),
    *(*zip(coco.SHOULDERS, coco.HIPS, strict=True), coco.HIPS, *coco.LEG_LINES),
    *((leg[-1], end) for side, leg in coco.LEGS.items() for end in coco.FEET[side][::2]),
)  # lines of the drawn skeleton; a foot's go from the ankle to big toe and heel
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
    for a, b in _BONES:
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
