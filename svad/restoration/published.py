"""Face alignment, pasting and background tiles as published, for `RestorationConfig.strict`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from svad.restoration.align import BLACK, CROP, OUTSIDE, Box, robust_similarity, sampled
from svad.restoration.enlarge import enlarge
from svad.restoration.faces import NOT_FOUND, SMALL, FramedFace
from svad.restoration.paste import RestoredFace, blend
from svad.restoration.upsampler import Upsampler
from svad.types import Clip

CLOSEST_EYES = 5.0  # px; faces with closer eyes are left


def wide_enough(
    points: np.ndarray,  # [5, 2] px
    limit: float,  # px
) -> bool:
    """The published rule: eyes closer together than `limit` are left alone."""
    return bool(np.linalg.norm(points[0] - points[1]) >= limit)


def framed(
    frame: int,
    points: np.ndarray | None,  # [5, 2] px, pixel centres at whole numbers
    matte: np.ndarray,  # [H, W] uint8, not asked
    smallest: float,  # px, not asked
) -> FramedFace | str:
    """The face to restore; only faces whose eyes are close together are left."""
    if points is None or not np.isfinite(points).all():
        return NOT_FOUND
    matrix = robust_similarity(points)
    if matrix is None or not wide_enough(points, CLOSEST_EYES):
        return SMALL
    return FramedFace(frame, matrix)


def crop(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matrix: np.ndarray,  # [2, 3] frame to crop
) -> np.ndarray:  # [512, 512, 3] uint8
    """The upright face; one that is larger than the crop is aliased."""
    return sampled(rgb, matrix, (0, 0, CROP, CROP), OUTSIDE, 1)


def warp(
    image: np.ndarray,  # [H, W] or [H, W, C]
    matrix: np.ndarray,  # [2, 3] image to target
    box: Box,  # of the target that is wanted
) -> np.ndarray:  # [y1 - y0, x1 - x0] or with C
    """Single bilinear samples, even where the image shrinks."""
    return sampled(image, matrix, box, BLACK, 1)


def paste_matrix(
    matrix: np.ndarray,  # [2, 3] frame to crop
    ratio: tuple[float, float],  # size of the enlarged frame over that of the frame: x, y
) -> np.ndarray:  # [2, 3] crop to enlarged frame
    """The way back, half a pixel too far right and down."""
    back = cv2.invertAffineTransform(matrix.astype(np.float64))
    scale = np.array(ratio, np.float64)
    back *= scale[:, None]
    back[:, 2] += np.where(scale > 1, 0.5 * scale, 0)
    return back


def paste(
    frame: np.ndarray,  # [H, W, 3] uint8, enlarged
    faces: Sequence[RestoredFace],  # each on top of those before it
    ratio: tuple[float, float],  # size of `frame` over that of the original frame: x, y
) -> np.ndarray:  # [H, W, 3] uint8
    """Blends faces in by their masks; values are cut off to whole numbers."""
    out = frame.astype(np.float64)
    box = (0, 0, frame.shape[1], frame.shape[0])
    for face in faces:
        blend(out, face, paste_matrix(face.matrix, ratio), box, warp)
    return out.astype(np.uint8)


class Background:
    """Enlarges whole frames, with the network in the published tiles if there is one."""

    def __init__(
        self,
        clip: Clip,
        size: tuple[int, int],  # height, width
        upsampler: Upsampler | None,
    ) -> None:
        self._clip, self._size, self._upsampler = clip, size, upsampler

    def frames(
        self,
        numbers: Sequence[int],
        tick: Callable[[], None],  # called before each frame and each call of the network
    ) -> Iterator[tuple[int, np.ndarray]]:  # number, [height, width, 3] uint8
        """The frames with these numbers, in the same order."""
        for t in numbers:
            tick()
            if self._upsampler is None:
                yield t, enlarge(self._clip.rgb[t], self._size)
            else:
                yield t, self._upsampler.published(self._clip.rgb[t], self._size, tick=tick)
