"""Which face is restored: known places, yaw, the nearest of several, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svad.config.restoration import RestorationConfig
from svad.geometry.similarity import move
from svad.restoration import faces, published
from svad.restoration.align import TEMPLATE
from svad.restoration.faces import FramedFace, framed, nearest
from svad.restoration.search import Found, Search
from tests.restoration.clips import (
    RowsDetector,
    body_landmarks,
    clip_of,
    known_face,
    known_points,
    row,
    subject,
)

MATTE = np.full((320, 240), 255, np.uint8)
UPRIGHT = move(TEMPLATE, np.array([[0.15, 0, 80.0], [0, 0.15, 60.0]]))  # a face of 77 px


def search(clip, detector=None, landmarks=None, **settings) -> Found:
    looking = Search(known=known_face(subject()), detector=detector, landmarks=landmarks)
    ticks: list[int] = []
    config = RestorationConfig(**settings)
    frames = looking.showing(clip, config.max_yaw)
    found = looking(clip, frames, config, lambda done, total: ticks.append(done))
    assert ticks or not found.faces
    return found


def test_only_frames_that_show_the_face_are_looked_at() -> None:
    clip = clip_of([(20.0, 0.0), (-50.0, 0.0), (90.0, 0.0), (180.0, 0.0)])
    found = search(clip)
    assert [face.frame for face in found.faces] == [0, 1, 2] and not found.left
    whole_turn = replace(clip, yaw=clip.yaw + np.float32(2 * np.pi))
    assert [face.frame for face in search(whole_turn).faces] == [0, 1, 2]
    assert [face.frame for face in search(clip, max_yaw=30.0).faces] == [0, 1]


def test_the_face_nearest_the_head_is_taken() -> None:
    clip = clip_of([(0.0, 0.0)])
    known = known_points(clip, 0)
    mine, other = known + (4, 3), known * 0.9 + (110, 150)
    assert np.allclose(nearest(np.stack([row(other), row(mine)]), known), mine)
    assert nearest(np.stack([row(known + (0, 150))]), known) is None  # on the trousers
    assert nearest(np.zeros((0, 15), np.float32), known) is None
    clip.rgb[1, 0, 0] = 1  # tells the frames apart
    rows = {clip.rgb[0].tobytes(): np.stack([row(other), row(mine)])}
    found = search(clip, RowsDetector(rows))
    assert [face.frame for face in found.faces] == [0] and found.left == {faces.NOT_FOUND: [1]}
    assert np.abs(move(mine, found.faces[0].matrix) - TEMPLATE).max() < 20  # px of the crop


def test_a_trackers_points_are_used_and_may_be_missing() -> None:
    clip = clip_of([(0.0, 0.0), (10.0, 0.0)])
    answers = [body_landmarks(clip, 0), None, body_landmarks(clip, 2)]
    found = search(clip, landmarks=lambda frame, box: answers.pop(0))
    assert [face.frame for face in found.faces] == [0, 2] and found.left == {faces.NOT_FOUND: [1]}


def test_a_good_face_is_framed() -> None:
    face = framed(3, UPRIGHT, MATTE, 40)
    assert isinstance(face, FramedFace) and face.frame == 3
    assert np.abs(move(UPRIGHT, face.matrix) - TEMPLATE).max() < 0.01


def test_faces_that_cannot_be_restored_are_left_with_a_reason() -> None:
    narrow = (UPRIGHT - UPRIGHT[2]) * (0.3, 1) + UPRIGHT[2]
    strewn = UPRIGHT - np.array([(0, 0), (0, 0), (0, 55), (0, 0), (0, 0)])
    cases = [
        (None, MATTE, faces.NOT_FOUND),
        (UPRIGHT + np.nan, MATTE, faces.NOT_FOUND),
        (UPRIGHT, 0 * MATTE, faces.NOT_FOUND),
        (strewn, MATTE, faces.NOT_FOUND),
        (UPRIGHT - (115, 0), MATTE, faces.CUT),
        (UPRIGHT + (500, 0), MATTE, faces.NOT_FOUND),
        (narrow, MATTE, faces.ASIDE),
        (UPRIGHT * 0.4 + 50, MATTE, faces.SMALL),
    ]
    for points, matte, reason in cases:
        assert framed(0, points, matte, 40) == reason


def test_the_published_way_leaves_only_faces_whose_eyes_are_close_together() -> None:
    sideways = (UPRIGHT - UPRIGHT[2]) * (0.3, 1) + UPRIGHT[2]
    for points in (UPRIGHT, sideways, UPRIGHT - (115, 0), UPRIGHT * 0.4 + 50):
        face = published.framed(2, points, 0 * MATTE, 40)
        assert isinstance(face, FramedFace) and face.frame == 2
    eyes = float(np.linalg.norm(UPRIGHT[0] - UPRIGHT[1]))
    assert published.framed(2, UPRIGHT * (4.9 / eyes), MATTE, 40) == faces.SMALL
    assert isinstance(published.framed(2, UPRIGHT * (5.1 / eyes), MATTE, 40), FramedFace)
    assert published.framed(2, None, MATTE, 40) == faces.NOT_FOUND
