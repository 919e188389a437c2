"""Looking at generated frames: who is there, and where better key points are looked for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.pose.keypoints import WholeBody
from svad.subject import frames
from svad.subject.frames import FrameReader, frame_reader
from svad.subject.landmarker import PoseHit

HEIGHT, WIDTH = 160, 96
BOX = (30, 20, 66, 150)  # x0, y0, x1, y1 of the person in the picture


class Models:
    """A body model that sees a block of a person, this surely."""

    def __init__(self, visible: float = 1.0, mask: float = 1.0) -> None:
        x0, y0, x1, y1 = BOX
        rows = np.linspace(y0 + 4, y1 - 4, 33)
        points = np.stack([np.full(33, (x0 + x1) / 2), rows, np.full(33, visible)], 1)
        soft = np.zeros((HEIGHT, WIDTH), np.float32)
        soft[y0:y1, x0:x1] = mask
        self.hit = PoseHit(points.astype(np.float32), np.zeros(33, np.float32), soft)

    def pose(self, rgb: np.ndarray) -> PoseHit:
        return self.hit


def picture() -> np.ndarray:
    rgb = np.full((HEIGHT, WIDTH, 3), 240, np.uint8)
    x0, y0, x1, y1 = BOX
    rgb[y0:y1, x0:x1] = (40, 60, 120)
    return rgb


def test_a_frame_gives_matte_and_points() -> None:
    sight = FrameReader(models=Models())(picture())
    x0, y0, x1, y1 = BOX
    assert sight.keypoints.shape == (133, 3)
    assert sight.matte[y0 + 6 : y1 - 6, x0 + 6 : x1 - 6].min() == 255
    assert sight.matte[:, : x0 - 6].max() == 0


def test_better_points_are_looked_for_where_the_person_is() -> None:
    asked = []

    def points(rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
        asked.append(box.tolist())
        return np.ones((133, 3), np.float32)

    sight = FrameReader(points, Models())(picture())
    assert asked == [list(BOX)] and (sight.keypoints == 1).all()


@pytest.mark.parametrize("models", [Models(visible=0.2), Models(mask=0.5)], ids=["unsure", "faint"])
def test_nobody_is_none(models: Models) -> None:
    assert FrameReader(models=models)(picture()) is None


def test_a_person_that_cannot_be_cut_out_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> np.ndarray:
        raise cv2.error("too few samples")

    monkeypatch.setattr(frames, "person_matte", fails)
    assert FrameReader(models=Models())(picture()) is None


def test_dwpose_estimates_without_its_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    class Network:
        def estimate(self, rgb: np.ndarray, box: np.ndarray) -> WholeBody:
            return WholeBody(np.tile(box[:2], (133, 1)), np.full(133, 1.4))

    monkeypatch.setattr(frames, "shared_dwpose", lambda store: Network())
    monkeypatch.setattr(frames, "shared_landmarker", Models)
    sight = frame_reader()(picture())
    np.testing.assert_array_equal(sight.keypoints, np.tile([*BOX[:2], 1], (133, 1)))
