"""The loader in docs/format.md reads the file and poses it as the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svad.body.skeleton import JOINTS
from svad.body.skin import pose_gaussians
from svad.export.formats import EVERY
from svad.export.rig import CONVENTIONS, rig_bytes
from svad.types import Pose
from tests.helpers import tiny_avatar, tiny_pose

PAGE = Path(__file__).parents[2] / "docs" / "format.md"


@pytest.fixture(scope="module")
def loader() -> dict[str, Any]:
    """The names that the page's code defines."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(compile(code[1], str(PAGE), "exec"), names)
    return names


def test_the_loader_poses_as_linear_skinning_does(loader: dict[str, Any], tmp_path: Path) -> None:
    avatar, path = tiny_avatar(300), tmp_path / "avatar.safetensors"
    path.write_bytes(rig_bytes(avatar, JOINTS))
    about, data = loader["load"](path)
    assert about["joint_names"] == list(JOINTS)
    random = np.random.default_rng(3)
    rotations = tiny_pose().rotations[0].numpy() + random.normal(0, 0.2, (55, 3))
    moved, face = np.array([0.1, 0.2, -0.3]), np.array([0.8, 0.1, 0, 0.4])
    points, matrices = loader["posed"](data, rotations, moved, face)
    pose = Pose(*(torch.from_numpy(x).float() for x in (rotations, moved, face)))
    ours = pose_gaussians(avatar, pose, rigid=0.0)
    assert np.abs(points - ours.means.numpy()).max() < 1e-4  # 16-bit directions, float32
    assert matrices.shape == (300, 3, 3)


def test_the_photo_is_in_the_file(loader: dict[str, Any], tmp_path: Path) -> None:
    avatar, path = tiny_avatar(20), tmp_path / "avatar.safetensors"
    path.write_bytes(rig_bytes(avatar, JOINTS))
    photo = loader["load"](path)[0]["photo"]
    assert np.allclose(photo["rotations"], avatar.pose[0].rotations)
    assert photo["camera"]["width"] == avatar.camera.width


def test_the_page_names_every_array_and_every_format() -> None:
    text = PAGE.read_text(encoding="utf-8")
    told = set(CONVENTIONS) - {"frame", "pose", "rotations", "blending"}
    assert all(f"`{name}`" in text for name in told)
    assert all(row.name in text for row in EVERY.values() if row.asked)
