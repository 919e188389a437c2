"""What tracking a photo finds: the head's picture, FLAME's parameters, the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@dataclass(frozen=True)
class Tracked:
    """A tracked head; tensors are float32 on the CPU."""

    crop: np.ndarray  # [512, 512, 3] uint8, the head on black
    shape: Tensor  # [300] FLAME identity
    expression: Tensor  # [100] FLAME expression
    pose: Tensor  # [6] axis-angle of the head (zero: it is in the camera) and the jaw, radians
    eyes: Tensor  # [6] axis-angle of the two eyes, radians
    camera: Tensor  # [3, 4] row-vector [R | t] of the crop, focal length 12 half pictures
    box: tuple[int, int, int, int]  # x0, y0, x1, y1 of the crop in the photo, px; may reach outside
    warnings: tuple[str, ...] = ()  # sentences for the person
