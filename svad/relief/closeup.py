"""The head of the relief, cut out and sampled again from a picture that was taken closer."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from svad.media.images import to_float
from svad.relief.colour import extended
from svad.relief.head import face_depth
from svad.relief.layer import Layer
from svad.relief.points import Sheet
from svad.relief.scene import Scene, inside
from svad.relief.shown import SURE
from svad.relief.surface import closed
from svad.relief.weights import head_share
from svad.types import Closeup


def with_closeup(
    sheet: Sheet,
    layer: Layer,
    head: Closeup,
    face: np.ndarray | None,  # [478, 3] working px
    scene: Scene,
) -> tuple[Sheet, Sheet]:
    """Cuts the head out of the torso's sheet and samples it again at the close-up's density."""
    assert isinstance(layer.head, np.ndarray)  # only limbs have a mere 0
    x0, y0, x1, y1 = head.box
    left, top = (int(v) for v in layer.corner(scene.origin))
    cx0, cy0 = x0 - left, y0 - top
    h, w = layer.mask.shape
    gx0, gy0 = max(0, cx0), max(0, cy0)
    gx1, gy1 = min(w, x1 - left), min(h, y1 - top)
    d = head.density
    crop = np.s_[gy0:gy1, gx0:gx1]
    fine = np.s_[(gy0 - cy0) * d : (gy1 - cy0) * d, (gx0 - cx0) * d : (gx1 - cx0) * d]
    size = ((gx1 - gx0) * d, (gy1 - gy0) * d)
    grow = lambda x, how=cv2.INTER_LINEAR: cv2.resize(x, size, interpolation=how)  # noqa: E731
    rgb, matte = to_float(head.rgb[fine]), to_float(head.matte[fine])
    area = head_share(layer.far_weights)[crop]
    chosen = grow(area) > 0.5
    own = (grow(layer.own[crop].astype(np.float32)) > 0.5) & inside(matte)
    mask = (grow(layer.mask[crop].astype(np.float32)) > 0.5) & inside(matte)
    near, far, _ = closed(
        grow(layer.surface.middle[crop]), grow(layer.surface.half[crop]), mask, scene.px_per_m * d,
        grow(layer.head[crop]),
    )  # fmt: skip
    pushed = grow(np.maximum(layer.near[crop] - _unpushed(layer, crop, scene), 0))
    near = near + pushed
    if face is not None:
        local = face * np.array([d, d, d], np.float32)
        local[:, :2] -= np.array([(gx0 + left) * d, (gy0 + top) * d])
        near = face_depth(local, near, own, scene.px_per_m * d)
    sure = cv2.erode((matte > SURE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    front = extended(rgb, own & sure)
    back = grow(sheet.far_rgb[crop], cv2.INTER_CUBIC)
    take = np.zeros(sheet.mask.shape, bool)
    take[crop] = area > 0.5
    fine_sheet = Sheet(
        0, (float(gx0 + left), float(gy0 + top)), d, mask & chosen, matte,
        near, np.maximum(far, near + 0.002), front, np.clip(back, 0, 1),
        grow_channels(sheet.near_weights[crop], size), grow_channels(sheet.far_weights[crop], size),
        own & chosen,
    )  # fmt: skip
    return replace(sheet, mask=sheet.mask & ~take), fine_sheet


def _unpushed(layer: Layer, crop: tuple, scene: Scene) -> np.ndarray:
    near, _, _ = closed(
        layer.surface.middle, layer.surface.half, layer.outline, scene.px_per_m, layer.head
    )
    return near[crop]


def grow_channels(
    values: np.ndarray,  # [h, w, C]
    size: tuple[int, int],  # W, H
) -> np.ndarray:  # [H, W, C]
    """Resizes a field; channels that are zero everywhere are not touched."""
    out = np.zeros((size[1], size[0], values.shape[2]), np.float32)
    for c in np.flatnonzero(values.reshape(-1, values.shape[2]).max(0) > 1e-4):
        out[..., c] = cv2.resize(values[..., c], size, interpolation=cv2.INTER_LINEAR)
    return out / np.maximum(out.sum(-1, keepdims=True), 1e-6)
