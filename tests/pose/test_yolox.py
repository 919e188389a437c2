"""The person detector's input and output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from svad.pose import yolox


def test_the_letterbox_matches_the_published_one(golden: Path) -> None:
    data = np.load(golden / "affine.npz")
    expected = data["letterbox"]
    canvas, ratio = yolox.letterbox(data["image"], expected.shape[1:])
    assert ratio == pytest.approx(float(data["letterbox_ratio"]), abs=1e-9)
    difference = np.abs(canvas.transpose(2, 0, 1).astype(int) - expected.astype(int))
    assert difference.max() <= 1  # rounding of the bilinear resize


def test_persons_match_the_published_ones(golden: Path) -> None:
    data = np.load(golden / "yolox.npz")
    size = tuple(int(v) for v in data["input_hw"])
    boxes, scores = yolox.boxes_and_scores(data["raw"][0], size, float(data["ratio"]))
    np.testing.assert_allclose(boxes, data["boxes_xyxy"], atol=1e-3, rtol=0)
    found = yolox.person_boxes(boxes, scores)
    np.testing.assert_allclose(found, data["person_dets"], atol=1e-3, rtol=0)
    persons = found[found[:, 4] > yolox.PERSON_SCORE, :4]
    np.testing.assert_allclose(persons, data["person_boxes"], atol=1e-3, rtol=0)


def test_suppression_matches_the_published_one(golden: Path) -> None:
    data = np.load(golden / "yolox.npz")
    kept = [key for key in data.files if key.startswith("nms_keep_")]
    assert kept
    for key in kept:
        most = int(key.rpartition("_")[2]) / 100
        keep = yolox.suppress(data["nms_boxes"], data["nms_scores"], most)
        np.testing.assert_array_equal(keep, data[key])


def test_suppression_keeps_the_best_of_each_heap() -> None:
    boxes = np.array([[0, 0, 99, 99], [5, 0, 104, 99], [300, 0, 399, 99]], float)
    keep = yolox.suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.45)
    np.testing.assert_array_equal(keep, [1, 2])
    assert len(yolox.suppress(np.zeros((0, 4)), np.zeros(0), 0.45)) == 0


def test_a_network_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected .126, 85."):
        yolox.boxes_and_scores(np.zeros((100, 85)), (96, 64), 1.0)
