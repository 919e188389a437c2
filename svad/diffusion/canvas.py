"""Letterboxing onto the generated pictures: how photo, camera and points lie in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from svad.geometry.camera import Camera
from svad.media.fields import pull_push
from svad.media.images import resize, to_float, to_uint8
from svad.types import Subject

MARGIN = 0.06  # share of the canvas that stays free on each side
GREYS = (245, 170, 100)  # grey levels a plain background may have
RIM = 0.02  # share of the canvas height: so near the outline the person must stand out
CONTRAST = 5  # percentile of the rim's differences from the background that counts


@dataclass(frozen=True)
class Canvas:
    """A canvas with the photo drawn somewhere in it, or partly outside."""

    width: int  # px
    height: int  # px
    drawn: tuple[int, int]  # width, height of the whole photo on the canvas, px
    offset: tuple[int, int]  # x, y of the photo's top left corner on the canvas, px

    def scale(self, size: tuple[int, int]) -> np.ndarray:  # [2]
        """Canvas pixels per pixel of a photo of this (width, height), along x and y."""
        return np.array(self.drawn, np.float64) / np.array(size, np.float64)

    def camera(self, photo: Camera) -> Camera:
        """The photo's camera, seeing the canvas."""
        scale = self.scale((photo.width, photo.height))
        focal, center = np.array(photo.focal) * scale, np.array(photo.center) * scale + self.offset
        return replace(
            photo, focal=tuple(map(float, focal)), center=tuple(map(float, center)),
            width=self.width, height=self.height,
        )  # fmt: skip

    def move(
        self,
        points: np.ndarray,  # [..., 2 or more] x px, y px in the photo, anything
        size: tuple[int, int],  # width, height of the photo
    ) -> np.ndarray:
        """Points of the photo as points of the canvas."""
        moved = np.array(points, np.float64)
        moved[..., :2] = moved[..., :2] * self.scale(size) + self.offset
        return moved

    def place(
        self,
        image: np.ndarray,  # [h, w] or [h, w, C], of the photo's size
        fill: float,  # value where there is no photo
    ) -> np.ndarray:  # [height, width] or [height, width, C], same dtype
        """A picture of the photo's size, drawn on the canvas."""
        image = resize(image, *self.drawn)
        canvas = np.full((self.height, self.width, *image.shape[2:]), fill, image.dtype)
        (x, y), (w, h) = self.offset, self.drawn
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, self.width), min(y + h, self.height)
        if x0 < x1 and y0 < y1:
            canvas[y0:y1, x0:x1] = image[y0 - y : y1 - y, x0 - x : x1 - x]
        return canvas


def letterbox(
    box: np.ndarray,  # [4] x0, y0, x1, y1 in photo pixels: what must be on the canvas
    size: tuple[int, int],  # width, height of the photo
    width: int,
    height: int,
) -> Canvas:
    """The box in the middle of the canvas, as large as fits, the aspect ratio kept."""
    free = 1 - 2 * MARGIN
    factor = min(free * width / (box[2] - box[0]), free * height / (box[3] - box[1]))
    drawn = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    middle = (box[:2] + box[2:]) / 2 * (np.array(drawn) / np.array(size))
    x, y = np.round(np.array([width, height]) / 2 - middle).astype(int)
    return Canvas(width, height, drawn, (int(x), int(y)))


def squash(width: int, height: int) -> Canvas:
    """The whole photo stretched to the canvas, as the published program does."""
    return Canvas(width, height, (width, height), (0, 0))


def compose(
    subject: Subject, canvas: Canvas
) -> tuple[np.ndarray, np.ndarray]:  # [height, width, 3] uint8, [height, width] uint8
    """The person on a plain background they stand out from, and their matte on the canvas.

    The rim takes the person's inner colours, so no trace of the old background comes along.
    """
    alpha = to_float(subject.matte)
    colour = pull_push(to_float(subject.photo.rgb), (alpha > 0.95).astype(np.float32))
    colour = np.where(alpha[..., None] > 0.95, to_float(subject.photo.rgb), colour)
    matte = np.clip(canvas.place(alpha, 0.0), 0, 1)[..., None]
    person = canvas.place(colour, 0.0)
    grey = backdrop(to_uint8(person), to_uint8(matte[..., 0])) / 255
    return to_uint8(person * matte + grey * (1 - matte)), to_uint8(matte[..., 0])


def backdrop(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
) -> int:
    """The grey level that differs most from the person's rim."""
    inside = (matte > 250).astype(np.uint8)
    radius = max(1, round(RIM * len(matte)))
    rim = (inside > 0) & (cv2.erode(inside, np.ones((2 * radius + 1,) * 2, np.uint8)) == 0)
    if not rim.any():
        return GREYS[0]
    colours = rgb[rim].astype(np.float32)
    apart = [np.percentile(np.abs(colours - grey).max(1), CONTRAST) for grey in GREYS]
    return GREYS[int(np.argmax(apart))]
