"""One limb group as a layer of depth over the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.relief.parts import Part
from svad.relief.surface import Surface


@dataclass(frozen=True)
class Layer:
    """One limb group as a two-sided relief over the photo; arrays cover its box only."""

    part: Part
    box: tuple[slice, slice]  # rows and columns of the crop the labels lie on
    own: np.ndarray  # [H, W] bool, pixels of the photo that show this layer
    mask: np.ndarray  # [H, W] bool, own pixels, overlap and hidden parts
    bridge: np.ndarray  # [H, W] bool, hidden pixels that join two pieces of a limb
    outline: np.ndarray  # [H, W] bool, the mask with what it is grown together with
    surface: Surface
    head: np.ndarray | float  # [H, W] share of the head, 0 on limbs
    near: np.ndarray  # [H, W] metres, front after closing
    far: np.ndarray  # [H, W] metres, back after closing
    near_weights: np.ndarray  # [H, W, 22]
    far_weights: np.ndarray  # [H, W, 22]

    def corner(self, origin: tuple[int, int]) -> tuple[float, float]:
        """Working px of the layer's first column and row; `origin` is the crop's."""
        rows, columns = self.box
        return float(columns.start + origin[0]), float(rows.start + origin[1])

    def local(
        self,
        points: np.ndarray,  # [P, 3] x px, y px of the crop, z
    ) -> np.ndarray:  # [P, 3] px of the layer's box
        """The same points, counted from the layer's first column and row."""
        return points - np.array([self.box[1].start, self.box[0].start, 0], np.float32)
