"""A face of the examples as fusion meets it: sharp, as a rendered head, and blurred in a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from svad.face.landmarks import MESH_OF_IBUG
from svad.geometry.similarity import for_opencv, invert, move
from svad.identity import align
from svad.subject.landmarker import shared_landmarker

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = 512  # px, side of the head's picture


@dataclass(frozen=True)
class Scene:
    """What fusion gets, and what it should come to."""

    sharp: np.ndarray  # [H, W, 3] uint8
    frame: np.ndarray  # [H, W, 3] uint8, blurred
    points: np.ndarray  # [68, 2] landmarks of the frame
    head: np.ndarray  # [512, 512, 3] uint8 over black: the sharp face, moved and recoloured
    coverage: np.ndarray  # [512, 512] float32
    head_points: np.ndarray  # [68, 2]
    truth: np.ndarray  # [2, 3] head to frame

    @property
    def size(self) -> float:
        return align.face_size(self.points)


@cache
def sharp_face(name: str) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3] uint8, [68, 2]
    """The upper part of an example's photo, and the landmarks found in it."""
    with Image.open(EXAMPLES / name / "photo.jpg") as image:
        rgb = np.asarray(image.convert("RGB"))
    mesh = shared_landmarker().face(rgb[: len(rgb) // 3])
    assert mesh is not None
    points = mesh[list(MESH_OF_IBUG), :2].astype(np.float64)
    low = np.floor(points.mean(0) - 1.8 * align.face_size(points)).astype(int).clip(0)
    high = np.ceil(points.mean(0) + 1.8 * align.face_size(points)).astype(int)
    return rgb[low[1] : high[1], low[0] : high[0]].copy(), points - low


def scene(
    name: str,
    *,
    angle: float = 8.0,  # degrees
    gain: tuple[float, float, float] = (0.95, 0.85, 0.75),
    offset: tuple[float, float, float] = (6.0, 0.0, 12.0),
    blur: float = 0.03,  # of the face's size
) -> Scene:
    """The photo's own face under a known similarity and colour shift, and blurred in place."""
    sharp, points = sharp_face(name)
    size, turn = align.face_size(points), np.radians(angle)
    scale = 270 / size
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array([HEAD / 2, HEAD / 2 + 30])
    matrix = np.column_stack([linear, middle - linear @ points.mean(0)])
    shift = for_opencv(matrix)
    head = cv2.warpAffine(sharp, shift, (HEAD, HEAD), flags=cv2.INTER_CUBIC).astype(float)
    whole = np.ones(sharp.shape[:2], np.float32)
    coverage = cv2.warpAffine(whole, shift, (HEAD, HEAD))
    head = (head * gain + offset) * coverage[..., None]
    return Scene(
        sharp=sharp,
        frame=cv2.GaussianBlur(sharp, (0, 0), blur * size),
        points=points,
        head=np.clip(head + 0.5, 0, 255).astype(np.uint8),
        coverage=coverage,
        head_points=move(points, matrix),
        truth=invert(matrix),
    )


def psnr(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Decibels, where the mask is."""
    error = (first.astype(float) - second.astype(float))[mask > 0]
    return float(10 * np.log10(255**2 / (error**2).mean()))
