"""The published fusion, step by step, at the limits of the golden cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from svad.geometry import similarity
from svad.identity import published
from tests.identity.golden import Case, cases


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    names = ("orig", "head", "landmarks_orig", "landmarks_head")
    return tuple(case.inputs[name].numpy() for name in names)


def test_every_step_is_the_published_one(golden_root: Path) -> None:
    for case in cases(golden_root, "face_warp*"):
        frame, head, frame_points, head_points = arrays(case)
        stretched = published.stretch(head, frame.shape)
        case.check("head_resized", stretched)
        disparity = similarity.disparity(frame_points, head_points)
        case.check("disparity", np.array([disparity]))
        case.check("accepted", np.array([disparity <= published.DISPARITY]).astype(int))
        matrix, inliers = published.robust_similarity(head_points, frame_points)
        assert matrix is not None
        case.check("M", matrix)
        case.check("inliers", inliers.astype(np.uint8))
        warped = published.warp(stretched, matrix)
        case.check("warped", warped)
        mask = published.hull_mask(frame_points, frame.shape)
        case.check("mask", mask)
        box = published.rectangle(frame_points)
        case.check("rect", np.array(box))
        case.check("center", np.array(published.centre(box)))
        case.check("result", published.clone(frame, warped, mask))


def test_a_full_mask_blends_as_opencv_does(golden_root: Path) -> None:
    for case in cases(golden_root, "face_warp*"):
        frame, _, points, _ = arrays(case)
        warped = case.expected["warped"].numpy()
        found = published.clone(frame, warped, published.hull_mask(points, frame.shape, 255))
        error = np.abs(found.astype(int) - case.expected["result_mask255"].numpy())
        # one grey level: releases of OpenCV differ from one another by as much
        assert error.max() <= 1 and error.mean() < 0.002
