"""No piece of the cloud hangs on nothing when the person moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.relief.build import Relief
from svad.relief.loose import held_together, piece_sizes
from svad.relief.points import Points, joined
from svad.types import Subject


def together(points: Points, subject: Subject, body: BodyModel, kept: int = 0) -> Points:
    joints = torch.from_numpy(subject.body.joints).float()
    return held_together(points, subject.body.pose, joints, tuple(body.parents), kept)


def with_weights(points: Points, index: np.ndarray, joint: int) -> Points:
    weights = points.weights.copy()
    weights[index] = 0
    weights[index, joint] = 1
    return replace(points, weights=weights)


def test_the_largest_of_what_touches_is_the_main_piece() -> None:
    line = np.zeros((100, 3), np.float32)
    line[:, 0] = 0.004 * np.arange(100)
    far = line[:20] + np.float32([0, 0.1, 0])
    sizes = piece_sizes(np.concatenate([line, far]))
    np.testing.assert_allclose(sizes, np.where(np.arange(120) < 100, 1, 20 / 120))


@pytest.mark.parametrize("gap", [0.02, 0.03, 0.05, 0.1])
def test_pieces_are_those_of_a_grid(gap: float) -> None:
    points = np.random.default_rng(0).random((3000, 3)).astype(np.float32)
    where = tuple(np.floor((points - points.min(0)) / gap).astype(int).T)
    grid = np.zeros([n.max() + 1 for n in where], bool)
    grid[where] = True
    piece = ndimage.label(grid, np.ones((3, 3, 3)))[0][where]
    share = np.bincount(piece) / len(points)
    share[share.argmax()] = 1
    np.testing.assert_array_equal(piece_sizes(points, gap), share[piece])


def test_points_that_are_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        piece_sizes(np.array([[0, 0, 0], [np.nan, 0, 0]], np.float32))


def test_a_finger_left_on_the_chest_stays_there(
    relief: Relief, subject: Subject, body: BodyModel
) -> None:
    points = relief.points
    chest = points.xyz[points.weights[:, Joint.SPINE2] > 0.5].mean(0)
    front = np.flatnonzero(points.seen & (np.abs(points.xyz - chest)[:, :2] < 0.015).all(1))
    assert len(front)
    out = together(with_weights(points, front, Joint.LEFT_WRIST), subject, body)
    same = np.flatnonzero((out.xyz[:, None] == points.xyz[front][None]).all(2).any(1))
    assert len(same) == len(front)  # nothing the photo shows is lost
    assert (out.weights[same][:, Joint.LEFT_WRIST] < 0.5).all()


def test_what_touches_nothing_is_left_out_but_not_the_last_ones(
    relief: Relief, subject: Subject, body: BodyModel
) -> None:
    points = relief.points
    n = len(points)
    crumb = points.select(np.arange(5))
    crumb = replace(crumb, xyz=crumb.xyz + np.float32([0, 1.0, 0]), seen=np.zeros(5, bool))
    both = joined([points, crumb])
    assert len(together(both, subject, body)) <= n
    kept = together(both, subject, body, kept=5)
    np.testing.assert_array_equal(kept.xyz[-5:], crumb.xyz)


def test_splinters_go_even_where_a_whole_limb_is_loose(
    relief: Relief, subject: Subject, body: BodyModel
) -> None:
    points = replace(relief.points, seen=np.ones(len(relief.points), bool))
    limb = points.select(np.arange(len(points) // 50))
    limb = replace(limb, weights=np.repeat(points.weights[:1], len(limb), 0))
    limb = replace(limb, xyz=np.float32([0, 1.0, 0]) + 0.01 * (limb.xyz - limb.xyz.mean(0)))
    splinter = replace(limb.select(np.arange(3)), xyz=limb.xyz[:3] + np.float32([0.5, 0, 0]))
    out = together(joined([points, limb, splinter]), subject, body)
    assert np.isin(limb.xyz[:, 1], out.xyz[:, 1]).all()
    assert not np.isin(splinter.xyz[:, 0], out.xyz[:, 0]).any()
