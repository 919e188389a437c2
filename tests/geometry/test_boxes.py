"""Boxes: crops, letterbox, and suppression against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.geometry.boxes import around, crop, cut, letterbox, overlap, resize, suppress


def test_a_crop_is_the_picture_where_there_is_one() -> None:
    image = torch.arange(1.0, 21.0).reshape(1, 4, 5)
    found = crop(image, (-2, -1, 7, 6))
    assert found.shape == (1, 7, 9) and torch.equal(found[:, 1:5, 2:7], image)
    assert found.sum() == image.sum()
    assert torch.equal(crop(image, (1, 1, 3, 4)), image[:, 1:4, 1:3])
    for box in ((-9, -9, -2, -3), (6, 5, 9, 9), (-9, 1, -1, 3)):
        outside = crop(image, box)
        assert outside.shape == (1, box[3] - box[1], box[2] - box[0]) and not outside.any()


def test_a_cut_at_its_own_size_is_the_crop() -> None:
    image = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))
    box = (-3, 5, 9, 17)
    torch.testing.assert_close(cut(image, box, 12), crop(image, box))


def test_a_box_around_points_holds_them_tightly() -> None:
    points = np.random.default_rng(0).normal(size=(9, 2))
    left, top, right, bottom = around(points)
    assert (points >= (left, top)).all() and (points <= (right, bottom)).all()
    assert {left, right} <= set(points[:, 0]) and {top, bottom} <= set(points[:, 1])


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(45, 77, 374, 640), (77, 45, 640, 374), (90, 33, 640, 234), (64, 64, 640, 640)],
)
def test_the_long_side_of_a_letterbox_is_filled(
    height: int, width: int, rows: int, columns: int
) -> None:
    picture = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    found, (x, y), scale = letterbox(picture, 640, 2.0)
    assert found.shape == (3, 640, 640) and scale == 640 / max(height, width)
    assert (x, y) == ((640 - columns) // 2, (640 - rows) // 2)
    shown = found[:, y : y + rows, x : x + columns]
    torch.testing.assert_close(shown, resize(picture, (rows, columns)))
    assert int((found == 2.0).sum()) == 3 * (640 * 640 - rows * columns)


@pytest.mark.parametrize("long", [77, 154, 303, 308, 319, 581, 606, 616, 623, 638])
def test_no_long_side_falls_short_by_rounding(long: int) -> None:
    assert int(long * (640 / long)) == 639  # what floating point makes of it
    found, padding, _ = letterbox(torch.ones(1, 3, long), 640, 0.0)
    assert padding[0] == 0 and bool(found[0].any(0).all())


@pytest.mark.parametrize("pixel", [0, 1])
def test_suppression_is_that_of_a_plain_loop(pixel: int) -> None:
    random = np.random.default_rng(0)
    low = random.uniform(0, 60, (80, 2))
    boxes = np.concatenate([low, low + random.uniform(5, 40, (80, 2))], 1)

    def shared(a: np.ndarray, b: np.ndarray) -> float:
        width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + pixel)
        height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + pixel)
        areas = [(c[2] - c[0] + pixel) * (c[3] - c[1] + pixel) for c in (a, b)]
        return width * height / (sum(areas) - width * height)

    kept: list[int] = []
    for i, box in enumerate(boxes):
        if all(shared(box, boxes[k]) <= 0.4 for k in kept):
            kept.append(i)
    assert 10 < len(kept) < 70
    assert suppress(boxes, 0.4, pixel).tolist() == kept
    assert suppress(boxes, 0.4, pixel, limit=3).tolist() == kept[:3]
    assert suppress(boxes[:0], 0.4, pixel).tolist() == []
    for k in range(3):
        found = overlap(boxes[k], boxes, pixel)
        np.testing.assert_allclose(found, [shared(boxes[k], box) for box in boxes])
