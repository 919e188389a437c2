"""Long clips, some frames at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.geometry.rotation import rodrigues
from svad.subject.fit import rest_pose
from svad.track.held import TURNING
from svad.track.points import body_points
from svad.track.solve import track
from svad.track.windows import track_long, windows
from svad.track.yaw import yaws
from tests.track.test_solve import somebody


@pytest.mark.parametrize("count", [1, 10, 11, 28, 29, 100])
def test_windows_cover_all_frames_and_share_some(count: int) -> None:
    parts = windows(count, 10, 3)
    assert parts[0][0] == 0 and parts[-1][1] == count
    assert all(last - first <= 10 for first, last in parts)
    assert all(a[1] - b[0] == 3 for a, b in itertools.pairwise(parts))


def test_in_windows_the_same_motion_is_found_as_at_once() -> None:
    one = somebody()
    body = body_points(load_free_body(), one.fit)
    yaw, _ = yaws(one.seen)
    asked = body, one.seen, one.camera, yaw, rest_pose(), TURNING
    whole = track(*asked)
    told: list[float] = []
    parts = track_long(*asked, told.append, longest=11, common=4)
    assert told == sorted(told) and 0.6 < told[-1] < 1
    joints = [
        body.pose(rodrigues(torch.from_numpy(t.rotations)), torch.from_numpy(t.translation))[0]
        for t in (whole, parts)
    ]
    rooted = [j - j[:, :1] for j in joints]
    assert (rooted[0] - rooted[1]).norm(dim=-1).mean() < 0.012  # each window has its own mean pose
    turns = np.unwrap(whole.yaw) - np.unwrap(parts.yaw)
    assert np.abs(turns - turns.mean()).max() < np.radians(4)
    assert np.abs(np.diff(np.unwrap(parts.yaw))).max() < np.radians(25)  # steps are 15 degrees
    assert parts.miss.shape == whole.miss.shape
