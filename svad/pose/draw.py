"""Draws figures as the stick pictures that condition the video model (MusePose's variant)."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import cast

import cv2
import numpy as np

from svad.pose.keypoints import ARMS, EARS, EYES, FINGERS, LEGS, SHOULDERS, Figure, OpenPose

LIMBS = (  # in the order of their colours
    *((OpenPose.NECK, shoulder) for shoulder in SHOULDERS),
    *(line for arm in ARMS for line in pairwise(arm)),
    *(line for leg in LEGS for line in pairwise((OpenPose.NECK, *leg))),
    (OpenPose.NECK, OpenPose.NOSE),
    *(line for ear in zip(EYES, EARS, strict=True) for line in pairwise((OpenPose.NOSE, *ear))),
)
COLORS = (
    *((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0)),
    *((0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255)),
    *((0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)),
)
HAND_COLORS = tuple(
    tuple(255 * c for c in colorsys.hsv_to_rgb(e / len(FINGERS), 1.0, 1.0))
    for e in range(len(FINGERS))
)
HAND_DOT, FACE_DOT = (0, 0, 255), (255, 255, 255)
DIM = 0.6  # what stays of the limbs' brightness under the joints
CANVAS_WIDTH, FRAME_HEIGHT = 1024, 768  # px


def stick_width(length: float) -> int:
    """Line width for a limb of that many pixels: 1 below 5, one more at each doubling, up to 8."""
    return 1 + sum(length >= 5 * 2**step for step in range(7))


def draw_figure(
    figure: Figure,
    size: tuple[int, int],  # height, width
    *,
    face: bool = False,
) -> np.ndarray:  # [H, W, 3] uint8, red first
    """A figure on black: limbs, joints, hands and (if asked for) face dots."""
    canvas = np.zeros((*size, 3), np.uint8)
    scale = np.array([size[1], size[0]], np.float64)
    _limbs(canvas, figure.body * scale, figure.body_seen)
    canvas = (DIM * canvas).astype(np.uint8)
    for i in np.flatnonzero(figure.body_seen):
        _dot(canvas, _whole(figure.body[i] * scale), 4, COLORS[i])
    for hand, seen in zip(figure.hands, figure.hands_seen, strict=True):
        _hand(canvas, [_whole(p) for p in hand * scale], seen)
    if face:
        for i in np.flatnonzero(figure.face_seen):
            _inside_dot(canvas, _whole(figure.face[i] * scale), FACE_DOT)
    return canvas


def frame_sizes(
    clip_size: tuple[int, int],  # height, width of the driving pictures
    reference_size: tuple[int, int],  # height, width of the person's photo
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(canvas height, width) that is drawn on, (frame height, width) it is stretched to."""
    canvas = int(clip_size[0] * CANVAS_WIDTH / clip_size[1]), CANVAS_WIDTH
    # the published order of operations: another one can round to another even width
    width = 2 * int(FRAME_HEIGHT / reference_size[0] * reference_size[1] / 2)
    return canvas, (FRAME_HEIGHT, width)


def pose_frames(
    figures: Iterable[Figure],  # normalised to the reference picture
    clip_size: tuple[int, int],  # height, width
    reference_size: tuple[int, int],  # height, width
    *,
    face: bool = False,
) -> Iterator[np.ndarray]:  # [768, W1, 3] uint8 each
    """The pictures the video model is driven by, one at a time.

    They are drawn in the clip's aspect, stretched to the reference's, and blue comes first in what
    is passed on as red first: the model was trained on such pictures.
    """
    canvas, (height, width) = frame_sizes(clip_size, reference_size)
    for figure in figures:
        picture = draw_figure(figure, canvas, face=face)[..., ::-1]
        yield cv2.resize(np.ascontiguousarray(picture), (width, height))


def _limbs(
    canvas: np.ndarray,
    points: np.ndarray,  # [18, 2] px
    seen: np.ndarray,  # [18] bool
) -> None:
    for (a, b), color in zip(LIMBS, COLORS, strict=False):
        if not (seen[a] and seen[b]):
            continue
        dx, dy = points[a] - points[b]
        length = math.hypot(dx, dy)
        angle = int(math.degrees(math.atan2(dy, dx)))
        axes = (int(length / 2), stick_width(length))
        middle = _whole((points[a] + points[b]) / 2)
        outline = cast("np.ndarray", cv2.ellipse2Poly(middle, axes, angle, 0, 360, 1))
        cv2.fillConvexPoly(canvas, outline, color)


def _hand(
    canvas: np.ndarray,
    points: list[tuple[int, int]],  # 21, px
    seen: np.ndarray,  # [21] bool
) -> None:
    for (a, b), color in zip(FINGERS, HAND_COLORS, strict=True):
        if seen[a] and seen[b] and min(*points[a], *points[b]) > 0:
            width = stick_width(math.dist(points[a], points[b]))
            cv2.line(canvas, points[a], points[b], color, width)
    for i in np.flatnonzero(seen):
        _inside_dot(canvas, points[i], HAND_DOT)


def _inside_dot(canvas: np.ndarray, center: tuple[int, int], color: tuple[int, int, int]) -> None:
    if min(center) > 0:
        _dot(canvas, center, 3, color)


def _dot(
    canvas: np.ndarray, center: tuple[int, int], radius: int, color: tuple[int, int, int]
) -> None:
    cv2.circle(canvas, center, radius, color, thickness=-1)


def _whole(point: np.ndarray) -> tuple[int, int]:
    """A pixel position, truncated toward zero."""
    return int(point[0]), int(point[1])
