"""Cuts posed Gaussians out of nothing: straight alpha, and no dark rim for whoever scales it."""

from __future__ import annotations

import cv2
import numpy as np

from svad.geometry.camera import Camera
from svad.media.images import to_float, to_uint8
from svad.splat.gaussians import Gaussians
from svad.splat.scene import draw_rgba

FAINT = 0.02  # cover below which no colour is passed on
SPREAD = (5, 13, 29)  # px, boxes by which colour reaches into what is transparent


def cutout(
    gaussians: Gaussians,  # N, posed
    camera: Camera,
) -> np.ndarray:  # [H, W, 4] uint8, straight alpha
    """The Gaussians on nothing; around them the colour of the edge goes on for some pixels.

    Whoever scales or blurs the picture without minding alpha then meets no dark rim; so does a
    video, whose colours have half the pixels of its alpha.
    """
    picture = draw_rgba(gaussians, camera)
    alpha = to_float(picture[..., 3])
    image = to_float(picture[..., :3]) * alpha[..., None]
    empty = picture[..., 3] == 0
    picture[empty] = 0
    for size in SPREAD:
        cover = cv2.blur(alpha, (size, size))
        near = empty & (cover > FAINT)
        picture[near, :3] = to_uint8(cv2.blur(image, (size, size))[near] / cover[near][:, None])
        empty &= ~near
    return picture
