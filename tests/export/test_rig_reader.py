"""avatar.safetensors read back: the same avatar, from file, folder and archive, or a sentence."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from svad.body.skeleton import JOINTS
from svad.core.errors import JobError
from svad.export.rig import METADATA, rig_bytes
from svad.export.rig_reader import read_rig
from svad.media.shot import Shot
from svad.media.video import probe
from svad.run.filming import motion_video
from svad.run.results import load_avatar
from tests.helpers import tiny_avatar

COUNT = 400


@pytest.fixture(scope="module")
def rig() -> bytes:
    return rig_bytes(tiny_avatar(COUNT), JOINTS)


def changed(rig: bytes, photo: object = "as it is", **arrays: np.ndarray | None) -> bytes:
    """The file with other arrays, or another photo; None leaves one out."""
    header = json.loads(rig[8 : 8 + int.from_bytes(rig[:8], "little")])
    about = json.loads(header["__metadata__"][METADATA])
    if photo != "as it is":
        del about["photo"]
        about |= {} if photo is None else {"photo": photo}
    found = {**load(rig), **arrays}
    kept = {name: value for name, value in found.items() if value is not None}
    return save(kept, {METADATA: json.dumps(about)})


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_the_avatar_comes_back(rig: bytes, tmp_path: Path) -> None:
    avatar, path = tiny_avatar(COUNT), tmp_path / "avatar.safetensors"
    path.write_bytes(rig)
    (tmp_path / "avatar.zip").write_bytes(zipped(**{"a.txt": b"", "avatar.safetensors": rig}))
    (tmp_path / "again.zip").write_bytes(zipped(**{"out/avatar.safetensors": rig}))
    for place in (path, tmp_path, tmp_path / "avatar.zip", tmp_path / "again.zip"):
        found = load_avatar(place)
        assert torch.equal(found.gaussians.means, avatar.gaussians.means)
        assert torch.allclose(found.gaussians.colors, avatar.gaussians.colors, atol=1e-3)  # float16
        assert torch.equal(found.joint_ids, avatar.joint_ids)
        assert torch.equal(found.expression_ids, avatar.expression_ids)
        assert torch.equal(found.pose.rotations, avatar.pose.rotations)
        assert torch.equal(found.pose.translation, avatar.pose.translation)
        assert found.camera.focal == avatar.camera.focal
        assert np.array_equal(found.camera.rotation, avatar.camera.rotation)
        assert found.parents == tuple(avatar.parents)
        assert found.expression_names == avatar.expression_names


def test_an_older_file_stands_in_the_a_pose(rig: bytes, tmp_path: Path) -> None:
    path = tmp_path / "avatar.safetensors"
    path.write_bytes(changed(rig, photo=None))
    found = read_rig(path)
    assert found.pose.rotations.abs().sum() > 0 and found.pose.expression.abs().sum() == 0


def test_a_video_of_an_archive(rig: bytes, tmp_path: Path) -> None:
    (tmp_path / "avatar.zip").write_bytes(zipped(**{"avatar.safetensors": rig}))
    video = motion_video(
        tmp_path / "avatar.zip", "wave", tmp_path / "wave.mp4", shot=Shot(height=64)
    )
    assert probe(video).height == 64


BAD = {
    "no skeleton": {"parents": None},
    "a circle": {"parents": np.r_[-1, np.arange(1, 55)].astype(np.int32)},
    "joints beyond": {"joint_ids": np.full((COUNT, 4), 200, np.uint8)},
    "weights of two": {"joint_weights": np.full((COUNT, 4), 0.5, np.float32)},
    "not finite": {"means": np.full((COUNT, 3), np.nan, np.float32)},
    "no points": {"means": np.zeros((0, 3), np.float32)},
    "a number": {"means": np.array(1.0, np.float32)},
    "other shapes": {"scales": np.ones((COUNT, 2), np.float16)},
    "expressions beyond": {"expression_ids": np.full(3, COUNT, np.int32)},
    "half a pose": {"photo": {"rotations": [[0.0] * 3] * 55}},
    "a pose of few": {"photo": {"rotations": [[0.0] * 3], "expression": [0.0] * 4}},
    "a pose without numbers": {"photo": {"rotations": "none", "expression": []}},
    "no pose at all": {"photo": 3},
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_was_changed_is_a_sentence(name: str, rig: bytes, tmp_path: Path) -> None:
    path = tmp_path / "avatar.safetensors"
    path.write_bytes(changed(rig, **BAD[name]))
    with pytest.raises(JobError, match="avatar.safetensors is damaged"):
        read_rig(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotations": [[0.0] * 3]},
        {"translation": [0.0, float("nan"), 0.0]},
        {"expression": [0.0]},
        {"camera": None},
        {"camera": {"width": 0}},
        {"camera": {"height": 10**9}},
        {"camera": {"focal": [1.0]}},
        {"camera": {"rotation": [1.0] * 4}},
    ],
)
def test_a_wrong_photo_is_a_sentence(wrong: dict, rig: bytes, tmp_path: Path) -> None:
    path = tmp_path / "avatar.safetensors"
    header = json.loads(rig[8 : 8 + int.from_bytes(rig[:8], "little")])
    photo = json.loads(header["__metadata__"][METADATA])["photo"]
    if isinstance(wrong.get("camera"), dict):
        wrong = {"camera": photo["camera"] | wrong["camera"]}
    path.write_bytes(changed(rig, photo=photo | wrong))
    with pytest.raises(JobError, match="damaged .the pose of its photo"):
        read_rig(path)


def test_what_is_no_avatar_is_a_sentence(rig: bytes, tmp_path: Path) -> None:
    whole = zipped(**{"avatar.safetensors": rig})
    about = json.dumps({"format": "svad-avatar", "version": 2, "expression_names": []})
    for data, words in (
        (b"", "no avatar, or damaged"),
        (b"\xff" * 100, "no avatar, or damaged"),
        (rig[:-50], "no avatar, or damaged"),
        (save({"a": np.zeros(3)}), "no avatar, or damaged"),
        (save({"a": np.zeros(3)}, {METADATA: "[]"}), "no avatar, or damaged"),
        (save({"a": np.zeros(3)}, {METADATA: about}), "another version"),
        (zipped(**{"photo.jpg": b"x"}), "holds no avatar.safetensors"),
        (zipped(), "holds no avatar.safetensors"),
        (whole[: len(whole) // 2], "is damaged"),
        (b"PK\3\4" + bytes(100), "is damaged"),
    ):
        path = tmp_path / "avatar.zip"
        path.write_bytes(data)
        with pytest.raises(JobError, match=words):
            load_avatar(path)


def test_a_folder_without_an_avatar_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="There is no job"):
        load_avatar(tmp_path)
    with pytest.raises(JobError, match=r"There is no .*gone.zip. Give the folder"):
        load_avatar(tmp_path / "gone.zip")
