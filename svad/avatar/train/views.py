"""The pictures an avatar learns from, cut to the person, free of their background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from svad.compute.moved import moved
from svad.geometry.camera import Camera
from svad.media.foreground import CLEAR, NEAR, premultiplied
from svad.media.images import resize, to_float

MARGIN = 0.04  # of the picture's height, around the person
LEAST_SEEN = 0.004  # of the picture's pixels; a person who covers less is not there


@dataclass(frozen=True)
class View:
    """One picture of the person at one size, cut out of its background."""

    camera: Camera
    color: Tensor  # [h, w, 3] float32, premultiplied by the coverage
    clear: Tensor  # [h, w, 1] float32, the share of the background
    outline: Tensor  # [h, w, 1] float32, 1 but for a band along the outline

    def to(self, device: torch.device | str) -> View:
        """The same view on another device."""
        return moved(self, device)


def over(
    views: Sequence[View],  # B of one size
    background: Tensor,  # [B, 3]
) -> Tensor:  # [B, h, w, 3]
    """The pictures as they would be before those backgrounds."""
    color, clear = torch.stack([v.color for v in views]), torch.stack([v.clear for v in views])
    return torch.addcmul(color, clear, background[:, None, None])


def shows_person(
    matte: np.ndarray,  # [H, W] uint8
) -> bool:
    """Whether somebody is there to learn from."""
    return float((matte > 127).mean()) >= LEAST_SEEN


def make_view(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
    camera: Camera,  # of the whole picture
    height: int,  # px of the whole picture, never enlarged
    size: tuple[int, int] | None = None,  # px height and width of the cut; default = the person's
    band: float = 0.0,  # px of the whole picture, half width of the band along the outline
) -> View:
    """Cuts the person out of a picture and takes the background out of the edge's colours."""
    factor = min(1.0, height / camera.height)
    view = camera.resized(factor)
    alpha = to_float(resize(matte, view.width, view.height))
    picture = to_float(resize(rgb, view.width, view.height))
    rows, columns = _box(alpha, size)
    cut = replace(
        view,
        center=(view.center[0] - columns[0], view.center[1] - rows[0]),
        width=columns[1] - columns[0],
        height=rows[1] - rows[0],
    )
    color = np.zeros_like(picture)
    near = _around(rows), _around(columns)  # all that its colours are computed from
    color[near] = premultiplied(picture[near], alpha[near])
    parts = (color, 1 - alpha, _off_outline(alpha, band * factor))
    color, clear, outline = (  # beyond the picture's edge nobody is
        torch.from_numpy(_window(part, rows, columns, beyond))
        for part, beyond in zip(parts, (0.0, 1.0, 1.0), strict=True)
    )
    return View(cut, color, clear[..., None], outline[..., None])


def box_size(
    mattes: np.ndarray,  # [T, H, W] uint8
    height: int,  # px of the whole picture
) -> tuple[int, int]:  # px height and width
    """A size that holds the person of every frame."""
    factor = min(1.0, height / mattes.shape[1])
    width, tall = round(mattes.shape[2] * factor), round(mattes.shape[1] * factor)
    boxes = [_box(to_float(resize(matte, width, tall)), None) for matte in mattes]
    sizes = [(rows[1] - rows[0], columns[1] - columns[0]) for rows, columns in boxes]
    return max(h for h, _ in sizes), max(w for _, w in sizes)


def _around(ends: tuple[int, int]) -> slice:
    """Rows or columns of a box and those that the blur reaches beyond it, as far as there are."""
    reach = round(4 * NEAR)  # where the window of cv2.GaussianBlur ends
    return slice(max(0, ends[0] - reach), max(0, ends[1] + reach))


def _off_outline(alpha: np.ndarray, band: float) -> np.ndarray:  # [H, W] -> [H, W]
    """0 within `band` px of the outline, else 1."""
    if band <= 0:
        return np.ones_like(alpha)
    inside = (alpha > 0.5).astype(np.uint8)
    size = 2 * round(band) + 1
    kernel = np.ones((size, size), np.uint8)
    return (cv2.dilate(inside, kernel) == cv2.erode(inside, kernel)).astype(np.float32)


def _box(
    alpha: np.ndarray,  # [H, W]
    size: tuple[int, int] | None,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and end of rows and columns around the person; with a size, perhaps beyond the edge."""
    found = []
    margin = round(MARGIN * len(alpha))
    for axis in (0, 1):
        at = np.flatnonzero((alpha > CLEAR).any(1 - axis))
        length = alpha.shape[axis]
        first, end = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, length)
        first, end = max(0, first - margin), min(length, end + margin)
        if size is not None:
            first = (first + end - size[axis]) // 2
            end = first + size[axis]
        found.append((first, end))
    return found[0], found[1]


def _window(
    picture: np.ndarray,  # [H, W] or [H, W, C]
    rows: tuple[int, int],
    columns: tuple[int, int],
    beyond: float = 0.0,  # value of what lies beyond the picture
) -> np.ndarray:
    """A part of a picture that may reach beyond it."""
    size = (rows[1] - rows[0], columns[1] - columns[0])
    out = np.full((*size, *picture.shape[2:]), beyond, np.float32)
    top, left = max(0, rows[0]), max(0, columns[0])
    part = picture[top : max(top, rows[1]), left : max(left, columns[1])]
    y, x = top - rows[0], left - columns[0]
    out[y : y + part.shape[0], x : x + part.shape[1]] = part
    return out
