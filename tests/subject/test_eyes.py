"""Looking at many pictures: quick looks at parts of them, with the real models on an example."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from svad.body import coco
from svad.subject.blazepose import CORE
from svad.subject.eyes import Eyes
from svad.subject.landmarker import Landmarker, PoseHit
from svad.weights.store import Store

PHOTO = Path(__file__).parents[2] / "examples" / "ada" / "photo.jpg"


class Made:
    """A body model that always sees the same, in shares of whatever it gets."""

    def __init__(self, visible: float = 1.0, mask: float = 1.0) -> None:
        self.visible, self.mask = visible, mask
        self.sizes: list[tuple[int, int]] = []

    def pose(self, rgb: np.ndarray) -> PoseHit:
        height, width = rgb.shape[:2]
        self.sizes.append((width, height))
        points = np.full((33, 3), self.visible, np.float32)
        points[:, :2] = (0.5 * width, 0.25 * height)
        points[CORE[0], :2] = (0.5 * width, 0.75 * height)
        mask = np.zeros((height, width), np.float32)
        mask[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = self.mask
        return PoseHit(points, np.arange(33, dtype=np.float32), mask)


def eyes_of(models: Made, folder: Path) -> Eyes:
    return Eyes(cast(Landmarker, models), Store(Store.from_environment({}).entries, folder))


def test_what_is_seen_in_a_part_is_told_in_pixels_of_the_picture(tmp_path: Path) -> None:
    models = Made()
    seen = eyes_of(models, tmp_path).body(
        np.zeros((900, 700, 3), np.uint8), (100, 200, 500, 1000 - 200)
    )
    assert seen is not None
    assert max(models.sizes[0]) == 384  # the model is given no more than it can use
    x, y = seen.keypoints[coco.Keypoint.LEFT_ANKLE, :2]
    assert (x, y) == pytest.approx((300, 350), abs=1)
    assert seen.soft.shape == (900, 700)
    rows, columns = np.nonzero(seen.soft > 0.5)
    assert (rows.min(), rows.max()) == pytest.approx((350, 650), abs=3)
    assert (columns.min(), columns.max()) == pytest.approx((200, 400), abs=3)
    assert np.isfinite(seen.depth[5:17]).all() and np.isnan(seen.depth[coco.FACE]).all()


def test_nobody_is_there_where_the_model_is_unsure(tmp_path: Path) -> None:
    rgb = np.zeros((300, 200, 3), np.uint8)
    assert eyes_of(Made(visible=0.3), tmp_path).body(rgb, None) is None
    assert eyes_of(Made(mask=0.4), tmp_path).body(rgb, None) is None
    assert eyes_of(Made(), tmp_path).body(rgb, None) is not None


def test_an_example_person_is_seen_alike_quickly_and_thoroughly(tmp_path: Path) -> None:
    rgb = cv2.imread(str(PHOTO))[..., ::-1]
    rgb = cv2.resize(rgb, None, fx=600 / len(rgb), fy=600 / len(rgb), interpolation=cv2.INTER_AREA)
    eyes = Eyes(store=Store(Store.from_environment({}).entries, tmp_path))
    found = eyes.person(rgb)
    assert found is not None and found[1] == 0
    quick = eyes.body(rgb, found[0].box)
    assert quick is not None
    tall = found[0].box[3] - found[0].box[1]
    away = np.linalg.norm(quick.keypoints[5:17, :2] - found[0].keypoints[5:17, :2], axis=1)
    assert away.mean() < 0.03 * tall
    points, matte = eyes.sharp(rgb, quick)
    assert np.array_equal(points, quick.keypoints)  # without DWPose's files
    both = (matte > 127) & (quick.soft > 0.5)
    assert both.sum() / ((matte > 127) | (quick.soft > 0.5)).sum() > 0.85
    assert eyes.has_face(rgb, quick.keypoints)
    x, y = quick.keypoints[coco.Keypoint.NOSE, :2].astype(int)
    faceless = rgb.copy()
    half = tall // 6  # the whole head
    faceless[max(y - half, 0) : y + half, x - half : x + half] = (90, 60, 40)
    assert not eyes.has_face(faceless, quick.keypoints)
    assert not eyes.has_face(rgb[:, :8], quick.keypoints)
    assert eyes.body(np.full_like(rgb, 180), None) is None
