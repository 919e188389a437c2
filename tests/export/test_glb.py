"""The skinned mesh as .glb: structure in plain Python, and the Khronos validator where it is."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from svad.body.lbs import joint_transforms, skin
from svad.export.glb import avatar_glb
from svad.export.glb_motion import Track, continuous
from svad.export.glb_surface import MOVE, WEIGHT, clean_weights, srgb_to_linear
from svad.export.gltf import unpack
from svad.types import Avatar, Pose
from tests.helpers import one_pose, tiny_avatar, tiny_pose
from tests.waiting import WAIT

NAMES = [f"joint{j}" for j in range(55)]
DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
VALIDATE = """
const fs = require('fs');
const validator = require(process.argv[1]);
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])))
  .then((report) => console.log(JSON.stringify(report.issues)))
  .catch((error) => { console.error(error); process.exit(1); });
"""


def wave(avatar: Avatar, frames: int = 12) -> Track:
    """Something that turns, walks off and opens the mouth."""
    poses = []
    for t in range(frames):
        rotations = tiny_pose().rotations[0].numpy().copy()
        rotations[0, 1] = t / 2  # more than a full turn
        rotations[16, 2] += 0.4 * np.sin(t)
        expression = np.zeros(len(avatar.expression_names), np.float32)
        expression[0] = 0.5 + 0.5 * np.sin(t)
        poses.append(one_pose(rotations, (0, 0, 0.01 * t), expression))
    return Track("wave", 24.0, Pose.cat(poses))


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(500)


@pytest.fixture(scope="module")
def glb(avatar: Avatar) -> bytes:
    return avatar_glb(avatar, NAMES, [wave(avatar), Track("still", 24.0, avatar.pose)], "SVAD")


def read(document: dict, buffer: bytes, number: int) -> np.ndarray:
    """Accessor `number` as [count, width]; sparse rows filled in, bounds checked."""
    accessor = document["accessors"][number]
    width, dtype = WIDTHS[accessor["type"]], DTYPES[accessor["componentType"]]

    def values(view: int, kind: type, count: int) -> np.ndarray:
        at, length = (document["bufferViews"][view][k] for k in ("byteOffset", "byteLength"))
        assert at % 4 == 0 and at + length <= len(buffer)
        assert count * np.dtype(kind).itemsize <= length
        return np.frombuffer(buffer, kind, count, at)

    if "bufferView" in accessor:
        out = values(accessor["bufferView"], dtype, accessor["count"] * width).reshape(-1, width)
    else:
        sparse = accessor["sparse"]
        index = sparse["indices"]
        rows = values(index["bufferView"], DTYPES[index["componentType"]], sparse["count"])
        assert (np.diff(rows.astype(int)) > 0).all() and rows.max() < accessor["count"]
        out = np.zeros((accessor["count"], width), dtype)
        moved = values(sparse["values"]["bufferView"], dtype, sparse["count"] * width)
        out[rows] = moved.reshape(-1, width)
    if "min" in accessor:
        assert out.min(0).tolist() == accessor["min"] and out.max(0).tolist() == accessor["max"]
    assert np.isfinite(out).all()
    return out


def test_mesh(glb: bytes, avatar: Avatar) -> None:
    document, buffer = unpack(glb)
    part = document["meshes"][0]["primitives"][0]
    data = {k: read(document, buffer, n) for k, n in part["attributes"].items()}
    count = len(avatar.mesh.vertices)
    assert {len(v) for v in data.values()} == {count}
    index = read(document, buffer, part["indices"])[:, 0]
    assert len(index) == 3 * len(avatar.mesh.faces) and index.max() < count
    assert data["POSITION"][:, 1].min() == pytest.approx(0, abs=1e-6)  # stands on the floor
    assert np.allclose(np.linalg.norm(data["NORMAL"], axis=1), 1, atol=2e-3)
    assert np.abs(data["WEIGHTS_0"].sum(1) - 1).max() < 2e-7
    assert data["JOINTS_0"].max() < 55
    assert (data["JOINTS_0"][data["WEIGHTS_0"] == 0] == 0).all()
    linear = srgb_to_linear(avatar.mesh.colors / 255)
    assert np.allclose(data["COLOR_0"][:, :3] / 65535, linear, atol=1e-5)
    assert "min" in document["accessors"][part["attributes"]["POSITION"]]


def test_normals_point_outward(glb: bytes) -> None:
    document, buffer = unpack(glb)
    part = document["meshes"][0]["primitives"][0]["attributes"]
    points, normals = (read(document, buffer, part[k]) for k in ("POSITION", "NORMAL"))
    head = points[:, 1] > points[:, 1].max() - 0.1
    outward = points[head] - points[head].mean(0)
    assert ((outward * normals[head]).sum(1) > 0).all()


def test_skeleton_rests_where_the_mesh_is(glb: bytes, avatar: Avatar) -> None:
    document, buffer = unpack(glb)
    skin, nodes = document["skins"][0], document["nodes"]
    assert [nodes[j]["name"] for j in skin["joints"]] == NAMES
    inverse = read(document, buffer, skin["inverseBindMatrices"]).reshape(-1, 4, 4)
    world = np.zeros((55, 3))
    for j, parent in enumerate(avatar.parents):
        world[j] = np.asarray(nodes[j]["translation"]) + (world[parent] if parent >= 0 else 0)
        if parent >= 0:
            assert j in nodes[parent]["children"]
    assert np.allclose(inverse[:, 3, :3], -world, atol=1e-6)  # the bind pose moves nothing
    assert np.allclose(inverse[:, :3, :3], np.eye(3))
    assert document["scenes"][0]["nodes"] == [55, 0]  # the skinned mesh is not under a joint


def test_morph_targets_are_sparse_and_named(glb: bytes, avatar: Avatar) -> None:
    document, buffer = unpack(glb)
    mesh = document["meshes"][0]
    assert mesh["extras"]["targetNames"] == list(avatar.expression_names)
    targets = mesh["primitives"][0]["targets"]
    for e, target in enumerate(targets):
        moves = read(document, buffer, target["POSITION"])
        ids, dirs = avatar.mesh.expression_ids, avatar.mesh.expression_dirs[:, e]
        assert np.abs(moves[ids] - dirs).max() <= MOVE / 2 + 1e-9
        assert np.abs(np.delete(moves, ids, 0)).max() == 0
        assert "sparse" in document["accessors"][target["POSITION"]]
    assert len(targets) == len(mesh["weights"]) == 4


def test_animation(glb: bytes, avatar: Avatar) -> None:
    document, buffer = unpack(glb)
    moving = document["animations"][0]
    paths = {(c["target"]["node"], c["target"]["path"]): c["sampler"] for c in moving["channels"]}
    assert {(0, "rotation"), (0, "translation"), (16, "rotation"), (55, "weights")} <= set(paths)
    assert (4, "rotation") not in paths  # knees stay at rest
    for sampler in moving["samplers"]:
        times = read(document, buffer, sampler["input"])[:, 0]
        assert times[0] == 0 and (np.diff(times) > 0).all()
    turn = read(document, buffer, moving["samplers"][paths[0, "rotation"]]["output"])
    assert np.allclose(turn[3], [0, np.sin(0.75), 0, np.cos(0.75)], atol=1e-5)  # x, y, z, w
    assert ((turn[1:] * turn[:-1]).sum(1) > 0).all()
    faces = read(document, buffer, moving["samplers"][paths[55, "weights"]]["output"])
    assert len(faces) == 12 * 4


def test_animated_file_equals_linear_skinning(glb: bytes, avatar: Avatar) -> None:
    """Plays one key of the file by the glTF rules (3.7.3) and compares with our own skinning."""
    document, buffer = unpack(glb)
    key = 7
    nodes = [dict(node) for node in document["nodes"]]
    moving = document["animations"][0]
    for channel in moving["channels"]:
        sampler = moving["samplers"][channel["sampler"]]
        values = read(document, buffer, sampler["output"])
        count = document["accessors"][sampler["input"]]["count"]
        if channel["target"]["path"] != "weights":
            nodes[channel["target"]["node"]][channel["target"]["path"]] = values[
                min(key, count - 1)
            ]
    world = np.tile(np.eye(4), (55, 1, 1))
    for j, parent in enumerate(avatar.parents):
        world[j, :3, :3] = Rotation.from_quat(nodes[j].get("rotation", (0, 0, 0, 1))).as_matrix()
        world[j, :3, 3] = nodes[j]["translation"]
        if parent >= 0:
            world[j] = world[parent] @ world[j]
    inverse = read(document, buffer, document["skins"][0]["inverseBindMatrices"])
    matrices = world @ inverse.reshape(-1, 4, 4).transpose(0, 2, 1)
    part = document["meshes"][0]["primitives"][0]["attributes"]
    data = {k: read(document, buffer, n) for k, n in part.items()}
    blended = (matrices[data["JOINTS_0"]] * data["WEIGHTS_0"][..., None, None]).sum(1)
    points = (blended[:, :3, :3] @ data["POSITION"][..., None])[..., 0] + blended[:, :3, 3]

    mesh, pose = avatar.mesh, wave(avatar).poses[key]
    lift = np.array([0, -mesh.vertices[:, 1].min(), 0], np.float32)
    transforms = joint_transforms(pose.rotations, avatar.joints, avatar.parents)
    ids, weights = torch.tensor(mesh.joint_ids).long(), torch.tensor(mesh.joint_weights)
    ours = skin(torch.tensor(mesh.vertices), ids, weights, transforms).numpy()
    assert np.abs(points - (ours + pose.translation.numpy() + lift)).max() < 1e-4


def test_same_avatar_same_bytes(glb: bytes) -> None:
    avatar = tiny_avatar(500)
    tracks = [wave(avatar), Track("still", 24.0, avatar.pose)]
    assert avatar_glb(avatar, NAMES, tracks, "SVAD") == glb


def test_clean_weights() -> None:
    ids = np.array([[3, 3, 5, 0], [7, 2, 1, 9], [4, 0, 0, 0]])
    weights = np.array([[0.3, 0.3, 0.4, 0], [1e-7, 0.5, 0.5, 0], [2.0, 0, 0, 0]], np.float32)
    ids, weights = clean_weights(ids, weights)
    assert ids[0].tolist() == [3, 5, 0, 0] and weights[0, 0] == pytest.approx(0.6, abs=WEIGHT)
    assert sorted(ids[1].tolist()) == [0, 0, 1, 2] and weights[2].tolist() == [1, 0, 0, 0]
    with pytest.raises(ValueError, match="no joint"):
        clean_weights(np.zeros((1, 4), int), np.zeros((1, 4)))


def test_colours_become_linear() -> None:
    known = np.array([0, 0.04045, 0.5, 1])
    assert np.allclose(srgb_to_linear(known), [0, 0.0031308, 0.2140411, 1], atol=1e-6)


def test_quaternions_do_not_jump() -> None:
    quats = np.array([[[-1, 0, 0, 0]], [[0.9, 0.1, 0, 0]], [[-0.9, -0.1, 0, 0]]], np.float32)
    assert np.array_equal(np.sign(continuous(quats)[:, 0, 0]), [1, 1, 1])


def gltf_validator() -> Path | None:
    return npm_package("gltf-validator")


def npm_package(name: str) -> Path | None:
    """An npm package below NODE_PATH or ./node_modules."""
    roots = [*os.environ.get("NODE_PATH", "").split(os.pathsep)]
    roots.append(str(Path(__file__).parents[2] / "node_modules"))
    places = [Path(root) / name for root in roots if root]
    return next((p for p in places if p.is_dir()), None)


@pytest.mark.node
@pytest.mark.parametrize("bare", [False, True], ids=["full", "no expressions"])
def test_khronos_validator_finds_nothing(
    glb: bytes, avatar: Avatar, tmp_path: Path, bare: bool
) -> None:
    package = gltf_validator()
    if package is None:
        pytest.skip("gltf-validator is not installed (npm install gltf-validator, or NODE_PATH)")
    if bare:
        glb = avatar_glb(replace(avatar, expression_names=()), NAMES)
    path = tmp_path / "avatar.glb"
    path.write_bytes(glb)
    command = ["node", "-e", VALIDATE, str(package), str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)
    issues = json.loads(answer.stdout)
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]
