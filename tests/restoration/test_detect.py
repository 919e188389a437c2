"""Faces from the network's raw results: golden rows, and one row list per frame."""

from __future__ import annotations

import numpy as np
import torch

from svad.restoration.detect import Detector, anchors, detections
from svad.restoration.retinaface import Heads
from tests.restoration.golden import Golden, assert_close


def test_rows(golden: Golden) -> None:
    for case in golden.cases("detect_post"):
        size, given, want = tuple(case.entry["image_hw"]), case.part("in"), case.part("out")
        priors = anchors(size)
        assert_close(priors, want["priors"], case.limit, "priors")
        heads = Heads(*(given[name][0] for name in ("loc", "logits", "landmarks")))
        found = torch.from_numpy(detections(heads, priors, size))
        assert_close(found, want["detections"], case.limit, "detections")


class Planted(torch.nn.Module):
    """A network that is sure of one face at the brightest cell of each picture."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Module()
        self.body.conv1 = torch.nn.Conv2d(3, 1, 1)

    def forward(self, x: torch.Tensor) -> Heads:
        height, width = x.shape[2:]
        count = len(anchors((height, width)))
        logits = torch.zeros(len(x), count, 2)
        logits[..., 0] = 9
        for i, picture in enumerate(x.sum(1)):
            row, column = divmod(int(picture.argmax()), width)
            logits[i, 2 * (row // 8 * -(-width // 8) + column // 8), 1] = 99
        return Heads(torch.zeros(len(x), count, 4), logits, torch.zeros(len(x), count, 10))


def test_each_frame_of_a_batch_has_its_own_rows() -> None:
    frames = np.zeros((3, 48, 64, 3), np.uint8)
    frames[0, 12, 20], frames[2, 44, 60] = 255, 255
    rows = Detector(Planted()).faces(frames)
    assert np.allclose(rows[0][0, :4], (12, 4, 28, 20))  # 16 px around the middle of the cell
    assert np.allclose(rows[2][0, :4], (52, 36, 68, 52))
    assert np.allclose(rows[0][0, 5:], np.tile((20, 12), 5))
