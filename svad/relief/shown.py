"""What the photo shows of a layer."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.relief.layer import Layer

SURE = 0.9  # matte above which a pixel's colour is the person's alone
ALONE = 9  # px, box around a pixel that shows nothing but the layer
FEWEST = 50  # px of these that a layer must have; a strip has none


@dataclass(frozen=True)
class Shown:
    """The photo in a layer's box."""

    rgb: np.ndarray  # [h, w, 3] float32
    pure: np.ndarray  # [h, w] bool, pixels that show the layer without background
    known: np.ndarray  # [h, w] bool, of these the ones well inside the layer
    skin: np.ndarray | None  # [h, w] bool, skin-coloured; None = no face was found
    trunk: np.ndarray  # [h, w] bool, pixels that show the trunk

    @property
    def bare(self) -> np.ndarray:  # [h, w] bool
        """Skin-coloured pixels."""
        return np.zeros(self.pure.shape, bool) if self.skin is None else self.skin


def shown_of(
    layer: Layer,
    rgb: np.ndarray,  # [H, W, 3] float32, the photo
    matte: np.ndarray,  # [H, W] float32
    skin: np.ndarray | None,  # [H, W] bool, skin-coloured; None = no face was found
    labels: np.ndarray,  # [H, W] int32, 0 = the trunk
) -> Shown:
    """What of the photo lies in the layer's box."""
    box = layer.box
    pure, known = seen_alone(layer.own, matte[box])
    return Shown(
        rgb[box], pure, known, None if skin is None else skin[box],
        (labels[box] == 0) & _sure(matte[box]),
    )  # fmt: skip


def seen_alone(
    own: np.ndarray,  # [h, w] bool, pixels of the photo that show something
    matte: np.ndarray,  # [h, w] float32
) -> tuple[np.ndarray, np.ndarray]:  # [h, w] bool, [h, w] bool
    """Pixels in its colours alone, without background, and of these the ones well inside it."""
    pure = own & _sure(matte)
    known = pure & (cv2.erode(own.astype(np.uint8), np.ones((ALONE, ALONE), np.uint8)) > 0)
    return pure, known if known.sum() > FEWEST else pure


def _sure(matte: np.ndarray) -> np.ndarray:  # [h, w] bool
    return cv2.erode((matte > SURE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
