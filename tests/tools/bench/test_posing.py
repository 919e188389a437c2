"""The figures of skinning, on an avatar small enough for a test."""

from __future__ import annotations

import json

import pytest

from svad.body.skin import pose_gaussians
from tools.bench import posing


def test_a_figure_per_number_of_poses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posing, "COUNT", 300)
    monkeypatch.setattr(posing, "RUNS", 2)
    figures = [json.loads(json.dumps(figure)) for figure in posing.run()]
    assert [figure["poses"] for figure in figures] == [1, 8]
    assert all(f["gaussians"] == 300 and 0 < f["ms"] <= f["median_ms"] for f in figures)


def test_the_poses_differ_and_move_everything() -> None:
    avatar = posing.cloud(300)
    posed = pose_gaussians(avatar, posing.movement(avatar, 2)).means
    assert (posed[0] != posed[1]).all() and (posed[0] != avatar.gaussians.means).any(1).all()
