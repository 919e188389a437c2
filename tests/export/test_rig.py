"""The .safetensors file: fields, values, and the loader example that reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open

from svad.export.archive import loader_example
from svad.export.rig import METADATA, rig_bytes
from tests.helpers import tiny_avatar
from tests.waiting import WAIT

NAMES = [f"joint{j}" for j in range(55)]
NAMES[18] = "left_elbow"


def test_fields_and_values(tmp_path: Path) -> None:
    avatar = tiny_avatar(600)
    path = tmp_path / "avatar.safetensors"
    path.write_bytes(rig_bytes(avatar, NAMES))
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()[METADATA])
        data = {name: file.get_tensor(name) for name in file.keys()}
    assert about["format"] == "svad-avatar" and about["version"] == 1
    assert about["joint_names"] == NAMES
    assert about["expression_names"] == list(avatar.expression_names)
    assert set(data) <= set(about["conventions"])  # every array is explained
    g = avatar.gaussians
    assert np.array_equal(data["means"], g.means.numpy())
    for name in ("scales", "quats", "opacities", "colors"):
        assert np.allclose(data[name], getattr(g, name).numpy(), rtol=1e-3, atol=5e-4), name
    assert np.array_equal(data["joint_ids"], avatar.joint_ids.numpy())
    assert np.allclose(data["joint_weights"].sum(1), 1, atol=1e-6)
    assert np.array_equal(data["joints"], avatar.joints.numpy())
    assert data["parents"].tolist() == list(avatar.parents)
    assert data["expression_dirs"].shape == (len(data["expression_ids"]), 4, 3)


def test_same_avatar_same_bytes() -> None:
    assert rig_bytes(tiny_avatar(50), NAMES) == rig_bytes(tiny_avatar(50), NAMES)


def test_loader_example_bends_the_elbow(tmp_path: Path) -> None:
    (tmp_path / "avatar.safetensors").write_bytes(rig_bytes(tiny_avatar(600), NAMES))
    (tmp_path / "loader_example.py").write_text(loader_example())
    command = [sys.executable, "-I", str(tmp_path / "loader_example.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)
    assert "svad-avatar 1: 600 Gaussians, 55 joints" in answer.stdout
    farthest = float(answer.stdout.split()[-2])
    assert 0.4 < farthest < 0.7  # forearm and hand are 0.45 m long: sqrt(2) of it at the tip
    assert len(loader_example().splitlines()) < 35
