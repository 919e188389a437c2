"""Pictures to the tensors the networks take, and frames back to pictures."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from svad.diffusion.sizes import CLIP_IMAGE

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def clip_pixels(photo: np.ndarray) -> Tensor:  # [H, W, 3] uint8 -> [1, 3, 224, 224]
    """The photo squashed to the image encoder's square, in its colour scale."""
    x = _resized(photo, CLIP_IMAGE, CLIP_IMAGE, Image.Resampling.BICUBIC)
    mean, std = (torch.tensor(v)[:, None, None] for v in (CLIP_MEAN, CLIP_STD))
    return ((x - mean) / std)[None]


def photo_pixels(
    photo: np.ndarray,  # [H, W, 3] uint8
    width: int,
    height: int,
) -> Tensor:  # [1, 3, height, width] in -1..1
    """The photo stretched to the run's size."""
    return 2 * _resized(photo, width, height, Image.Resampling.LANCZOS)[None] - 1


def skeleton_pixels(
    picture: np.ndarray,  # [H, W, 3] uint8
    width: int,
    height: int,
) -> Tensor:  # [1, 3, height, width] in 0..1
    """A skeleton stretched to the run's size."""
    return _resized(picture, width, height, Image.Resampling.LANCZOS)[None]


def frame_pictures(frames: Tensor) -> np.ndarray:  # [T, 3, H, W] in 0..1 -> [T, H, W, 3] uint8
    """Rounded, where the published program cuts off and so darkens by half a level."""
    return (frames.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _resized(picture: np.ndarray, width: int, height: int, how: Image.Resampling) -> Tensor:
    resized = Image.fromarray(picture).resize((width, height), how)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255
