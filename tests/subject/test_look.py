"""The first look, the stage, and what a person is told, mostly with a fake detector."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.model import BodyModel
from svad.config.subject import SubjectConfig
from svad.core.errors import PhotoError, Stopped
from svad.subject import judge
from svad.subject.detect import Detection
from svad.subject.evidence import JOINT_OF, Evidence, gather
from svad.subject.look import Look, look
from svad.subject.stage import SubjectStage
from svad.types import BodyFit, Photo
from tests.subject.people import Person, person

CONFIG = SubjectConfig()


class Fake:
    """A detector that answers what the test says."""

    def __init__(self, answer: Detection | None) -> None:
        self.answer = answer

    def detect(self, rgb: np.ndarray) -> Detection | None:
        return self.answer


def seen(one: Person, **changes: object) -> Detection:
    """What a perfect detector would say about a drawn person."""
    mask = cv2.GaussianBlur(one.matte.astype(np.float32) / 255, (0, 0), 4)
    depth = np.full(133, np.nan, np.float32)
    found = Detection(keypoints=one.keypoints, depth=depth, face=one.face, mask=mask, others=())
    return dataclasses.replace(found, **changes)


def look_at(one: Person, alpha: np.ndarray | None = None, **changes: object) -> Look:
    return look(Photo(one.rgb, alpha), CONFIG, Fake(seen(one, **changes)))


def test_a_good_photo_has_no_warnings() -> None:
    one = person()
    result = look_at(one)
    assert result.warnings == ()
    assert result.overlay.shape == one.rgb.shape and result.overlay.dtype == np.uint8
    assert result.matte.shape == one.matte.shape


def test_nobody_is_refused() -> None:
    with pytest.raises(PhotoError, match="No person"):
        look(Photo(np.zeros((200, 200, 3), np.uint8), None), CONFIG, Fake(None))


def test_tiny_person_is_refused() -> None:
    one = person(width=200, height=200, place=(0.0, 0.0, -14.0))
    with pytest.raises(PhotoError, match="pixels high"):
        look_at(one)


def test_back_view_is_refused() -> None:
    one = person()
    points = one.keypoints.copy()
    for left, right in ((5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)):
        points[[left, right]] = points[[right, left]]
    with pytest.raises(PhotoError, match="from behind"):
        look_at(one, keypoints=points, face=None)


def test_cut_people_are_told_what_is_missing() -> None:
    one = person()

    def cut(row: int) -> tuple[str, ...]:
        part = dataclasses.replace(one, rgb=one.rgb[:row], matte=one.matte[:row])
        return look_at(part).warnings

    knee, ankle, hip = (one.keypoints[i, 1] for i in (13, 15, 11))
    assert judge.WAIST in cut(int(hip + 10))
    assert judge.KNEES in cut(int(0.5 * (knee + ankle)))


def test_others_no_face_and_marble_are_mentioned() -> None:
    one = person()
    other = np.zeros(one.matte.shape, bool)
    other[200:400, 5:40] = True
    assert judge.OTHERS.format(others=1) in look_at(one, others=(other,)).warnings
    assert judge.FACE in look_at(one, face=None).warnings
    grey = np.repeat(cv2.cvtColor(one.rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    assert judge.DRAWN in look_at(dataclasses.replace(one, rgb=grey)).warnings


def test_alpha_is_the_matte() -> None:
    one = person()
    result = look_at(one, alpha=one.matte)
    assert np.abs(result.matte.astype(int) - one.matte).mean() < 0.3


def test_large_photo_is_worked_on_at_the_wanted_height() -> None:
    one = person(width=900, height=1300)
    result = look_at(one)
    rows = np.where((result.matte > 127).any(1))[0]
    assert abs(rows[-1] - rows[0] + 1 - CONFIG.person_height) < 16


def test_head_is_cut_at_double_density_and_agrees_with_the_matte() -> None:
    one = person(width=900, height=1300)
    result = look_at(one)
    head = result.head
    x0, y0, x1, y1 = head.box
    assert head.rgb.shape == (2 * (y1 - y0), 2 * (x1 - x0), 3) == (*head.matte.shape, 3)
    small = cv2.resize(head.rgb, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    there = result.photo.rgb[y0:y1, x0:x1]
    assert np.abs(small.astype(int) - there).mean() < 2.5
    matte = cv2.resize(head.matte, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    assert np.abs(matte.astype(int) - result.matte[y0:y1, x0:x1]).mean() < 3
    inside = (result.face[:, 0] > x0) & (result.face[:, 0] < x1) & (result.face[:, 1] > y0)
    assert inside.all()


def landmark_error(fit: BodyFit, body: BodyModel, evidence: Evidence) -> float:
    """Mean distance of joints from trusted landmarks in the picture, shares of the body height."""
    pose = fit.pose.rotations[0], fit.pose.translation[0]
    joints = fit.camera.project(body.posed_joints(torch.from_numpy(fit.joints), *pose).numpy())
    away = [
        np.linalg.norm(joints[joint, :2] - evidence.keypoints[coco, :2])
        for coco, joint in JOINT_OF.items()
        if evidence.trust[coco] > 0.5
    ]
    return float(np.mean(away) / evidence.unit) if away else float("nan")


def test_stage_gives_a_subject_and_reports_on_the_way() -> None:
    one, body = person(), load_free_body()
    first = look_at(one)
    calls: list[tuple[int, int, str, bool]] = []

    def report(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
        calls.append((done, total, note, picture is not None))

    subject = SubjectStage(CONFIG, body).run(first.photo, report, first)
    assert subject.body.camera.width == one.rgb.shape[1]
    evidence = gather(first.keypoints, first.depth, first.face, first.matte)
    assert landmark_error(subject.body, body, evidence) < 0.004
    done = [call[0] for call in calls]
    assert done == sorted(done) and done[-1] == calls[-1][1] and len(done) > 10
    assert sum(call[3] for call in calls) == 2


def test_stage_stops_when_asked() -> None:
    first = look_at(person())

    def report(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
        if done > 40:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        SubjectStage(CONFIG, load_free_body()).run(first.photo, report, first)
