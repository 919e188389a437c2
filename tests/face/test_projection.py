"""Where a known face is in a frame: as the whole posed body has it, and as the photo shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.coco import FACE
from svad.body.free import load_free_body
from svad.face.projection import KnownFace, eye_places
from svad.geometry.camera import orbit_camera
from tests.restoration.clips import body_landmarks, clip_of, known_face, subject


def test_without_the_photos_points_the_landmarks_are_the_posed_bodys() -> None:
    clip = clip_of([(25.0, 0.1), (180.0, 0.0)])
    known = KnownFace(load_free_body(), subject().body)
    for frame, (pose, camera) in enumerate(zip(clip.poses, clip.cameras, strict=True)):
        found = known.landmarks(pose, camera)
        assert np.abs(found - body_landmarks(clip, frame)).max() < 0.01  # px


def test_an_expression_moves_the_landmarks() -> None:
    body, fit = load_free_body(), subject().body
    known, open_ = KnownFace(body, fit), torch.zeros(len(body.expression_names))
    open_[body.expression_names.index("jawOpen")] = 1
    closed = known.landmarks(fit.pose[0], fit.camera)
    moved = known.landmarks(replace(fit.pose[0], expression=open_), fit.camera) - closed
    assert moved[8, 1] > 1 and np.abs(moved[27:31]).max() < 0.5  # px: the chin, not the nose


def test_the_point_between_the_eyes_goes_with_the_head() -> None:
    body, clip = load_free_body(), clip_of([(40.0, 0.0), (-90.0, 0.2)])
    fit = subject().body
    turns, places = eye_places(clip.poses, fit.joints, tuple(body.parents))
    known = KnownFace(body, fit)
    ahead = []
    for pose, turn, place in zip(clip.poses, turns, places, strict=True):
        head, joint = known.head(pose)
        np.testing.assert_allclose(turn, head, atol=1e-5)
        ahead.append((place - joint) @ turn)
    np.testing.assert_allclose(ahead, ahead[:1] * len(ahead), atol=1e-5)
    assert ahead[0][1] > 0.03 and ahead[0][2] > 0.03  # metres: above and before the joint


def test_the_known_face_is_the_photos_in_the_photo_and_turns_with_the_head() -> None:
    clip = clip_of([(25.0, 0.1)])
    one = subject()
    shift = np.array([3.0, -2.0])  # px, by which the photo's face lies beside the body's
    points = one.keypoints.copy()
    points[FACE, :2] = body_landmarks(clip, 0) + shift
    known = known_face(replace(one, keypoints=points))
    first = known.landmarks(clip.poses[0], clip.cameras[0])
    assert np.abs(first - points[FACE, :2]).max() < 0.01
    away = known.landmarks(clip.poses[1], clip.cameras[1]) - body_landmarks(clip, 1)
    assert np.abs(away[:, 1] + 2).max() < 0.3  # what is up and down stays
    assert np.abs(away[:, 0] - 3 * np.cos(np.radians(25))).max() < 0.4  # seen from the side


def test_landmarks_of_the_photo_that_cannot_be_are_not_believed() -> None:
    clip, one = clip_of([]), subject()
    points = one.keypoints.copy()
    points[FACE, :2] = 5.0
    lost = known_face(replace(one, keypoints=points))
    found = lost.landmarks(clip.poses[0], clip.cameras[0])
    assert np.abs(found - body_landmarks(clip, 0)).max() < 0.01


@pytest.mark.parametrize("degrees", [-170, -80, -30, 0, 45, 90, 150])
def test_yaw_is_that_between_face_and_camera(degrees: float) -> None:
    clip, known = clip_of([(20.0, 0.0)]), known_face(subject())
    place = known.head(clip.poses[0])[1]
    camera = orbit_camera(place, 3.0, np.radians(degrees), 0.3, 500, 200, 200)
    assert np.degrees(known.yaw(clip.poses[0], camera)) == pytest.approx(abs(degrees), abs=3)
    turned = np.degrees(known.yaw(clip.poses[1], camera))
    assert turned == pytest.approx(min(abs(degrees - 20), 360 - abs(degrees - 20)), abs=5)
