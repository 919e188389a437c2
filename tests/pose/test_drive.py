"""The driving sequence: schedules, what is seen of a turning body, and its fit to a person."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from svad.body.coco import FACE, LEFT_HAND, RIGHT_HAND
from svad.body.free import load_free_body
from svad.body.model import BodyModel
from svad.geometry.camera import photo_camera
from svad.pose.align import align
from svad.pose.drive import (
    PAPER_FRAMES,
    Driving,
    drive_default,
    drive_fitted,
    even_turn,
    paper_turn,
)
from svad.types import BodyFit
from tests.helpers import one_pose
from tests.pose.figures import person

TURN = np.array([0.0, 90.0, -90.0, 180.0])  # front, facing picture-right, -left, away
SIZE = (360, 320)  # height, width


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_free_body()


@pytest.fixture(scope="module")
def driving(body: BodyModel) -> Driving:
    return drive_default(body, TURN, SIZE)


def test_the_paper_s_schedule() -> None:
    turn = paper_turn()
    assert len(turn) == PAPER_FRAMES == 189
    assert (turn[0], turn[85], turn[86], turn[147]) == pytest.approx((0, 0, 0, 0))
    assert (turn[148], turn[188]) == pytest.approx((130, 230))
    assert turn[:86].max() == pytest.approx(95, abs=2) and turn[:86].argmax() in (42, 43)
    assert turn[86:148].min() == pytest.approx(-85, abs=2)
    np.testing.assert_allclose(turn[:86], turn[85::-1])  # played backwards
    assert len(paper_turn(48)) == 48 and paper_turn(48).max() == 230


def test_the_even_turn_closes() -> None:
    turn = even_turn(40)
    np.testing.assert_allclose(np.diff(turn), 9)
    assert turn[0] == 0 and turn[-1] + 9 == 360


def test_the_whole_body_is_in_the_picture(driving: Driving) -> None:
    xy = driving.points[..., :2]
    assert xy.min() > 0 and (xy < (SIZE[1], SIZE[0])).all()
    heights = np.ptp(xy[..., 1], axis=1)
    assert (heights > 0.65 * SIZE[0]).all() and (heights < 0.85 * SIZE[0]).all()


def test_sides_and_scores_follow_the_turn(driving: Driving) -> None:
    front, right, left, away = driving.points
    assert front[5, 0] > front[6, 0] and away[5, 0] < away[6, 0]  # the person's left shoulder
    assert right[0, 0] > right[5:7, 0].mean() and left[0, 0] < left[5:7, 0].mean()  # the nose
    seen = driving.points[..., 2] > 0.9
    assert seen[0, :17].all() and seen[0, FACE].all()
    assert seen[0, LEFT_HAND].all() and seen[0, RIGHT_HAND].all()
    assert not seen[3, :3].any() and seen[3, FACE].mean() < 0.2  # no face from behind
    # one ear and one hand of the two in a profile: those on the near side
    assert not seen[1, 3] and seen[1, 4] and seen[2, 3] and not seen[2, 4]
    assert seen[1, RIGHT_HAND].all() and seen[1, LEFT_HAND].mean() < 0.5
    assert seen[2, LEFT_HAND].all() and seen[2, RIGHT_HAND].mean() < 0.5
    assert (driving.points[:, 5:17, 2] > 0.3).all()  # limbs are drawn from every side


def test_yaw_is_the_side_seen(driving: Driving) -> None:
    # turned to the picture's right, the body shows its right side
    np.testing.assert_allclose(np.degrees(driving.yaw[:3]), [0, -90, 90], atol=1e-4)
    assert abs(np.degrees(driving.yaw[3])) == pytest.approx(180)


def test_the_body_moves_a_little_and_keeps_its_feet(body: BodyModel) -> None:
    still = drive_default(body, np.zeros(12), SIZE).points
    moved = np.abs(still[:, :, :2] - still[:1, :, :2]).max((0, 2))
    assert moved[15:23].max() < 0.1  # ankles and feet
    assert 0.2 < moved[:11].max() < 8  # head and arms, pixels


def test_aligned_to_a_photo_the_front_has_its_proportions(driving: Driving) -> None:
    reference = person()
    result = align(reference, driving.figures())
    assert result.warnings == ()
    front, stretch = result.figures[0], np.array([reference.aspect, 1])
    np.testing.assert_allclose(front.body[1], reference.body[1], atol=1e-9)  # necks meet
    ours, theirs = front.body * stretch, reference.body * stretch
    for a, b in ((2, 5), (2, 3), (9, 10), (0, 1)):
        want = np.linalg.norm(theirs[a] - theirs[b])
        # left and right share a scale, and the driving figure is not quite symmetric
        assert np.linalg.norm(ours[a] - ours[b]) == pytest.approx(want, rel=0.06)
    assert set(asdict(result.scales)) >= {"neck", "hand"}


def test_a_fitted_body_stands_where_it_stood(body: BodyModel) -> None:
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    pose = one_pose(np.zeros((55, 3)), (0.3, -0.2, -4), ())
    fit = BodyFit(
        betas=np.zeros(1, np.float32),
        bone_scales=np.ones(11, np.float32),
        vertices=rest.vertices.numpy(),
        joints=rest.joints.numpy(),
        pose=pose,
        camera=photo_camera(300, 400),
    )
    ticks = []
    driving = drive_fitted(body, fit, np.array([0.0, 180.0]), lambda *tick: ticks.append(tick))
    assert ticks == [(1, 2), (2, 2)]
    assert driving.camera == fit.camera and len(driving.poses) == 2
    soles = []
    for pose in (*fit.pose, *driving.poses):
        rotations, translation = pose.rotations, pose.translation
        vertices = body.pose_vertices(rest, rotations, translation)
        joints = body.posed_joints(rest.joints, rotations, translation)
        soles.append(float(vertices[:, 1].min()))
        np.testing.assert_allclose(joints[0, [0, 2]], rest.joints[0, [0, 2]] + translation[[0, 2]])
    assert np.ptp(soles) < 0.01
    pelvis = [float(p.translation[0]) for p in driving.poses]
    np.testing.assert_allclose(pelvis, 0.3, atol=1e-5)
