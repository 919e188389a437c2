"""Files for other programs, from a folder and from an archive; what is refused, and how."""

from __future__ import annotations

import builtins
import importlib.util
import json
import os
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad import storage
from svad.cli import main
from svad.config.package import PackageConfig
from svad.core.errors import JobError, MissingFile, OutputError, SettingError, SvadError
from svad.export.formats import EVERY, FORMATS
from svad.export.glb_surface import MOVE, PLACE
from svad.export.gltf import read_accessor, unpack
from svad.export.stage import PackageStage
from svad.motion.authored import authored
from svad.motion.readers.npz import write_npz
from svad.motion.recorded import Recorded
from svad.run.export import BONES, export
from svad.run.finished import load_finished
from svad.splat.files import load_ply
from svad.types import Avatar
from tests.helpers import tiny_avatar, tiny_subject

NEEDS_LIBRARY = pytest.mark.skipif(
    importlib.util.find_spec("gaussforge") is None, reason="gaussforge is not installed"
)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(400)


@pytest.fixture(scope="module")
def job(avatar: Avatar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("job")
    (folder / "job.json").write_text(json.dumps({"schema": 1, "preset": "preview"}))
    storage.save(avatar, folder / "stages" / "avatar.safetensors")
    card = {"schema": 1, "preset": "preview"}
    settings = PackageConfig(turntable_frames=1, turntable_height=64)
    PackageStage(settings).run(tiny_subject(), avatar, folder, lambda *_, **__: None, card)
    shutil.copy(folder / "avatar.zip", folder.with_suffix(".zip"))  # others export into the folder
    return folder


@pytest.fixture
def archive(job: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(job.with_suffix(".zip"), tmp_path / "mine.zip"))


def test_an_archive_gives_the_avatar_back(archive: Path, avatar: Avatar) -> None:
    found = load_finished(archive)
    read = found.avatar
    assert found.card["preset"] == "preview" and found.subject is None
    assert torch.equal(read.gaussians.means, avatar.gaussians.means)
    assert torch.allclose(read.gaussians.colors, avatar.gaussians.colors, atol=1e-3)  # 16 bits
    assert read.expression_names == avatar.expression_names and read.parents == avatar.parents
    assert torch.equal(read.pose.rotations, avatar.pose.rotations)
    assert read.camera.focal == avatar.camera.focal and read.camera.width == avatar.camera.width
    mine, theirs = read.mesh, avatar.mesh
    assert np.abs(mine.vertices - theirs.vertices).max() <= PLACE
    assert np.array_equal(mine.faces, theirs.faces)
    assert np.array_equal(mine.colors, theirs.colors)
    full = [np.zeros((len(m.vertices), 4, 3), np.float32) for m in (mine, theirs)]
    for values, mesh in zip(full, (mine, theirs), strict=True):
        values[mesh.expression_ids] = mesh.expression_dirs
    assert np.allclose(*full, atol=MOVE)


def test_an_unpacked_archive_is_read_as_the_archive(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "unpacked")
    one, two = load_finished(archive).avatar, load_finished(tmp_path / "unpacked").avatar
    assert torch.equal(one.gaussians.means, two.gaussians.means)
    assert np.array_equal(one.mesh.vertices, two.mesh.vertices) and len(two.mesh.faces)


@pytest.mark.parametrize("name", ["ply", "ply-full", "splat", "rig", "glb"])
def test_folder_and_archive_give_the_same(
    name: str, job: Path, archive: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    first = export(job, name, tmp_path / f"a{Path(EVERY[name].file).suffix}", say=said.append)
    second = export(archive, name)
    assert second == archive.parent / EVERY[name].file
    assert said == [f"What is not in it: {EVERY[name].loses}"]
    size, other = first.stat().st_size, second.stat().st_size
    assert abs(size - other) < 0.02 * size  # the archive's numbers have 16 bits
    if name.startswith("ply"):
        assert (load_ply(first).means - load_ply(second).means).abs().max() < 1e-5


@NEEDS_LIBRARY
@pytest.mark.parametrize("name", ["spz", "sog"])
def test_packed_splats_hold_all_gaussians(name: str, job: Path, tmp_path: Path) -> None:
    from gaussforge import GaussForge

    path = export(job, name, tmp_path)
    back = GaussForge().convert(path.read_bytes(), name, "ply")["data"]
    (tmp_path / "back.ply").write_bytes(back)
    read, plain = load_ply(tmp_path / "back.ply"), load_ply(job / "avatar.ply")
    assert len(read) == len(plain) == 400 and read.means.isfinite().all()
    # y up in .spz, which the library leaves to its caller; down in .sog as in .ply
    turn = (1, -1, -1) if name == "spz" else (1, 1, 1)
    mean = plain.means.mean(0) * torch.tensor(turn)
    assert (read.means.mean(0) - mean).abs().max() < 2e-3


def test_without_the_library_a_sentence(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: object, **more: object) -> object:
        if name == "gaussforge":
            raise ImportError(name)
        return real(name, *rest, **more)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingFile, match=r"PyPI.*Apache.*pip install gaussforge"):
        export(job, "spz", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("choice", "error", "words"),
    [
        ({"name": "fbx"}, SettingError, "no format named fbx.*spz"),
        ({"name": "glb", "bones": "biped"}, SettingError, "bone names of biped.*mixamo"),
        ({"name": "ply", "bones": "vrm"}, SettingError, "ply has no bones.*glb"),
        ({"name": "glb", "triangles": 5}, SettingError, "5 triangles"),
        ({"name": "ply", "output": Path("a.glb")}, OutputError, "ends in .ply"),
    ],
)
def test_choices_that_there_are_not(choice: dict, error: type, words: str, job: Path) -> None:
    with pytest.raises(error, match=words):
        export(job, **choice)


def packed(path: Path, names: tuple[str, ...]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return path


def test_archives_that_are_not_ours(archive: Path, job: Path, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    cut = tmp_path / "cut.zip"
    cut.write_bytes((job / "avatar.zip").read_bytes()[:5000])
    ours = ("job.json", "avatar.glb", "avatar.safetensors")
    for source, words in (
        (tmp_path / "nothing.zip", "There is no"),
        (Path(os.devnull), "is no file"),
        (tmp_path / "text.zip", "no zip archive"),
        (cut, "no zip archive, or is damaged"),
        (packed(tmp_path / "other.zip", ("a.txt",)), "not the archive of an avatar"),
        (packed(tmp_path / "light.zip", ours[:2]), "light copy"),
        (packed(tmp_path / "up.zip", (*ours, "../evil.txt")), "outside of its folder"),
        (packed(tmp_path / "root.zip", (*ours, "/etc/evil")), "outside of its folder"),
        (packed(tmp_path / "dos.zip", (*ours, "..\\evil.txt")), "outside of its folder"),
        (packed(tmp_path / "empty.zip", ours), "damaged or was written by another program"),
        (tmp_path, "There is no job"),
    ):
        with pytest.raises(SvadError, match=words) as told:
            export(source, "ply", tmp_path / "out.ply")
        assert str(told.value).endswith(".")
    with pytest.raises(JobError, match="is the archive already"):
        export(archive, "archive")
    assert not (tmp_path / "out.ply").exists()


def test_an_archive_that_was_unpacked_and_packed_again(archive: Path, tmp_path: Path) -> None:
    """With its folder, as file managers do, and with what they add."""
    again = tmp_path / "avatar.zip"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(again, "w") as target:
        for name in ("job.json", "avatar.glb", "avatar.safetensors"):
            target.writestr(f"my avatar/{name}", source.read(name))
        target.writestr("__MACOSX/my avatar/._job.json", b"x")
    one, other = (export(path, "splat", tmp_path / f"{k}.splat") for k, path in
                  enumerate((archive, again)))  # fmt: skip
    assert one.read_bytes() == other.read_bytes()


def test_the_command(job: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    target = tmp_path / "a.splat"
    assert main(["export", str(job), "--format", "splat", "-o", str(target)]) == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(target) and target.stat().st_size == 400 * 32
    assert "What is not in it" in told.err
    assert main(["export", str(job), "--format", "fbx"]) == 2
    assert re.search("no format named fbx", capsys.readouterr().err)


def test_bones_are_those_that_the_table_of_names_has() -> None:
    from svad.export.names import NAMES

    assert tuple(NAMES) == BONES


def test_a_run_removes_files_of_the_avatar_before(job: Path, avatar: Avatar) -> None:
    assert not set(FORMATS) & {row.name for row in EVERY.values() if row.asked}
    stale = job / "avatar.spz"
    stale.write_bytes(b"old")
    settings = PackageConfig(turntable_frames=1, turntable_height=64)
    PackageStage(settings).run(None, avatar, job, lambda *_, **__: None, {"schema": 1})
    assert not stale.exists()


def test_a_motion_of_ones_own_comes_first_and_keeps_its_face(
    job: Path, avatar: Avatar, tmp_path: Path
) -> None:
    """Twice the same name, and that of a bundled motion: each is there under one of its own."""
    expressions = tuple(avatar.expression_names)
    wave = authored()["wave"].for_avatar(avatar)
    poses = replace(wave.poses, expression=torch.full((len(wave.poses), 4), 0.25))
    for name in ("a/wave.npz", "b/wave.npz"):
        (tmp_path / name).parent.mkdir()
        write_npz(tmp_path / name, Recorded(wave.fps, poses, avatar.joints.numpy(), expressions))
    said: list[str] = []
    path = export(
        job, "glb", tmp_path / "moved.glb", say=said.append,
        motions=[tmp_path / "a" / "wave.npz", tmp_path / "b" / "wave.npz"],
    )  # fmt: skip
    document, buffer = unpack(path.read_bytes())
    names = [one["name"] for one in document["animations"]]
    assert names[:3] == ["wave-2", "wave-3", "wave"] and len(names) == 2 + len(authored())
    own = document["animations"][0]
    (face,) = (c for c in own["channels"] if c["target"]["path"] == "weights")
    weights = read_accessor(document, buffer, own["samplers"][face["sampler"]]["output"])
    assert np.allclose(weights, 0.25, atol=1e-3)
    times = read_accessor(document, buffer, own["samplers"][face["sampler"]]["input"])
    assert times.max() == pytest.approx((len(poses) - 1) / wave.fps)


def test_a_lit_mesh_has_the_rough_surface_alone(job: Path, tmp_path: Path) -> None:
    plain, lit = (
        unpack(export(job, "glb", tmp_path / name, lit=name == "b.glb").read_bytes())[0]
        for name in ("a.glb", "b.glb")
    )
    assert plain["extensionsUsed"] == ["KHR_materials_unlit"]
    assert "extensionsUsed" not in lit and "extensions" not in lit["materials"][0]
    assert lit["materials"][0]["pbrMetallicRoughness"]["roughnessFactor"] == 1
    with pytest.raises(SettingError, match="obj cannot be lit.*glb, textured"):
        export(job, "obj", tmp_path, lit=True)


def test_a_format_without_motions_says_so(job: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="ply holds no motions.*glb, textured, vrm"):
        export(job, "ply", tmp_path, motions=[tmp_path / "wave.npz"])
    with pytest.raises(SvadError, match=r"absent\.bvh"):
        export(job, "glb", tmp_path / "a.glb", motions=[tmp_path / "absent.bvh"])
    assert not (tmp_path / "a.glb").exists()
