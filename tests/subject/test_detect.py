"""Finding the person: with the real models on drawn people, and the choices made around them."""

from __future__ import annotations

import os
import threading

import cv2
import numpy as np
import pytest

from svad.body import coco
from svad.config.subject import SubjectConfig
from svad.core.errors import PhotoError
from svad.subject import crops
from svad.subject import detect as d
from svad.subject.landmarker import _quiet, shared_landmarker
from svad.subject.look import look
from svad.types import Photo
from tests.subject.people import person, pose_of


@pytest.fixture(scope="module")
def detector() -> d.MediapipeDetector:
    return d.MediapipeDetector()


def test_drawn_person_is_found_where_they_are(detector: d.MediapipeDetector) -> None:
    one = person()
    found = detector.detect(one.rgb)
    assert found is not None and found.others == ()
    height = np.ptp(one.keypoints[:17, 1])
    away = np.linalg.norm(found.keypoints[5:17, :2] - one.keypoints[5:17, :2], axis=1)
    assert away.mean() < 0.03 * height and away.max() < 0.07 * height
    assert found.face is not None
    face = np.linalg.norm(found.face[:, :2] - one.face[:, :2], axis=1)
    assert np.median(face) < 0.02 * height
    mask = found.mask > 0.5
    solid = one.matte > 127
    assert (mask & solid).sum() / (mask | solid).sum() > 0.85
    assert np.isfinite(found.depth[5:17]).all() and np.isnan(found.depth[coco.FACE]).all()


def test_found_again_small_and_off_centre(detector: d.MediapipeDetector) -> None:
    one = person(width=240, height=320)
    wide = np.full((420, 900, 3), 205, np.uint8)
    wide[60:380, 600:840] = one.rgb
    found = detector.detect(wide)
    assert found is not None
    away = np.linalg.norm(found.keypoints[5:17, :2] - one.keypoints[5:17, :2] - (600, 60), axis=1)
    assert away.mean() < 0.04 * 300


def test_black_bars_do_not_hide_the_person(detector: d.MediapipeDetector) -> None:
    one = person()
    barred = np.zeros((520, 1100, 3), np.uint8)
    barred[:, 370:730] = one.rgb
    found = detector.detect(barred)
    assert found is not None
    assert abs(found.keypoints[0, 0] - one.keypoints[0, 0] - 370) < 12


def test_two_people_give_the_larger_one_and_the_other_s_mask(
    detector: d.MediapipeDetector,
) -> None:
    large, small = person(), person(width=252, height=364, betas=(-1.0, 1.0))
    both = np.full((520, 700, 3), (200, 205, 210), np.uint8)
    both[:, :360] = large.rgb
    both[140:504, 420:672] = small.rgb
    found = detector.detect(both)
    assert found is not None and found.keypoints[0, 0] < 360
    assert len(found.others) == 1
    assert found.others[0][:, 400:].sum() > 10 * found.others[0][:, :340].sum()


@pytest.mark.parametrize("kind", ["grey", "noise", "stripes"])
def test_nobody_is_nobody(detector: d.MediapipeDetector, kind: str) -> None:
    rgb = np.full((300, 300, 3), 128, np.uint8)
    if kind == "noise":
        rgb = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    if kind == "stripes":
        rgb[::7] = 20
    assert detector.detect(rgb) is None


def test_two_threads_at_once_get_the_same_answer(detector: d.MediapipeDetector) -> None:
    one, results = person(), []

    def work() -> None:
        results.append(detector.detect(one.rgb))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(results[0].keypoints, results[1].keypoints)


def test_back_of_a_person_is_refused() -> None:
    back = person(pose_of({0: (0, 180, 0)}))
    with pytest.raises(PhotoError, match="from behind"):
        look(Photo(back.rgb, None), SubjectConfig())


def test_native_chatter_is_dropped_and_all_else_passes(capfd) -> None:
    with _quiet():
        os.write(2, b"W0000 inference_feedback_manager.cc:114 Feedback manager\n")
        os.write(2, b"something went wrong\n")
    assert capfd.readouterr().err == "something went wrong\n"


def test_models_are_made_once() -> None:
    assert shared_landmarker() is shared_landmarker()


def test_bars_are_cut_but_a_white_studio_is_not() -> None:
    rgb = np.full((100, 200, 3), 90, np.uint8)
    rgb[:, :40] = 0
    rgb[:, 170:] = 0
    assert crops.without_bars(rgb) == (40, 0, 170, 100)
    studio = np.full((200, 100, 3), 255, np.uint8)
    cv2.ellipse(studio, (50, 110), (15, 70), 0, 0, 360, (90, 90, 90), -1)
    assert crops.without_bars(studio) == (0, 0, 100, 200)


def test_person_box_stays_in_the_picture() -> None:
    points = np.array([[-20, 30, 0.9], [50, 400, 0.9], [5000, 0, 0.1]], np.float32)
    mask = np.zeros((300, 200), np.float32)
    mask[100:120, 60:90] = 1
    x0, y0, x1, y1 = crops.person_box(points, mask, 0.1)
    assert (x0, y1) == (0, 300) and 90 <= x1 <= 200 and y0 < 30


def test_hand_is_taken_only_where_the_body_has_one() -> None:
    hand = np.zeros((21, 4), np.float32)
    hand[:, 2] = 0.9
    hand[1:, :2] = np.linspace((2, 0), (40, 0), 20)
    wrist, index, pinky = np.zeros(2), np.array((12.0, 2)), np.array((12.0, -2))
    assert d._best_hand([hand], wrist, index, pinky, 40.0) is not None
    assert d._best_hand([hand + 90], wrist, index, pinky, 40.0) is None
    assert d._best_hand([], wrist, index, pinky, 40.0) is None
