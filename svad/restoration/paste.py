"""Compositing: puts restored faces back into enlarged frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from svad.geometry.similarity import move
from svad.restoration.align import CROP, Box, warp

SHARPNESS_SIGMA = 0.7  # px; what is finer is taken for noise


@dataclass(frozen=True)
class RestoredFace:
    """A restored crop and how it goes back."""

    rgb: np.ndarray  # [512, 512, 3] uint8
    mask: np.ndarray  # [512, 512] float, 0..1, how much of it is taken
    matrix: np.ndarray  # [2, 3] frame to crop, px with whole-numbered centres


def paste_matrix(
    matrix: np.ndarray,  # [2, 3] frame to crop
    ratio: tuple[float, float],  # size of the enlarged frame over that of the frame: x, y
) -> np.ndarray:  # [2, 3] crop to enlarged frame
    """The way back."""
    back = cv2.invertAffineTransform(matrix.astype(np.float64))
    scale = np.array(ratio, np.float64)
    back *= scale[:, None]
    back[:, 2] += 0.5 * (scale - 1)
    return back


def paste(
    frame: np.ndarray,  # [H, W, 3] uint8, enlarged
    faces: Sequence[RestoredFace],  # each on top of those before it
    ratio: tuple[float, float],  # size of `frame` over that of the original frame: x, y
) -> np.ndarray:  # [H, W, 3] uint8
    """Blends faces in by their masks."""
    out = frame.astype(np.float32)
    for face in faces:
        matrix = paste_matrix(face.matrix, ratio)
        box = _covered(matrix, (frame.shape[0], frame.shape[1]))
        if box is not None:
            blend(out, face, matrix, box, warp)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def blend(
    out: np.ndarray,  # [H, W, 3] float, changed
    face: RestoredFace,
    matrix: np.ndarray,  # [2, 3] crop to frame
    box: Box,  # of the frame that the crop reaches
    sample: Callable[[np.ndarray, np.ndarray, Box], np.ndarray],  # such as `align.warp`
) -> None:
    """Alpha blending of one face into its frame."""
    x0, y0, x1, y1 = box
    share = sample(face.mask.astype(out.dtype), matrix, box)[..., None]
    picture = sample(face.rgb.astype(out.dtype), matrix, box)
    out[y0:y1, x0:x1] = share * picture + (1 - share) * out[y0:y1, x0:x1]


def photo_is_sharper(
    photo: np.ndarray,  # [H, W, 3] uint8
    face: RestoredFace,
) -> bool:
    """Whether a photo shows its face at least as sharp as the restored one.

    Compared on the photo's own pixels, so that detail it cannot hold does not count.
    """
    matrix = paste_matrix(face.matrix, (1.0, 1.0))
    box = _covered(matrix, (photo.shape[0], photo.shape[1]))
    if box is None:
        return True
    x0, y0, x1, y1 = box
    share = warp(face.mask.astype(np.float32), matrix, box)
    restored = warp(face.rgb.astype(np.float32), matrix, box)
    return sharpness(photo[y0:y1, x0:x1], share) >= sharpness(restored, share)


def sharpness(
    rgb: np.ndarray,  # [h, w, 3] in 0..255
    share: np.ndarray,  # [h, w] how much a pixel counts
) -> float:
    """Mean square of the Laplacian of the slightly blurred grey picture."""
    grey = cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), SHARPNESS_SIGMA), cv2.CV_32F)
    return float((share * edges**2).sum() / max(float(share.sum()), 1e-6))


def _covered(matrix: np.ndarray, size: tuple[int, int]) -> Box | None:
    """The part of a frame (height, width) that a warped crop reaches."""
    corners = np.array([(x, y) for x in (0, CROP - 1) for y in (0, CROP - 1)], np.float64)
    places = move(corners, matrix)
    low = np.maximum(np.floor(places.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(places.max(0)).astype(int) + 2, size[::-1])
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
