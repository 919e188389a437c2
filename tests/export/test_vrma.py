"""Motions for other people's VRM avatars."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from svad.export.gltf import unpack
from svad.export.vrma import EXTENSION, write_vrma
from svad.motion.authored import authored
from svad.motion.motion import Motion
from svad.motion.readers.gltf import read_gltf
from svad.types import Avatar
from tests.export.test_glb import VALIDATE, gltf_validator
from tests.export.test_textured import REQUIRED
from tests.helpers import tiny_avatar
from tests.waiting import WAIT


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(200)


@pytest.fixture(scope="module")
def waving(avatar: Avatar) -> Motion:
    """A wave with an open mouth and a smile that comes and goes."""
    motion = authored()["wave"].for_avatar(avatar)
    poses = motion.poses[:30]
    face = torch.zeros(30, 4)
    face[:, 0], face[:, 1] = 0.35, torch.linspace(0, 1, 30)
    return replace(motion, poses=replace(poses, expression=face), looped=False)


@pytest.fixture(scope="module")
def file(avatar: Avatar, waving: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vrma(tmp_path_factory.mktemp("vrma") / "wave.vrma", avatar, waving)


def test_it_comes_back_with_its_face(file: Path, avatar: Avatar, waving: Motion) -> None:
    found = read_gltf(file, avatar.joints.numpy())
    assert found.fps == 30 and found.warnings == ()
    steps = np.round(np.arange(len(found.poses)) / found.fps * waving.fps, 6)
    whole = np.isclose(steps % 1, 0)  # 30 a second meet 24 at every fifth frame
    theirs = found.poses.rotations[whole, :22].double().numpy().reshape(-1, 3)
    ours = waving.poses.rotations[steps[whole].astype(int), :22].double().numpy().reshape(-1, 3)
    angles = (Rotation.from_rotvec(theirs).inv() * Rotation.from_rotvec(ours)).magnitude()
    assert np.degrees(angles).max() < 0.5
    faces = dict(zip(found.expression_names, found.poses.expression.numpy().T, strict=True))
    # the shapes themselves, not once more by the preset
    assert set(faces) - {"mouthLowerDownLeft", "mouthLowerDownRight"} == {
        "jawOpen", "mouthSmileLeft",
    }  # fmt: skip
    np.testing.assert_allclose(faces["jawOpen"], 0.35, atol=1e-5)
    np.testing.assert_allclose(faces["mouthSmileLeft"][[0, -1]], [0, 1], atol=0.05)


def test_what_the_format_asks_for(file: Path) -> None:
    document, _ = unpack(file.read_bytes())
    told = document["extensions"][EXTENSION]
    bones = told["humanoid"]["humanBones"]
    assert told["specVersion"] == "1.0" and set(bones) >= REQUIRED
    assert not {"leftEye", "rightEye"} & set(bones)  # which the specification leaves to lookAt
    assert set(told["expressions"]["preset"]) == {"aa"}
    hips = bones["hips"]["node"]
    skeleton = {bone["node"] for bone in bones.values()}
    for channel in document["animations"][0]["channels"]:
        target = channel["target"]
        if target["node"] in skeleton and target["path"] == "translation":
            assert target["node"] == hips  # other bones turn alone
    assert "meshes" not in document and len(document["animations"]) == 1


@pytest.mark.node
def test_khronos_validator_finds_nothing(file: Path) -> None:
    package = gltf_validator()
    if package is None:
        pytest.skip("gltf-validator is not installed (npm install gltf-validator, or NODE_PATH)")
    command = ["node", "-e", VALIDATE, str(package), str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)
    issues = json.loads(answer.stdout)
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]
