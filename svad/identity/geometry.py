"""Boxes, crops and alignments of the tracker, in pixels; edges follow the published rounding.

Boxes are (left, top, right, bottom).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from svad.geometry.boxes import Box
from svad.geometry.similarity import fit_similarity

CROP, AROUND_HEAD = 512, 1.65  # px of the head crop, its side over the size of the head's box
AROUND_LANDMARKS = 1.38  # side of the landmark net's crop over the size of the head's box
AROUND_FACE = 1.1  # of the regressors' crops over the size of the face's box, before their own
EXPRESSION_CROP, EXPRESSION_AROUND = 224, 1.25
IDENTITY_CROP, IDENTITY_AROUND = 320, 2.0
LETTERBOX, GREY = 640, 127.0  # px and padding value of the head detector's input
ARCFACE = (  # where eyes, nose and corners of the mouth lie in the 112 px picture of a face
    *((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366)),
    *((41.5493, 92.3655), (70.7299, 92.2041)),
)
ARCFACE_SIZE = 112
# which of the landmark net's 98 points is which of FLAME's 70: contour, brows, nose, eyes, mouth,
# pupils
FROM_98 = (
    *range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60),
    *(60, 61, 63, 64, 65, 67), *(68, 69, 71, 72, 73, 75), *range(76, 98),
)  # fmt: skip


def head_crop_box(box: np.ndarray) -> Box:  # [4] box of a head
    """The square that is cut for tracker and avatar; rounding may make it a pixel off."""
    left, top, right, bottom = (float(x) for x in box)
    half = math.sqrt((right - left) * (bottom - top)) * AROUND_HEAD / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return int(x - half), int(y - half), int(x + half), int(y + half)


def landmark_crop_box(box: np.ndarray) -> Box:  # [4] box of a head
    """The square the landmark net sees."""
    left, top, right, bottom = (float(x) for x in box)
    size = math.sqrt((right - left + 1) * (bottom - top + 1)) * AROUND_LANDMARKS
    half, x, y = int(size // 2), int((left + right) / 2), int((top + bottom) / 2)
    return x - half, y - half, x + half, y + half


def face_crop_box(
    box: np.ndarray,  # [4] around the landmarks of a face
    around: float,  # EXPRESSION_AROUND or IDENTITY_AROUND
) -> Box:
    """The square the regressors of identity, pose and expression see."""
    left, top, right, bottom = (float(x) for x in box)
    side = int((right - left + bottom - top) / 2 * AROUND_FACE * around)
    x, y = int((left + right) / 2 - side / 2), int((top + bottom) / 2 - side / 2)
    return x, y, x + side, y + side


def warp_face(
    image: Tensor,  # [3, H, W]
    points: np.ndarray,  # [5, 2] px of `image`: eyes, nose, corners of the mouth
) -> Tensor:  # [3, 112, 112]
    """The face as ArcFace wants it: five points at their places, bilinear, black outside."""
    import cv2

    matrix = fit_similarity(points, np.array(ARCFACE))
    pixels = image.permute(1, 2, 0).contiguous().cpu().numpy()
    warped = cv2.warpAffine(pixels, matrix, (ARCFACE_SIZE, ARCFACE_SIZE), flags=cv2.INTER_LINEAR)
    return torch.from_numpy(warped).permute(2, 0, 1).to(image)
