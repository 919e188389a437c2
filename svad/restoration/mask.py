"""Which part of a restored face is pasted: from its parsed classes, or a soft ellipse."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from svad.restoration.align import CROP
from svad.restoration.parsenet import ParseNet

# classes that are pasted: skin, features and hair; not background, hat, necklace, neck, cloth
PASTED = (*range(1, 14), 15)
BLUR, SIGMA = 101, 11.0  # px, of the blur that is done twice
RIM = 10  # px at the crop's border that are never pasted
# The ellipse lies inside a face seen from the front: px of the crop.
CENTRE, AXES = (256, 300), (128, 165)


def face_mask(
    labels: np.ndarray,  # [512, 512] classes
) -> np.ndarray:  # [512, 512] float64, 0..1
    """The blurred mask of the pasted classes, as published."""
    return softened(np.isin(labels, PASTED) * 255.0) / 255


def softened(
    mask: np.ndarray,  # [512, 512] float64
) -> np.ndarray:  # [512, 512] float64
    """Blurred twice, then nothing at the border."""
    for _ in range(2):
        mask = cv2.GaussianBlur(mask, (BLUR, BLUR), SIGMA)
    inner = np.zeros_like(mask)
    inside = slice(RIM, -RIM)
    inner[inside, inside] = mask[inside, inside]
    return inner


def ellipse_mask() -> np.ndarray:  # [512, 512] float64, 0..1
    """A soft ellipse from the eyebrows to the chin."""
    mask = np.zeros((CROP, CROP), np.uint8)
    cv2.ellipse(mask, CENTRE, AXES, 0, 0, 360, (255,), cv2.FILLED)
    return softened(mask.astype(np.float64)) / 255


def parsing_input(
    faces: np.ndarray,  # [B, 512, 512, 3] uint8 RGB
) -> Tensor:  # [B, 3, 512, 512] float32 in -1..1
    """What the parsing network takes."""
    values = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 255
    return (values - 0.5) / 0.5


@torch.no_grad()
def face_labels(
    network: ParseNet,
    faces: np.ndarray,  # [B, 512, 512, 3] uint8 RGB
) -> np.ndarray:  # [B, 512, 512] uint8 classes
    """The surest class of each pixel."""
    weight = network.out_mask_conv.conv2d.weight
    logits = network(parsing_input(faces).to(weight))
    return logits.argmax(1).byte().cpu().numpy()
