"""The measurement with fakes in place of the trainer, and the lines it writes."""

from __future__ import annotations

import numpy as np
import pytest

from svad.evaluate.methods import Methods, studio_photo
from svad.evaluate.synthetic import VIEWS, mean, measure
from svad.evaluate.table import sheet, table
from svad.evaluate.truth import Truth
from svad.learn.metrics import psnr


@pytest.mark.parametrize("frames", ["perfect", "generated", "clip"])
def test_both_methods_are_measured_against_the_truth(
    truth: Truth, fake_methods: Methods, frames: str
):
    closed, trained = measure(truth, frames, fake_methods, None)
    assert [closed.row.method, trained.row.method] == ["closed", "trained"]
    for view in VIEWS:
        # the right avatar in poses that a least squares fit found: rounding is all that is left
        assert trained.row.scores[view]["psnr"] > 45
        assert trained.row.scores[view]["psnr"] > closed.row.scores[view]["psnr"] + 10
        assert trained.row.scores[view]["ssim"] > 0.99
        assert len(trained.drawn[view]) == len(trained.truth[view].rgb)
    assert trained.row.seconds >= 0 and closed.row.seconds >= 0


def test_a_line_has_the_keys_it_should(truth: Truth, fake_methods: Methods):
    rows = [one.row for one in measure(truth, "perfect", fake_methods, lambda a, b: 0.5)]
    for row in (*rows, mean(rows)):
        line = row.line()
        assert set(line) == {"case", "frames", "method", *VIEWS, "seconds"}
        assert all(set(line[view]) == {"psnr", "ssim", "lpips"} for view in VIEWS)
    assert mean(rows).line() | {"case": "capsules"} == rows[1].line()
    with pytest.raises(ValueError, match="no trained"):
        mean(rows[:1])
    lines = table([*rows, mean(rows)]).splitlines()
    assert len(lines) == 4 and lines[0].split()[:3] == ["case", "method", "train"]
    assert f"{rows[1].scores['train']['psnr']:.2f} / " in lines[2]


def test_a_sheet_shows_truth_and_methods_side_by_side(truth: Truth, fake_methods: Methods):
    measured = list(measure(truth, "perfect", fake_methods, None))
    picture = sheet(truth, measured)
    assert picture.dtype == np.uint8 and picture.ndim == 3
    rows = 1 + 3 + 1 + 3  # photo, training, held out, novel poses
    assert picture.shape[0] == rows * (360 + 4)
    wide = 360 * 192 // 256
    of_truth, of_closed, of_trained = (picture[:360, k * wide : (k + 1) * wide] for k in range(3))
    assert psnr(of_trained, of_truth) > 35 > psnr(of_closed, of_truth)


def test_the_pipeline_gets_the_person_before_grey_paper(truth: Truth):
    photo = studio_photo(truth)
    assert photo.alpha is None
    inside, outside = truth.photo.matte[0] == 255, truth.photo.matte[0] == 0
    np.testing.assert_array_equal(photo.rgb[inside], truth.photo.rgb[0][inside])
    assert len(np.unique(photo.rgb[outside])) == 1 and 100 < photo.rgb[outside][0, 0] < 200
