"""The fitted body as a first guess: as finely divided as fits, bound as the body is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.model.body_start import body_start
from svad.avatar.model.learned import Learned
from svad.body.free import load_free_body
from svad.body.model import BodyModel
from svad.body.skin import pose_gaussians
from svad.body.subdivide import subdivide
from svad.pose.drive import rest_of
from svad.types import Avatar, Subject
from tests.helpers import one_pose, tiny_avatar
from tests.relief.people import subject_of


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_free_body()


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of(size=(96, 140))


@pytest.fixture(scope="module")
def avatar(body: BodyModel, subject: Subject) -> Avatar:
    """Of the preview's kind, with the body's joints and expressions."""
    plain = tiny_avatar(800, width=96, height=140)
    return replace(
        plain,
        joints=torch.from_numpy(subject.body.joints),
        parents=body.parents,
        expression_names=body.expression_names,
        pose=subject.body.pose,
    )


def counts(body: BodyModel) -> list[int]:
    """Vertices after 0, 1 and 2 divisions."""
    found, faces = [body.weights.shape[0]], body.faces
    for _ in range(2):
        level = subdivide(faces, found[-1])
        found.append(found[-1] + len(level.edges))
        faces = level.faces
    return found


@pytest.mark.parametrize("level", [0, 1, 2])
def test_it_is_divided_as_often_as_fits_and_never_more_than_twice(
    avatar: Avatar, subject: Subject, body: BodyModel, level: int
) -> None:
    wanted = counts(body)[level]
    assert len(body_start(avatar, subject, body, wanted).gaussians) == wanted
    more = wanted * 3 if level < 2 else wanted * 100
    assert len(body_start(avatar, subject, body, more).gaussians) == wanted


def test_there_are_never_fewer_than_the_body_has(
    avatar: Avatar, subject: Subject, body: BodyModel
) -> None:
    start = body_start(avatar, subject, body, 1)
    assert len(start.gaussians) == counts(body)[0]
    np.testing.assert_allclose(start.gaussians.means, subject.body.vertices, atol=1e-6)


def test_everything_is_of_one_length_and_valid(
    avatar: Avatar, subject: Subject, body: BodyModel
) -> None:
    start = body_start(avatar, subject, body, counts(body)[1])
    count = counts(body)[1]
    assert start.joint_ids.shape == start.joint_weights.shape == (count, 4)
    torch.testing.assert_close(start.joint_weights.sum(1), torch.ones(count))
    g = start.gaussians
    assert g.scales.min() > 0 and g.scales.max() < 0.1  # metres
    assert g.colors.min() >= 0 and g.colors.max() <= 1
    assert start.expression_ids.max() < count
    assert start.expression_dirs.shape == (
        len(start.expression_ids), body.expression_dirs.shape[-1], 3,
    )  # fmt: skip
    assert start.expression_dirs.abs().amax((1, 2)).min() > 0
    assert start.mesh is avatar.mesh and start.camera is avatar.camera


def test_it_is_posed_as_the_body_is(avatar: Avatar, subject: Subject, body: BodyModel) -> None:
    """But for the blend that thins no bends, and for weights beyond four joints."""
    start = body_start(avatar, subject, body, 1)
    random = np.random.default_rng(0)
    turns = np.zeros((55, 3))
    turns[:22] = random.normal(0, 0.15, (22, 3))
    pose = one_pose(turns, (0.1, 0.2, -4.0), np.zeros(body.expression_dirs.shape[-1]))[0]
    posed = pose_gaussians(start, pose, rigid=0.0).means
    expected = body.pose_vertices(rest_of(subject.body), pose.rotations, pose.translation)
    away = (posed - expected).norm(dim=1)
    assert away.median() < 1e-3 and away.max() < 0.02  # metres


def test_it_can_be_trained(avatar: Avatar, subject: Subject, body: BodyModel) -> None:
    start = body_start(avatar, subject, body, 1)
    learned = Learned.of(start, 2)
    posed = learned.posed(start.pose[0])
    (found,) = torch.autograd.grad(posed.means.sum(), learned.values["offsets"])
    assert found.abs().amax(1).min() > 0
