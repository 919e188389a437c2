"""Animations of glTF and VRM: the walk comes back, curves are as specified, nothing is fetched."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from svad.body.skeleton import Joint
from svad.export.gltf import GltfBuilder, unpack
from svad.geometry.rotation import axis_rotation
from svad.motion.performer import Performer
from svad.motion.readers.files import MotionError
from svad.motion.readers.formats import read_file
from svad.motion.readers.gltf import read_gltf
from svad.motion.rig import forward
from tests.helpers import tiny_joints
from tests.motion.performing import MAIN, STYLES, WIDE, performer, walking
from tests.motion.test_bvh import apart, track_of

FRAMES = 24
VRM_NAMES = {
    "mixamorig:Hips": "hips",
    "mixamorig:Head": "head",
    "mixamorig:Neck": "neck",
    **{
        f"mixamorig:{side}{ours}": f"{side.lower()}{vrm}"
        for side in ("Left", "Right")
        for ours, vrm in (
            ("UpLeg", "UpperLeg"), ("Leg", "LowerLeg"), ("Foot", "Foot"), ("ToeBase", "Toes"),
            ("Shoulder", "Shoulder"), ("Arm", "UpperArm"), ("ForeArm", "LowerArm"),
            ("Hand", "Hand"),
        )
    },
}  # fmt: skip


def local(body: Performer, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Turns [T, 3, 3] and places [T, 3] relative to the parent."""
    parent = body.parents[k]
    if parent < 0:
        return body.turns[:, k], body.places[:, k]
    inverse = np.swapaxes(body.turns[:, parent], -1, -2)
    gap = body.places[:, k] - body.places[:, parent]
    return inverse @ body.turns[:, k], np.einsum("tij,tj->ti", inverse, gap)


def animated(
    builder: GltfBuilder, body: Performer, way: str = "LINEAR", small: bool = False
) -> dict[str, Any]:
    """A document of a performer below an armature that is turned and scaled, as Blender has it."""
    key = (np.arange(len(body.turns)) / body.fps).astype(np.float32)
    time = builder.add(key, bounds=True)
    tilt = axis_rotation(0, np.pi / 2)
    nodes: list[dict[str, Any]] = [
        {
            "name": "Armature",
            "rotation": Rotation.from_matrix(tilt).as_quat().tolist(),
            "scale": [0.01] * 3,
            "children": [1],
        }
    ]
    channels, samplers = [], []

    def channel(node: int, path: str, values: np.ndarray, kind: str) -> None:
        values = values.astype(np.float32)
        if kind == "CUBICSPLINE":  # tangents of zero
            values = np.stack([0 * values, values, 0 * values], 1).reshape(-1, values.shape[1])
        packed = path == "rotation" and small
        values = np.round(values * 32767).astype(np.int16) if packed else values
        output = builder.add(values, normalized=True) if not packed else shorts(builder, values)
        samplers.append({"input": time, "output": output, "interpolation": kind})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})

    for k, name in enumerate(body.names):
        turn, place = local(body, k)
        rest = body.rest[k] - (body.rest[body.parents[k]] if body.parents[k] >= 0 else 0)
        if body.parents[k] < 0:
            turn, place, rest = tilt.T @ turn, place @ tilt, rest @ tilt
        node: dict[str, Any] = {"name": name, "translation": rest.tolist()}
        if body.parents[k] < 0:
            node["rotation"] = Rotation.from_matrix(tilt.T).as_quat().tolist()
            channel(k + 1, "translation", place, "LINEAR")
        if name:
            channel(k + 1, "rotation", Rotation.from_matrix(turn).as_quat(), way)
        nodes.append(node)
    for k, parent in enumerate(body.parents):
        if parent >= 0:
            nodes[parent + 1].setdefault("children", []).append(k + 1)
    animation = {"name": "walk", "channels": channels, "samplers": samplers}
    return {"asset": {"version": "2.0"}, "nodes": nodes, "animations": [animation]}


def shorts(builder: GltfBuilder, values: np.ndarray) -> int:
    """An accessor of normalized shorts, which our own files do not have."""
    view = builder._view(values)
    builder.accessors.append(
        {"bufferView": view, "componentType": 5122, "count": len(values), "type": "VEC4"}
        | {"normalized": True}
    )
    return len(builder.accessors) - 1


def walk() -> Performer:
    return performer(walking(FRAMES, WIDE), STYLES["mixamo"], 30.0)


def file_of(path: Path, document: dict[str, Any], builder: GltfBuilder) -> Path:
    path.write_bytes(builder.pack(document))
    return path


def same_walk(path: Path, within: float) -> None:
    found = read_gltf(path, tiny_joints())
    assert found.fps == 30 and len(found.poses) == FRAMES and found.warnings == ()
    wanted, _ = forward(walking(FRAMES, WIDE))
    assert apart(wanted[:, MAIN], forward(track_of(found))[0][:, MAIN]).max() < within


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("way", ["LINEAR", "STEP", "CUBICSPLINE"])
def test_an_animation_with_names_of_mixamo_is_read(tmp_path: Path, way: str, small: bool) -> None:
    builder = GltfBuilder()
    document = animated(builder, walk(), way, small)
    same_walk(file_of(tmp_path / "walk.glb", document, builder), 0.5)


@pytest.mark.parametrize("extension", ["VRMC_vrm_animation", "VRMC_vrm", "VRM"])
def test_a_vrm_animation_tells_its_bones_and_expressions(tmp_path: Path, extension: str) -> None:
    builder = GltfBuilder()
    body = walk()
    document = animated(builder, body)
    bones = {VRM_NAMES[n]: {"node": k + 1} for k, n in enumerate(body.names) if n in VRM_NAMES}
    spine = [k + 1 for k, name in enumerate(body.names) if "Spine" in name]
    names = ("spine", "chest", "upperChest")
    bones |= {name: {"node": node} for name, node in zip(names, spine, strict=True)}
    for k, node in enumerate(document["nodes"]):
        node["name"] = f"node {k}"
    listed: Any = [{"bone": b, **row} for b, row in bones.items()] if extension == "VRM" else bones
    told: dict[str, Any] = {"humanoid": {"humanBones": listed}}
    if extension == "VRMC_vrm_animation":
        document["nodes"].append({"name": "blink"})
        sampler = {
            "input": 0,
            "output": builder.add(np.tile([[0.7, 0, 0]], (FRAMES, 1)).astype("f")),
        }
        animation = document["animations"][0]
        animation["samplers"].append(sampler)
        target = {"node": len(document["nodes"]) - 1, "path": "translation"}
        animation["channels"].append({"sampler": len(animation["samplers"]) - 1, "target": target})
        told["expressions"] = {"preset": {"blink": {"node": target["node"]}}}
    document["extensions"] = {extension: told}
    path = file_of(tmp_path / "walk.vrma", document, builder)
    same_walk(path, 0.5)
    if extension == "VRMC_vrm_animation":
        found = read_gltf(path, tiny_joints())
        assert set(found.expression_names) == {"eyeBlinkLeft", "eyeBlinkRight"}
        np.testing.assert_allclose(found.poses.expression.numpy(), 0.7, atol=1e-6)


def test_base64_is_read_and_nothing_is_fetched(tmp_path: Path) -> None:
    builder = GltfBuilder()
    document, binary = unpack(builder.pack(animated(builder, walk())))
    data = base64.b64encode(binary).decode()
    document["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{data}"
    path = tmp_path / "walk.gltf"
    path.write_text(json.dumps(document))
    same_walk(path, 0.5)
    for uri in ("walk.bin", "https://example.org/walk.bin", "file:///etc/passwd"):
        document["buffers"][0]["uri"] = uri
        path.write_text(json.dumps(document))
        with pytest.raises(MotionError, match="another file"):
            read_gltf(path, tiny_joints())
    document["buffers"][0]["uri"] = "data:;base64,!!!"
    path.write_text(json.dumps(document))
    with pytest.raises(MotionError, match="base64 is damaged"):
        read_gltf(path, tiny_joints())


def test_one_of_several_animations_is_chosen_by_name(tmp_path: Path) -> None:
    builder = GltfBuilder()
    document = animated(builder, walk())
    other = animated(builder, performer(walking(6), STYLES["mixamo"], 30.0))["animations"][0]
    document["animations"].append(other | {"name": "short"})
    path = file_of(tmp_path / "two.glb", document, builder)
    first = read_file(path, tiny_joints())
    assert len(first.poses) == FRAMES and "walk, short" in first.warnings[0]
    chosen = read_file(path.with_name("two.glb#short"), tiny_joints())
    assert len(chosen.poses) == 6 and not chosen.warnings
    with pytest.raises(MotionError, match="no motion run"):
        read_file(path.with_name("two.glb#run"), tiny_joints())


def test_an_animation_of_something_else_does_not_take_the_first_place(tmp_path: Path) -> None:
    builder = GltfBuilder()
    document = animated(builder, walk())
    time = builder.add(np.float32([0, 1]), bounds=True)
    way = builder.add(np.zeros((2, 3), np.float32))
    document["nodes"].append({"name": "Camera"})
    target = {"node": len(document["nodes"]) - 1, "path": "translation"}
    first = {
        "name": "camera",
        "channels": [{"sampler": 0, "target": target}],
        "samplers": [{"input": time, "output": way}],
    }
    document["animations"].insert(0, first)
    found = read_gltf(file_of(tmp_path / "walk.glb", document, builder), tiny_joints())
    assert "2 motions: camera" in found.warnings[0] and "called walk" in found.warnings[0]
    assert (found.poses.rotations[1:] - found.poses.rotations[:-1]).abs().max() > 0.01


def test_expressions_of_a_mesh_come_under_their_names(tmp_path: Path) -> None:
    builder = GltfBuilder()
    document = animated(builder, walk())
    names = ["jawOpen", "mine"]
    document["meshes"] = [{"primitives": [], "extras": {"targetNames": names}}]
    document["nodes"].append({"mesh": 0})
    values = np.tile([0.25, 0.5], FRAMES).astype(np.float32)
    animation = document["animations"][0]
    animation["samplers"].append({"input": 0, "output": builder.add(values)})
    target = {"node": len(document["nodes"]) - 1, "path": "weights"}
    animation["channels"].append({"sampler": len(animation["samplers"]) - 1, "target": target})
    found = read_gltf(file_of(tmp_path / "walk.glb", document, builder), tiny_joints())
    assert list(found.expression_names) == names
    np.testing.assert_allclose(found.poses.expression.numpy(), np.tile([0.25, 0.5], (FRAMES, 1)))


def test_values_that_are_mostly_zero_may_be_left_out(tmp_path: Path) -> None:
    """Sparse accessors, with and without a view below them."""
    builder = GltfBuilder()
    document = animated(builder, walk())
    plain = read_gltf(file_of(tmp_path / "plain.glb", document, builder), tiny_joints())
    sampler = document["animations"][0]["samplers"][0]
    whole = builder.accessors[sampler["output"]]
    view, count = whole["bufferView"], whole["count"]
    rows = builder.add(np.arange(count, dtype=np.uint32))
    sparse = {
        "count": count,
        "indices": {"bufferView": builder.accessors[rows]["bufferView"], "componentType": 5125},
        "values": {"bufferView": view},
    }
    builder.accessors.append({k: v for k, v in whole.items() if k != "bufferView"} |
                             {"sparse": sparse})  # fmt: skip
    sampler["output"] = len(builder.accessors) - 1
    found = read_gltf(file_of(tmp_path / "sparse.glb", document, builder), tiny_joints())
    np.testing.assert_array_equal(found.poses.rotations, plain.poses.rotations)
    np.testing.assert_array_equal(found.poses.translation, plain.poses.translation)


def spoilt(kind: str) -> bytes:
    """A file with one fault."""
    builder = GltfBuilder()
    document = animated(builder, walk())
    animation, nodes = document["animations"][0], document["nodes"]
    if kind == "no animation":
        del document["animations"]
    elif kind == "no person":
        for node in nodes:
            node["name"] = "Cube"
    elif kind == "circle":
        nodes[3]["children"] = [0]
    elif kind == "times":
        animation["samplers"][0]["input"] = builder.add(np.zeros(FRAMES, np.float32))
    elif kind == "count":
        animation["samplers"][0]["output"] = builder.add(np.zeros((3, 3), np.float32))
    elif kind == "nan":
        values = np.full((FRAMES, 3), np.nan, np.float32)
        animation["samplers"][0]["output"] = builder.add(values)
    elif kind == "accessor":
        animation["samplers"][0]["output"] = 9999
    elif kind == "sampler":
        animation["channels"][0]["sampler"] = -1
    data = builder.pack(document)
    document, binary = unpack(data)
    if kind == "compressed":
        document["bufferViews"][0]["extensions"] = {"EXT_meshopt_compression": {"buffer": 0}}
    elif kind == "sparse":
        document["accessors"][0]["sparse"] = {"count": 1}
    elif kind == "avatar":
        del document["animations"]
        bones = {VRM_NAMES[n["name"]]: {"node": k} for k, n in enumerate(document["nodes"])
                 if n["name"] in VRM_NAMES}  # fmt: skip
        document["extensions"] = {"VRMC_vrm": {"humanoid": {"humanBones": bones}}}
    elif kind == "view":
        document["bufferViews"][0]["byteOffset"] = len(binary)
    elif kind == "count of rows":
        document["accessors"][0]["count"] = 10**9
    elif kind == "negative":
        document["accessors"][0]["byteOffset"] = -4
    text = json.dumps(document)
    if kind == "nodes":
        text = text.replace('"nodes": [', '"nodes": [1, ', 1)
    return rebuilt(text.encode(), binary)


def rebuilt(text: bytes, binary: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    sizes = [
        n.to_bytes(4, "little") for n in (28 + len(text) + len(binary), len(text), len(binary))
    ]
    head = b"glTF" + (2).to_bytes(4, "little") + sizes[0]
    return head + sizes[1] + b"JSON" + text + sizes[2] + b"BIN\0" + binary


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("no animation", "no animation"),
        ("avatar", "a VRM avatar: a person without a motion. Give .* a .vrma"),
        ("compressed", "without compression"),
        ("sparse", "packed in a way"),
        ("no person", "Names as of Mixamo.*has Cube"),
        ("circle", "circle"),
        ("times", "do not rise"),
        ("count", "do not fit together"),
        ("nan", "not finite"),
        ("accessor", "not there"),
        ("sampler", "no sampler"),
        ("view", "shorter than it says"),
        ("count of rows", "shorter than it says"),
        ("negative", "no count"),
        ("nodes", "no list of objects"),
    ],
)
def test_broken_files_get_a_sentence(tmp_path: Path, kind: str, word: str) -> None:
    (tmp_path / "m.glb").write_bytes(spoilt(kind))
    with pytest.raises(MotionError, match=word):
        read_gltf(tmp_path / "m.glb", tiny_joints())


@pytest.mark.parametrize("data", [b"{", b"glTF\2\0\0\0", b"[]", spoilt("")[:5000], b"\x93NUMPY"])
def test_what_is_no_gltf_gets_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.glb").write_bytes(data)
    with pytest.raises(MotionError, match="cannot be read as glTF"):
        read_gltf(tmp_path / "m.glb", tiny_joints())


def test_joints_of_our_own_files_are_kept() -> None:
    """All 55 in a T-pose: the rest joints of a file of ours are not those of another body."""
    from svad.body.skeleton import JOINTS, PARENTS
    from svad.motion.retarget import retargeted

    joints = tiny_joints().astype(np.float64)
    still = np.tile(np.eye(3), (3, 55, 1, 1))
    body = Performer(JOINTS, PARENTS, joints, still[0], still, np.tile(joints, (3, 1, 1)), 30.0)
    found = retargeted(body, 1.3 * tiny_joints(), y_up=True)
    np.testing.assert_allclose(found.joints, tiny_joints(), atol=1e-6)
    assert not found.poses.rotations.any() and not found.poses.translation.abs().max() > 1e-6
    assert len(Joint) == 55
