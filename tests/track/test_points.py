"""The few points that are posed in batches, against the whole body."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.geometry.rotation import rodrigues
from svad.track.points import JOINTS, body_points
from tests.track.posed import rest_body, turned


def test_joints_and_landmarks_are_those_of_the_body() -> None:
    random = np.random.default_rng(3)
    changes = {j: random.normal(0, 0.3, (4, 3)) for j in range(1, 22)}
    one = turned(np.radians([0, 70, 160, -100]), changes)
    points = body_points(load_free_body(), one.fit)
    rotations = torch.from_numpy(one.rotations[:, :JOINTS]).float()
    joints, skin, _ = points.pose(rodrigues(rotations), torch.from_numpy(one.translation).float())
    assert joints.numpy() == pytest.approx(one.joints[:, :JOINTS], abs=1e-5)  # float32
    marks = torch.cat([joints[:, list(points.of_joint)], skin], 1).numpy()
    flat = one.camera.project(marks)[..., :2]
    seen = one.seen.keypoints[:, list(points.landmarks), :2]
    # a model's pose correctives move the skin by some millimetres, which are two pixels
    assert np.abs(flat - seen).max() < 2
    assert np.abs(flat[:, :12] - seen[:, :12]).max() < 0.01


def test_weights_of_fingers_go_to_the_wrist_and_none_is_lost() -> None:
    fit = turned(np.zeros(1)).fit
    points = body_points(load_free_body(), fit)
    assert points.weights.sum(1).numpy() == pytest.approx(1, abs=1e-5)
    assert len(points.landmarks) == len(set(points.landmarks)) == len(points.moved_by)
    assert points.joints.numpy() == pytest.approx(rest_body().joints.numpy()[:JOINTS])
