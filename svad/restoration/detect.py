"""Faces in frames: anchors, decoding and non-maximum suppression around the detection network."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from torch import Tensor

from svad.geometry.boxes import suppress
from svad.restoration.retinaface import MEAN_BGR, Heads, RetinaFace

STRIDES = (8, 16, 32)
ANCHOR_SIDES = ((16, 32), (64, 128), (256, 512))  # px, of each level
VARIANCES = (0.1, 0.2)  # of centres and of sizes
SCORE = 0.97  # a face is surer than this
OVERLAP = 0.4  # intersection over union from which two boxes mean one face
ROW = 15  # x0, y0, x1, y1, score, five points (x, y)


class Detector:
    """Finds faces in frames of one size, several at a time."""

    def __init__(self, network: RetinaFace) -> None:
        self.network = network

    @torch.no_grad()
    def faces(
        self,
        rgb: np.ndarray,  # [B, H, W, 3] uint8
    ) -> list[np.ndarray]:  # B of [N, 15] float32, surest first
        """Rows of box, score and five points in pixels of the frame.

        The points: left eye, right eye, nose, left and right corner of the mouth, as the picture
        shows them.
        """
        weight = self.network.body.conv1.weight
        bgr = torch.from_numpy(np.ascontiguousarray(rgb[..., ::-1])).to(weight.device)
        mean = torch.tensor(MEAN_BGR, device=weight.device)
        x = (bgr.float() - mean).permute(0, 3, 1, 2).to(weight.dtype)
        heads = self.network(x)
        size = (rgb.shape[1], rgb.shape[2])
        priors = anchors(size).to(weight.device)
        return [
            detections(Heads(*(part[i].float() for part in heads)), priors, size)
            for i in range(len(rgb))
        ]


def anchors(
    size: tuple[int, int],  # height, width
) -> Tensor:  # [A, 4] centre x, y, width, height in shares of the picture
    """Two squares at each cell of each level: finest level first, rows, columns, sizes."""
    height, width = size
    rows = []
    for stride, sides in zip(STRIDES, ANCHOR_SIDES, strict=True):
        for i, j in product(range(-(-height // stride)), range(-(-width // stride))):
            x, y = (j + 0.5) * stride / width, (i + 0.5) * stride / height
            rows += [(x, y, side / width, side / height) for side in sides]
    return torch.tensor(rows, dtype=torch.float32)


def detections(
    heads: Heads,  # of one picture: [A, 4], [A, 2], [A, 10]
    priors: Tensor,  # [A, 4] from `anchors`
    size: tuple[int, int],  # height, width
) -> np.ndarray:  # [N, 15] float32
    """Decodes what is surely a face and keeps one box of each."""
    scores = heads.logits.softmax(-1)[:, 1]
    sure = scores > SCORE
    priors, scores = priors[sure], scores[sure]
    centre, side = priors[:, :2], priors[:, 2:]
    middle = centre + heads.boxes[sure, :2] * VARIANCES[0] * side
    extent = side * torch.exp(heads.boxes[sure, 2:] * VARIANCES[1])
    points = heads.landmarks[sure].unflatten(1, (5, 2))
    points = centre[:, None] + points * VARIANCES[0] * side[:, None]
    scale = torch.tensor([size[1], size[0]], dtype=torch.float32, device=priors.device)
    low = (middle - extent / 2) * scale
    high = low + extent * scale
    rows = torch.cat([low, high, scores[:, None], (points * scale).flatten(1)], 1).cpu().numpy()
    rows = rows[np.argsort(-rows[:, 4], kind="stable")]
    # sides count both end pixels (x1 - x0 + 1), as the published program does
    return rows[suppress(rows[:, :4], OVERLAP, pixel=1)]
