"""Landmarks where the pose says a face is, and the pictures the stage shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.coco import FACE
from svad.body.free import load_free_body
from svad.face.projection import KnownFace
from svad.identity import align
from svad.identity.fusion import NO_FACE, NotFused
from svad.identity.locate import SIDE, locate
from svad.identity.pictures import THUMBNAIL, best_photo, close_up, turntable
from svad.subject.landmarker import shared_landmarker
from tests.identity import whole

FRAME = np.zeros((300, 200, 3), np.uint8)
EXPECTED = np.random.default_rng(0).normal((110, 80), 15, (68, 2))


def test_the_fitted_body_expects_the_photos_face_where_it_is() -> None:
    subject = whole.subject("ada")
    expected = KnownFace(load_free_body(), subject.body)
    found = expected.landmarks(subject.body.pose[0], subject.body.camera)
    truth = subject.keypoints[FACE, :2]
    assert np.linalg.norm(found - truth, axis=1).mean() < 0.12 * align.face_size(truth)


def test_a_detector_finds_the_small_face_of_a_whole_person() -> None:
    subject = whole.subject("kenji")
    expected = KnownFace(load_free_body(), subject.body)
    near = expected.landmarks(subject.body.pose[0], subject.body.camera)
    found = locate(subject.photo.rgb, near, shared_landmarker().face_points)
    truth = subject.keypoints[FACE, :2]
    assert np.linalg.norm(found - truth, axis=1).mean() < 0.03 * align.face_size(truth)


def test_what_is_found_in_the_cut_is_told_in_the_frame() -> None:
    cuts = []

    def detect(cut: np.ndarray) -> np.ndarray:
        cuts.append(cut)
        return (EXPECTED - low) * zoom

    size = align.face_size(EXPECTED)
    low = np.maximum(np.floor(EXPECTED.min(0) - size), 0)
    high = np.minimum(np.ceil(EXPECTED.max(0) + size), (200, 300))
    zoom = SIDE / (high - low).max()
    np.testing.assert_allclose(locate(FRAME, EXPECTED, detect), EXPECTED, atol=0.2)
    assert max(cuts[0].shape[:2]) == SIDE


def test_without_a_detector_the_pose_is_believed() -> None:
    np.testing.assert_array_equal(locate(FRAME, EXPECTED, None), EXPECTED)


@pytest.mark.parametrize(
    "answer",
    [None, np.full((68, 2), 256.0), np.random.default_rng(1).uniform(0, 60, (68, 2))],
    ids=["nothing", "a point", "another place"],
)
def test_a_face_that_cannot_be_the_persons_is_not_believed(answer: np.ndarray | None) -> None:
    with pytest.raises(NotFused, match=NO_FACE):
        locate(FRAME, EXPECTED, lambda _: answer)


def test_a_face_outside_of_the_frame_is_not_looked_for() -> None:
    with pytest.raises(NotFused, match=NO_FACE):
        locate(FRAME, EXPECTED + (5000, 0), lambda cut: pytest.fail("no cut can be made"))


def test_the_photo_takes_the_sharper_head() -> None:
    subject = whole.subject("ada")
    rgb, matte, points = best_photo(subject)
    head = subject.head
    assert head is not None and points is not None
    d = head.density
    assert rgb.shape[:2] == matte.shape == tuple(d * side for side in subject.matte.shape)
    x0, y0, x1, y1 = (d * side for side in head.box)
    np.testing.assert_array_equal(rgb[y0:y1, x0:x1], head.rgb)
    np.testing.assert_allclose(points, subject.keypoints[FACE, :2] * d)
    plain = best_photo(replace(subject, head=None))
    assert plain[0] is subject.photo.rgb and plain[1] is subject.matte
    unseen = subject.keypoints.copy()
    unseen[FACE, 2] = 0
    assert best_photo(replace(subject, keypoints=unseen))[2] is None


def test_thumbnails() -> None:
    views = [(angle, np.full((64, 64, 3), i, np.uint8)) for i, angle in enumerate((0.5, -1, 0, 1))]
    picture = turntable(views)
    assert picture is not None and picture.shape == (THUMBNAIL, 4 * THUMBNAIL, 3)
    shown = picture[0, ::THUMBNAIL, 0].tolist()
    assert shown == [1, 2, 0, 3]  # from one side to the other, none twice
    assert turntable([]) is None
    for place in (EXPECTED, EXPECTED - 200, EXPECTED + 200):  # also at the border and beyond
        assert close_up(FRAME, place).shape == (THUMBNAIL, THUMBNAIL, 3)
