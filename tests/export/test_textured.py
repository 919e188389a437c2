"""The textured mesh and what is written of it: .glb, .vrm, .obj; small, of the tests' avatar."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from svad.body.lbs import joint_transforms
from svad.config.package import PackageConfig
from svad.core.progress import Report, silent
from svad.export import textured as textured_module
from svad.export.context import ExportContext, ExportProgress
from svad.export.glb import write_glb, write_textured
from svad.export.gltf import read_accessor, unpack
from svad.export.mesh import bake, unwrap
from svad.export.names import HUMANOID, NAMES
from svad.export.obj import write_obj
from svad.export.options import MeshOptions
from svad.export.shapes import with_all_shapes
from svad.export.textured import Textured, open_pose, split
from svad.export.visemes import VISEMES
from svad.export.vrm import EXPRESSIONS, write_vrm
from svad.face.expressions import ARKIT
from svad.geometry.zbuffer import draw
from svad.types import Avatar, Pose
from tests.export.test_glb import VALIDATE, gltf_validator, npm_package
from tests.helpers import tiny_avatar
from tests.waiting import WAIT
from tools.checks.vrm import shown

SIDE = 256
# Of VRM 1.0: without one of these a file is no humanoid.
REQUIRED = {
    *("hips", "spine", "head"),
    *(f"{side}{bone}" for side in ("left", "right")
      for bone in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")),
}  # fmt: skip


def faced(avatar: Avatar) -> Avatar:
    """The avatar with the 43 face shapes of the bodies here; the first four are the tests' own."""
    names = tuple(n for n in ARKIT if not n.startswith("eyeLook") and n != "tongueOut")
    more = len(names) - 4
    dirs = torch.nn.functional.pad(avatar.expression_dirs, (0, 0, 0, more))
    mesh = replace(
        avatar.mesh,
        expression_dirs=np.pad(avatar.mesh.expression_dirs, ((0, 0), (0, more), (0, 0))),
    )
    own = avatar.expression_names
    names = (*own, *(n for n in names if n not in own))
    return replace(avatar, expression_names=names, expression_dirs=dirs, mesh=mesh)


def context_of(
    avatar: Avatar, folder: Path, bones: str = "smplx", report: Report = silent
) -> ExportContext:
    size = (avatar.camera.width, avatar.camera.height)
    progress = ExportProgress(report, 100)
    return ExportContext(
        avatar=avatar, size=size, settings=PackageConfig(), card={"body": "A body, CC0."},
        folder=folder, progress=progress, asked=MeshOptions(bones, triangles=3000),
    )  # fmt: skip


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportContext]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textured_module, "CELL", 0.015)
        patch.setattr(textured_module, "SKIN", 0.008)
        patch.setattr(unwrap, "PADDING", 4)
        for module in (unwrap, bake):
            patch.setattr(module, "SIDE", SIDE)
        told: list[int] = []

        def report(done: int, *_: object) -> None:
            told.append(done)

        made = context_of(faced(tiny_avatar(8000)), tmp_path_factory.mktemp("out"), report=report)
        with made.progress.of("textured", "mesh", 100):
            assert made.textured.picture.shape == (SIDE, SIDE, 3)
        # it tells on the way how far it is, and never less than before
        assert len(set(told)) > 8 and told == sorted(told) and told[-1] == 100
        yield made


@pytest.fixture(scope="module")
def made(context: ExportContext) -> Textured:
    return context.textured


def test_the_mesh_is_closed_and_within_the_budget(made: Textured) -> None:
    faces = made.mesh.faces
    assert 2000 < len(faces) <= 3000
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1].tolist()) == {2}
    assert np.array_equal(split(made).vertices[split(made).faces], made.mesh.vertices[faces])


def test_the_picture_shows_the_front_on_the_front(context: ExportContext, made: Textured) -> None:
    """Drawn from the photo's camera it is the avatar's own front view."""
    avatar, camera = context.avatar, context.avatar.camera
    view = bake._photo_view(avatar, made.mesh, None)
    points = view.points[made.flat.vertex] * (0.5, 0.5, 1)  # drawn at twice the size there
    maps = draw(points, made.flat.faces, camera.height, camera.width)
    uv = maps.values(made.flat.faces, made.flat.uv)[maps.covered] * SIDE - 0.5
    color = bake._sampled(made.picture.astype(np.float32) / 255, uv[:, 0], uv[:, 1])
    front = bake.cutout(bake.pose_gaussians(avatar, avatar.pose[0]), camera) / 255.0
    solid = front[maps.covered][:, 3] > 0.9
    error = ((color - front[maps.covered][:, :3]) ** 2)[solid].mean()
    assert -10 * np.log10(error) > 22  # 256 px for a whole person are coarse
    assert maps.covered[front[..., 3] > 0.9].mean() > 0.9  # the tests' Gaussians are wide


def test_no_pixel_of_the_picture_is_left_empty(made: Textured) -> None:
    corners = np.concatenate([made.flat.uv * SIDE, np.ones((len(made.flat.uv), 1))], 1)
    covered = draw(corners, made.flat.faces, SIDE, SIDE).covered
    assert 0.25 < covered.mean() < 0.95
    assert (made.picture[~covered].max(1) > 20).mean() > 0.99  # colours go on beyond the charts


def test_the_surface_is_closed_with_open_arms(context: ExportContext) -> None:
    avatar = context.avatar
    pose = open_pose(avatar)
    wrists = posed_joints(avatar, pose)[[20, 21]]
    rest = avatar.joints[[20, 21]].numpy()
    assert (wrists[:, 1] < rest[:, 1] - 0.15).all()  # lower than in the T-pose
    assert (np.abs(wrists[:, 0]) > 0.4).all()  # and far from the hips


def posed_joints(avatar: Avatar, pose: Pose) -> np.ndarray:  # [55, 3]
    """Where the joints are, relative to the pelvis at rest."""
    turns = joint_transforms(pose.rotations, avatar.joints, avatar.parents)
    return (turns[:, :, :3] @ avatar.joints[..., None])[..., 0].numpy() + turns[:, :, 3].numpy()


def test_shapes_are_arkits_and_looking_moves_the_eyes(context: ExportContext) -> None:
    avatar, mesh = context.avatar, context.textured.mesh
    shaped, names = with_all_shapes(avatar, mesh)
    assert names == ARKIT and shaped.expression_dirs.shape[1] == 52
    ids = shaped.expression_ids
    out = shaped.expression_dirs[:, names.index("eyeLookOutLeft")].astype(float)
    assert out[:, 0].max() > 0.001 and out.min() >= 0  # the left eye is at +x
    where = shaped.vertices[ids[out[:, 0].argmax()]]
    assert np.linalg.norm(where[:2] - avatar.joints[23, :2].numpy()) < 0.05
    back = shaped.expression_dirs[:, names.index("jawOpen")]
    own = mesh.expression_dirs[:, avatar.expression_names.index("jawOpen")]
    assert np.allclose(np.abs(back).sum(), np.abs(own).sum(), rtol=1e-3)


def test_a_face_that_was_not_seen_has_no_shapes(tmp_path: Path) -> None:
    avatar = faced(tiny_avatar(200))
    nothing = np.zeros((0, 43, 3), np.float16)
    mesh = replace(avatar.mesh, expression_ids=np.zeros(0, np.int32), expression_dirs=nothing)
    write_glb(context_of(replace(avatar, mesh=mesh), tmp_path), tmp_path / "a.glb")
    body = unpack((tmp_path / "a.glb").read_bytes())[0]["meshes"][0]
    assert "targets" not in body["primitives"][0] and "weights" not in body


@pytest.mark.parametrize("bones", list(NAMES))
def test_textured_glb(bones: str, context: ExportContext, tmp_path: Path) -> None:
    named = replace(context, asked=MeshOptions(bones))
    named.__dict__["textured"] = context.textured
    write_textured(named, tmp_path / "a.glb")
    document, buffer = unpack((tmp_path / "a.glb").read_bytes())
    part = document["meshes"][0]["primitives"][0]
    assert "COLOR_0" not in part["attributes"]  # it would be multiplied with the picture
    uv = read_accessor(document, buffer, part["attributes"]["TEXCOORD_0"])
    assert uv.min() >= 0 and uv.max() <= 1
    names = [document["nodes"][j]["name"] for j in document["skins"][0]["joints"]]
    assert names == list(NAMES[bones]) and len(set(names)) == 55
    surface = document["materials"][0]
    assert surface["pbrMetallicRoughness"]["baseColorTexture"] == {"index": 0}
    assert "KHR_materials_unlit" in surface["extensions"]
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    jpeg = buffer[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    assert Image.open(io.BytesIO(jpeg)).size == (SIDE, SIDE)
    assert document["meshes"][0]["extras"]["targetNames"] == [*ARKIT, *VISEMES]
    normals = read_accessor(document, buffer, part["attributes"]["NORMAL"])
    points = read_accessor(document, buffer, part["attributes"]["POSITION"])
    head = points[:, 1] > points[:, 1].max() - 0.1
    assert (((points - points[head].mean(0)) * normals)[head].sum(1) > 0).mean() > 0.95


def test_names_are_those_of_the_programs() -> None:
    ours = {"left_hip": ("leftUpperLeg", "LeftUpLeg", "thigh_l")}
    ours |= {"left_shoulder": ("leftUpperArm", "LeftArm", "upperarm_l")}
    ours |= {"left_foot": ("leftToes", "LeftToeBase", "ball_l")}
    ours |= {"right_pinky2": ("rightLittleIntermediate", "RightHandPinky2", "pinky_02_r")}
    ours |= {"right_thumb1": ("rightThumbMetacarpal", "RightHandThumb1", "thumb_01_r")}
    assert all(HUMANOID[name] == names for name, names in ours.items())


@pytest.fixture(scope="module")
def vrm(context: ExportContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vrm") / "avatar.vrm"
    write_vrm(context, path)
    return path


def test_vrm(vrm: Path) -> None:
    document, _ = unpack(vrm.read_bytes())
    told = document["extensions"]["VRMC_vrm"]
    assert told["specVersion"] == "1.0" and "VRMC_vrm" in document["extensionsUsed"]
    bones = {name: bone["node"] for name, bone in told["humanoid"]["humanBones"].items()}
    assert set(bones) >= REQUIRED and len(set(bones.values())) == len(bones)
    assert all(document["nodes"][node]["name"] == name for name, node in bones.items())
    presets = told["expressions"]["preset"]
    assert set(presets) == set(EXPRESSIONS)
    for mixture in presets.values():
        for bind in mixture["morphTargetBinds"]:
            assert "mesh" in document["nodes"][bind["node"]] and bind["index"] < 52
    blink = presets["blinkLeft"]["morphTargetBinds"]
    assert [ARKIT[bind["index"]] for bind in blink] == ["eyeBlinkLeft"]
    meta = told["meta"]
    assert meta["licenseUrl"] == "https://vrm.dev/licenses/1.0/" and meta["authors"]
    assert meta["thirdPartyLicenses"] == "A body, CC0." and not meta["allowRedistribution"]
    assert told["lookAt"]["type"] == "expression"


@pytest.mark.node
def test_khronos_validator_finds_nothing(vrm: Path, context: ExportContext) -> None:
    package = gltf_validator()
    if package is None:
        pytest.skip("gltf-validator is not installed (npm install gltf-validator, or NODE_PATH)")
    glb = vrm.with_name("a.glb")
    write_textured(context, glb)
    for path in (vrm, glb):
        command = ["node", "-e", VALIDATE, str(package), str(path)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)
        issues = json.loads(answer.stdout)
        assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]


@pytest.mark.browser
def test_three_vrm_shows_it_blinks_and_waves(vrm: Path) -> None:
    package = npm_package("@pixiv/three-vrm")
    if package is None:
        pytest.skip("three-vrm is not installed (npm install three @pixiv/three-vrm, or NODE_PATH)")
    told, shots = shown(vrm, package.parents[1])
    assert told["bones"] == 15 and {"blink", "aa", "happy"} <= set(told["expressions"])
    wall = np.array((0x88, 0xAA, 0xCC))
    rest, _, _, mouth, waving = (np.abs(shot.astype(int) - wall).max(2) > 24 for shot in shots)
    rows, columns = np.nonzero(rest.any(1))[0], np.nonzero(rest.any(0))[0]
    height, width = rest.shape
    assert 0.6 * height < np.ptp(rows) < 0.99 * height  # upright, whole, not exploded
    top = np.nonzero(rest[rows[0] : rows[0] + height // 20].any(0))[0]
    assert np.ptp(top) < 0.3 * np.ptp(columns)  # a head, and no feet
    assert abs(np.median(top) - width / 2) < 0.1 * width
    assert (shots[0][rest].min(1) > 230).mean() < 0.05  # not white
    changes = [np.abs(shots[k].astype(int) - shots[1]).mean() for k in (2, 3)]
    assert changes[1] > 0.05 and mouth.any()  # the tests' person has no eyelids
    shoulders = rows[0] + np.ptp(rows) // 6
    assert waving[:shoulders, width // 2 + width // 6 :].sum() > 50  # its left hand, over the head
    assert rest[:shoulders, width // 2 + width // 6 :].sum() < 10


def test_obj_is_closed_and_names_its_picture(context: ExportContext, tmp_path: Path) -> None:
    write_obj(context, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"avatar.obj", "avatar.mtl", "avatar.png"}
    assert b"map_Kd avatar.png" in files["avatar.mtl"]
    assert Image.open(io.BytesIO(files["avatar.png"])).size == (SIDE, SIDE)
    lines = [line.split() for line in files["avatar.obj"].decode().splitlines()]
    points = np.array([line[1:] for line in lines if line[0] == "v"], float)
    faces = np.array([[w.split("/")[0] for w in line[1:]] for line in lines if line[0] == "f"], int)
    assert points[:, 1].min() == pytest.approx(0, abs=1e-5) and points[:, 1].max() > 1.5
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1].tolist()) == {2}
    assert np.ptp(points[:, 0]) < 1.4  # arms are down: a T would be 1.6 m wide
