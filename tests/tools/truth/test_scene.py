"""The drawn truth is kept, and told apart by what it was drawn with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from svad.core.errors import SvadError
from svad.types import Clip, Pose
from tools.truth import scene


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often a person is drawn; the drawings are blank."""
    import torch

    from svad.geometry.camera import photo_camera

    seen: list[int] = []

    def draw(moving, camera, count, size, tell) -> list[Clip]:
        seen.append(count)
        blank = np.zeros((1, 8, 8), np.uint8)
        pose = Pose(torch.zeros(1, 55, 3), torch.zeros(1, 3), torch.zeros(1, 4))
        ones = np.ones(1, np.float32)
        view = photo_camera(8, 8)
        return [Clip(np.stack([blank] * 3, -1), blank, pose, (view,), ones, ones, None)] * 3

    monkeypatch.setattr(scene, "draw", draw)
    monkeypatch.setattr(scene, "kept_person", lambda name, cache: None)
    return seen


def test_a_person_is_drawn_once(drawings: list[int], tmp_path: Path):
    first, again = (scene.truth("ada", 6, 96, tmp_path, lambda *_: None) for _ in range(2))
    assert drawings == [6]
    np.testing.assert_array_equal(first.photo.rgb, again.photo.rgb)
    assert first.joints.shape == (55, 3) and len(first.parents) == 55
    scene.truth("ada", 7, 96, tmp_path, lambda *_: None)
    assert drawings == [6, 7]


def test_a_drawing_that_was_cut_short_is_drawn_again(drawings: list[int], tmp_path: Path):
    scene.truth("ada", 6, 96, tmp_path, lambda *_: None)
    next(tmp_path.rglob("novel.safetensors")).unlink()
    scene.truth("ada", 6, 96, tmp_path, lambda *_: None)
    assert drawings == [6, 6]


def test_a_stranger_gets_a_sentence(tmp_path: Path):
    assert "ada" in scene.people()
    with pytest.raises(SvadError, match="no person named carl"):
        scene.truth("carl", 6, 96, tmp_path, lambda *_: None)
