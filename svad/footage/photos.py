"""Several photos of one person, brought to one size as frames of a clip are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from svad.config.footage import FootageConfig
from svad.core.errors import SourceError
from svad.footage import sentences as say
from svad.footage.choose import shows_back
from svad.footage.eyes import Eyes
from svad.geometry.camera import photo_camera
from svad.media.images import on_grey
from svad.track.seen import Box, Glimpse, Seen
from svad.track.yaw import yaws
from svad.types import Footage, Photo, Report

FILLED = 0.84  # of a frame's height, that the person fills
NARROWEST, WIDEST = 0.5, 1.4  # width over height of the frames
UNLIKE = 0.92  # Bhattacharyya distance of two people's colours above which they are told apart
HUES, DEPTHS = 24, 8  # cells of a colour histogram


def from_photos(
    photos: Sequence[Photo], config: FootageConfig, eyes: Eyes, report: Report
) -> Footage:
    """Every photo as a frame, in the order they were sent."""
    found: list[tuple[Glimpse, int]] = []
    for number, photo in enumerate(photos):
        report(50 + 600 * number // len(photos), 1000, f"looking at photo {number + 1}")
        person = eyes.person(on_grey(photo.rgb, photo.alpha))
        if person is None:
            raise SourceError(say.nobody_in(number + 1))
        found.append(person)
    shape = _shape([glimpse.box for glimpse, _ in found], config.height)
    rows = []
    for number, (photo, (glimpse, _)) in enumerate(zip(photos, found, strict=True)):
        report(650 + 300 * number // len(photos), 1000, f"cutting out photo {number + 1}")
        matrix = _framing(glimpse.box, shape)
        rgb, alpha, moved = _framed(photo, glimpse, matrix, shape)
        points, matte = eyes.sharp(rgb, moved)
        if alpha is not None:
            matte = np.minimum(matte, alpha)
        corners = (np.array([(0, 0), shape]) - matrix[:, 2]) / matrix[0, 0]
        faced = eyes.has_face(rgb, points)
        rows.append((rgb, points, moved.depth, matte, faced, corners.ravel()))
    rgb, points, depth, matte, faced, cuts = map(np.stack, zip(*rows, strict=True))
    seen = Seen(points, depth, matte, np.full(len(photos), np.nan))
    yaw, swap = yaws(seen)
    seen = seen.mirrored(swap)
    order = np.abs(yaw) + np.where(faced, 0, np.pi)
    front = int(order.argmin())
    report(1000, 1000, f"{len(photos)} photos")
    return Footage(
        photo=photos[front],
        front=front,
        rgb=rgb,
        matte=matte,
        keypoints=seen.keypoints,
        depth=seen.depth,
        time=seen.time,
        sharpness=np.ones(len(photos), np.float32),
        yaw=yaw,
        cameras=(photo_camera(*shape),) * len(photos),
        warnings=tuple(_warnings(yaw, rgb, matte, front, [n for _, n in found])),
        cuts=cuts,
    )


def _shape(boxes: Sequence[Box], height: int) -> tuple[int, int]:
    """Width and height of the frames: wide enough for everybody."""
    ratio = max((box[2] - box[0]) / (box[3] - box[1]) for box in boxes)
    ratio = float(np.clip(FILLED * ratio + (1 - FILLED), NARROWEST, WIDEST))
    return 2 * round(ratio * height / 2), height


def _framing(box: Box, shape: tuple[int, int]) -> np.ndarray:  # [2, 3]
    """From the photo to the frame, the person in its middle."""
    x0, y0, x1, y1 = box
    width, height = shape
    factor = min(FILLED * height / (y1 - y0), 0.97 * width / (x1 - x0))
    return np.array(
        [
            [factor, 0, width / 2 - factor * (x0 + x1) / 2],
            [0, factor, height / 2 - factor * (y0 + y1) / 2],
        ]
    )


def _framed(
    photo: Photo, glimpse: Glimpse, matrix: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray | None, Glimpse]:  # [H, W, 3], [H, W] uint8
    """The photo as a frame; what lies outside of it repeats its edge."""
    frame = _warped(on_grey(photo.rgb, photo.alpha), matrix, shape, cv2.BORDER_REPLICATE)
    alpha = None if photo.alpha is None else _warped(photo.alpha, matrix, shape)
    points = glimpse.keypoints.copy()
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    corners = np.array(glimpse.box).reshape(2, 2) @ matrix[:, :2].T + matrix[:, 2]
    low, high = corners.round().astype(int).clip(0, shape).tolist()
    mask = _warped(glimpse.soft, matrix, shape)
    return frame, alpha, replace(glimpse, keypoints=points, soft=mask, box=(*low, *high))


def _warped(
    picture: np.ndarray, matrix: np.ndarray, shape: tuple[int, int], border: int = 0
) -> np.ndarray:
    """Made small first: warping alone would skip pixels."""
    small = min(float(matrix[0, 0]), 1.0)
    pre = cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    scale = np.array([pre.shape[1] / picture.shape[1], pre.shape[0] / picture.shape[0]])
    warp = np.concatenate([matrix[:, :2] / scale, matrix[:, 2:]], 1)
    return cv2.warpAffine(pre, warp, shape, borderMode=border)


def _warnings(
    yaw: np.ndarray, rgb: np.ndarray, matte: np.ndarray, front: int, others: Sequence[int]
) -> list[str]:
    texts = []
    if not shows_back(yaw):
        texts.append(say.NO_BACK_PHOTO)
    if any(others):
        texts.append(say.OTHERS_PHOTO)
    colours = [_colours(one, mask) for one, mask in zip(rgb, matte, strict=True)]
    unlike = [
        number + 1
        for number, histogram in enumerate(colours)
        if cv2.compareHist(colours[front], histogram, cv2.HISTCMP_BHATTACHARYYA) > UNLIKE
    ]
    if unlike:
        texts.append(say.unlike(unlike, front + 1))
    return texts


def _colours(rgb: np.ndarray, matte: np.ndarray) -> np.ndarray:  # [HUES, DEPTHS]
    """Hues and depths of the person's colours, exposure aside."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    mask = (matte > 200).astype(np.uint8)
    histogram = cv2.calcHist([hsv], [0, 1], mask, [HUES, DEPTHS], [0, 180, 0, 256])
    return cv2.GaussianBlur(histogram, (3, 3), 0) / max(float(mask.sum()), 1.0)
