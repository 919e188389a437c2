"""The head at the highest density there is: the photo's close-up set into the photo around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.body.coco import FACE, VISIBLE
from svad.identity.geometry import head_crop_box
from svad.identity.headbox import head_box
from svad.types import Subject

ROOM = 0.1  # of the crop's side, kept around it for what tracking rounds


@dataclass(frozen=True)
class Source:
    """A part of the photo, as `track.track` takes it."""

    rgb: np.ndarray  # [h, w, 3] uint8
    matte: np.ndarray  # [h, w] uint8
    points: np.ndarray | None  # [68, 2] px of `rgb`; None = no face was found
    origin: tuple[int, int]  # x, y of its corner in the photo's working pixels
    density: int  # pixels per working pixel


def head_source(subject: Subject) -> Source:
    """The surroundings of the head; the whole photo where there is no close-up or no face."""
    rgb, matte, close = subject.photo.rgb, subject.matte, subject.head
    points = face_points(subject)
    if points is None or close is None:
        return Source(rgb, matte, points, (0, 0), 1)
    height, width = matte.shape
    x0, y0, x1, y1 = head_crop_box(head_box(points))
    room = int(ROOM * (x1 - x0)) + 1
    left, top = min(max(x0 - room, 0), width - 1), min(max(y0 - room, 0), height - 1)
    right, bottom = max(min(x1 + room, width), left + 1), max(min(y1 + room, height), top + 1)
    part = np.s_[top:bottom, left:right]
    scale = close.density
    size = ((right - left) * scale, (bottom - top) * scale)
    large = [cv2.resize(x[part], size, interpolation=cv2.INTER_LINEAR) for x in (rgb, matte)]
    for picture, fine in zip(large, (close.rgb, close.matte), strict=True):
        _paste(picture, fine, (np.array(close.box[:2]) - (left, top)) * scale)
    return Source(*large, (points - (left, top)) * scale, (left, top), scale)


def face_points(subject: Subject) -> np.ndarray | None:  # [68, 2] working px
    """The 68 points of the face, or None if they were not seen."""
    points = subject.keypoints[FACE]
    if np.median(points[:, 2]) < VISIBLE:
        return None
    return points[:, :2].astype(np.float64)


def _paste(picture: np.ndarray, part: np.ndarray, corner: np.ndarray) -> None:
    """Puts a part into a picture, as far as it lies inside; `corner` is x, y."""
    x, y = (int(v) for v in corner)
    rows, columns = picture.shape[:2]
    tall, wide = part.shape[:2]
    y0, y1, x0, x1 = max(y, 0), min(y + tall, rows), max(x, 0), min(x + wide, columns)
    if y0 < y1 and x0 < x1:
        picture[y0:y1, x0:x1] = part[y0 - y : y1 - y, x0 - x : x1 - x]
