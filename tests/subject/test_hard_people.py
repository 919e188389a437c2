"""Which way round, who, what: people as photos show them, drawn, with the real detector."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from svad.body import coco
from svad.config.subject import SubjectConfig
from svad.core.errors import PhotoError
from svad.subject import faces, judge, upright
from svad.subject.detect import MediapipeDetector
from svad.subject.look import Look, look
from svad.types import Photo
from tests.subject.people import Person, person, pose_of

WALL = (200, 205, 210)


@pytest.fixture(scope="module")
def one() -> Person:
    return person()


@pytest.fixture(scope="module")
def detector() -> MediapipeDetector:
    return MediapipeDetector()


def seen(rgb: np.ndarray) -> Look:
    return look(Photo(rgb, None), SubjectConfig())


def place(rgb: np.ndarray, some: Person, x: int, y: int, tall: int) -> np.ndarray:  # [H, W] bool
    """Lays a drawn person of this height into a picture; gives where they are now."""
    rows, columns = (np.flatnonzero((some.matte > 127).any(axis)) for axis in (1, 0))
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = tall / (rows[-1] - rows[0] + 1)
    small = cv2.resize(some.rgb[cut], None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    matte = cv2.resize(some.matte[cut], small.shape[1::-1], interpolation=cv2.INTER_AREA)
    part = rgb[y : y + small.shape[0], x : x + small.shape[1]]
    alpha = matte[..., None] / 255.0
    part[...] = (small * alpha + part * (1 - alpha) + 0.5).astype(np.uint8)
    where = np.zeros(rgb.shape[:2], bool)
    where[y : y + small.shape[0], x : x + small.shape[1]] = matte > 127
    return where


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_pictures_are_righted_and_it_is_said(turns: int, one: Person) -> None:
    result = seen(np.ascontiguousarray(np.rot90(one.rgb, turns)))
    np.testing.assert_array_equal(result.photo.rgb, one.rgb)
    said = upright.UPSIDE_DOWN if turns == 2 else upright.ON_ITS_SIDE
    assert result.warnings == (said,)


def test_transparency_is_turned_with_the_picture(one: Person, detector: MediapipeDetector) -> None:
    lying = Photo(np.rot90(one.rgb), np.rot90(one.matte))
    photo, found = upright.find_upright(lying, detector)
    assert found is not None and photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, one.matte)


@pytest.mark.parametrize("corner", [(0.0, 1.0), (0.55, 0.4), (1.0, 0.0)])
def test_small_people_are_found_anywhere(
    corner: tuple[float, float], one: Person, detector: MediapipeDetector
) -> None:
    rgb = np.full((2250, 4000, 3), WALL, np.uint8)
    rgb[::90] = rgb[:, ::110] = 150
    x, y = int(corner[0] * (4000 - 170)), int(corner[1] * (2250 - 300))
    where = place(rgb, one, x, y, 300)
    found = detector.detect(rgb)
    assert found is not None
    mask = found.mask > 0.5
    assert (mask & where).sum() / (mask | where).sum() > 0.7


def test_tallest_is_taken_and_the_others_are_counted(one: Person) -> None:
    rgb = np.full((520, 1000, 3), WALL, np.uint8)
    broad = person(pose_of({16: (0, 0, 60), 17: (0, 0, -60)}), betas=(2.0, 3.0))
    place(rgb, broad, 60, 150, 300)
    where = place(rgb, one, 420, 60, 420)
    place(rgb, one, 760, 180, 250)
    result = seen(rgb)
    assert judge.OTHERS.format(others=2) in result.warnings
    assert ((result.matte > 127) & where).sum() / where.sum() > 0.95


def test_no_neighbour_in_the_matte(one: Person) -> None:
    rgb = np.full((520, 700, 3), WALL, np.uint8)
    drawn = person(betas=(-1.0, 1.0))
    other = replace(drawn, rgb=np.ascontiguousarray(drawn.rgb[..., [1, 0, 2]]))  # other clothes
    beside = [place(rgb, other, x, 110, 330) for x in (95, 380)]  # arms and bodies touch
    mine = place(rgb, one, 220, 60, 400)
    result = seen(rgb)
    assert result.matte.shape == mine.shape
    found = result.matte > 127
    for where in beside:
        assert (found & where & ~mine).sum() < 0.02 * where.sum()
    assert (found & mine).sum() / mine.sum() > 0.95


def test_side_view_is_said_to_be_one() -> None:
    result = seen(person(pose_of({0: (0, 88, 0)})).rgb)
    assert judge.SIDE in result.warnings


@pytest.mark.parametrize("cap", [False, True])
def test_back_views_get_no_face(cap: bool) -> None:
    back = person(pose_of({0: (0, 180, 0)}))
    rgb = back.rgb.copy()
    if cap:  # a pattern that looks a little like eyes and a mouth
        x, y = (int(v) for v in back.keypoints[coco.Keypoint.NOSE, :2])
        for dx, dy in ((-7, -8), (7, -8), (0, 6)):
            cv2.ellipse(rgb, (x + dx, y + dy), (4, 2), 0, 0, 360, (220, 220, 220), -1, cv2.LINE_AA)
    with pytest.raises(PhotoError, match="from behind"):
        seen(rgb)


@pytest.mark.parametrize("turn", [(0, 55, 0), (25, 0, 30)])
def test_turned_and_bent_faces_are_found(
    turn: tuple[float, float, float], detector: MediapipeDetector
) -> None:
    some = person(pose_of({15: turn}))
    found = detector.detect(some.rgb)
    assert found is not None and found.face is not None
    away = np.linalg.norm(found.face[:, :2] - some.face[:, :2], axis=1)
    assert np.median(away) < 0.03 * np.ptp(some.keypoints[:17, 1])


def test_second_look_sets_the_head_upright(one: Person, detector: MediapipeDetector) -> None:
    x, y = (float(v) for v in one.keypoints[coco.Keypoint.NOSE, :2])
    turn = cv2.getRotationMatrix2D((x, y), 70, 1.0)
    size = one.rgb.shape[1::-1]
    rgb = cv2.warpAffine(one.rgb, turn, size, borderValue=WALL)
    found = detector.detect(one.rgb)
    assert found is not None
    models = detector._models
    hit = models.pose(one.rgb)
    assert hit is not None
    hit.points[:, :2] = hit.points[:, :2] @ turn[:, :2].T + turn[:, 2]
    mesh = faces.second_look(models, (rgb * 0.4).astype(np.uint8), hit)
    assert mesh is not None
    true = one.face[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert np.median(np.linalg.norm(mesh[:, :2] - true, axis=1)) < 6


def test_missing_head_is_named(one: Person) -> None:
    neck = int(one.keypoints[list(coco.SHOULDERS), 1].mean()) - 4
    with pytest.raises(PhotoError) as caught:
        seen(one.rgb[neck:])
    assert str(caught.value) == judge.NO_HEAD


def test_legs_alone_are_named(one: Person) -> None:
    hips = int(one.keypoints[list(coco.HIPS), 1].mean()) + 12
    with pytest.raises(PhotoError) as caught:
        seen(one.rgb[hips:])
    assert str(caught.value) == judge.ONLY_LEGS
