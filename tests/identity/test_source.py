"""The head is taken from the close-up where there is one, and nothing moves by that."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from svad.body.coco import FACE
from svad.identity.source import head_source
from svad.types import Closeup, Photo, Subject
from tests.identity.test_track import face_points

FINE = 3  # pixels of the close-up per working pixel


def original() -> np.ndarray:  # [960, 720, 3]
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (60, 45, 3)).astype(np.uint8)
    return cv2.resize(coarse, (720, 960), interpolation=cv2.INTER_CUBIC)


def subject(box: tuple[int, int, int, int] | None, middle: tuple[int, int] = (120, 100)) -> Subject:
    """A photo, three times reduced, with a close-up of `box` from the original."""
    large = original()
    small = cv2.resize(large, (240, 320), interpolation=cv2.INTER_AREA)
    matte = np.full((320, 240), 255, np.uint8)
    keypoints = np.ones((133, 3))
    keypoints[FACE, :2] = face_points(middle, 30)
    head = None
    if box:
        x0, y0, x1, y1 = (FINE * v for v in box)
        part = large[y0:y1, x0:x1]
        head = Closeup(part, np.full(part.shape[:2], 200, np.uint8), box, FINE)
    photo = Photo(small, None)
    return Subject(photo, matte, keypoints, None, head, None, ())  # type: ignore[arg-type]


@pytest.mark.parametrize("box", [(80, 60, 160, 150), (0, 0, 200, 170), (100, 90, 110, 100)])
@pytest.mark.parametrize("middle", [(120, 100), (25, 20)])
def test_the_close_up_lies_where_it_belongs(box: tuple, middle: tuple[int, int]) -> None:
    given = subject(box, middle)
    found = head_source(given)
    assert found.density == FINE and found.matte.shape == found.rgb.shape[:2]
    points = given.keypoints[FACE, :2]
    assert np.allclose(found.points / FINE + found.origin, points)
    x, y = (FINE * v for v in found.origin)
    large = original()[y : y + found.rgb.shape[0], x : x + found.rgb.shape[1]]
    fine = found.matte == 200
    assert np.array_equal(found.rgb[fine], large[fine])  # the close-up's own pixels
    rest = np.abs(found.rgb.astype(int) - large)[~fine]
    assert not rest.size or rest.mean() < 12  # an enlargement elsewhere, but no shift


def test_without_close_up_or_face_the_photo_itself_is_taken() -> None:
    plain = subject(None)
    found = head_source(plain)
    assert found.rgb is plain.photo.rgb and found.density == 1 and found.points is not None
    unseen = subject((80, 60, 160, 150))
    keypoints = unseen.keypoints * (1, 1, 0.1)
    found = head_source(replace(unseen, keypoints=keypoints))
    assert found.points is None and found.rgb is unseen.photo.rgb
