"""The whole stage on a small avatar: the files, what is in them, and what happens on failure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from svad.config.package import PackageConfig
from svad.core.errors import OutputError, Stopped
from svad.export import archive as archive_module
from svad.export.context import ExportContext
from svad.export.formats import FORMATS
from svad.export.gltf import unpack
from svad.export.stage import PackageStage
from svad.geometry.camera import orbit_camera
from svad.media.images import read_png
from svad.media.video import probe
from svad.motion.authored import authored
from svad.splat.files import load_ply
from svad.splat.render import render
from svad.types import Avatar, Result, Subject
from tests.helpers import tiny_avatar, tiny_subject
from tests.waiting import WAIT

CARD = {"schema": 1, "preset": "preview", "seed": 0, "stages": [{"name": "subject", "seconds": 1}]}
SMALL = PackageConfig(turntable_frames=3, turntable_height=64)
IN_ARCHIVE = {
    *("avatar.ply", "avatar.safetensors", "avatar.glb", "turntable.mp4", "job.json"),
    *("viewer.html", "LICENSE-AND-CONSENT.txt", "README.txt", "loader_example.py"),
}


class Told:
    """A report that remembers."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.calls: list[tuple[int, int, str]] = []
        self.pictures: list[np.ndarray] = []
        self.stop_at = stop_at

    def __call__(self, done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
        self.calls.append((done, total, note))
        if picture is not None:
            self.pictures.append(picture)
        if done == self.stop_at:
            raise Stopped("stopped")


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(2000)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return tiny_subject()


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def done(
    avatar: Avatar, subject: Subject, told: Told, tmp_path_factory: pytest.TempPathFactory
) -> Result:
    config = PackageConfig(turntable_frames=72, views=4, view_height=128)
    folder = tmp_path_factory.mktemp("job")
    return PackageStage(config).run(subject, avatar, folder, told, CARD)


def test_turntable(done: Result) -> None:
    video = probe(done.files["turntable"])
    assert video.frames == 72 and video.height == 720 and video.width % 2 == 0
    assert video.codec == "h264" and video.pixel_format == "yuv420p" and video.faststart
    assert done.files["turntable"].stat().st_size < 3_000_000


def test_front_has_the_size_of_the_photo(done: Result, subject: Subject) -> None:
    front = read_png(done.files["front"])
    assert front.shape == (*subject.photo.rgb.shape[:2], 4)
    assert (front[..., 3] == 0).any() and (front[..., 3] > 250).any()


def test_views_and_poses(done: Result) -> None:
    folder = done.files["front"].parent
    views = sorted(p.name for p in (folder / "views").iterdir())
    assert views == ["000.png", "001.png", "002.png", "003.png"]
    pictures = [read_png(folder / "views" / name) for name in views]
    assert len({p.shape for p in pictures}) == 1 and pictures[0].shape[2] == 4
    red = [((p[..., 0] > 150) & (p[..., 1] < 100) & (p[..., 3] > 200)).sum() for p in pictures]
    assert red[0] == max(red) > 0 and red[2] == 0  # the nose: first is the front
    assert {p.stem for p in (folder / "poses").iterdir()} == {"arms_up", "squat", "walk"}


def test_ply_stands_upright(done: Result, avatar: Avatar) -> None:
    header = done.files["ply"].read_bytes()[:2000].split(b"end_header")[0].decode("ascii")
    assert re.search(r"format binary_little_endian 1\.0", header)
    names = re.findall(r"property float (\w+)", header)
    needed = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"]
    needed += [f"scale_{k}" for k in range(3)] + [f"rot_{k}" for k in range(4)]
    assert set(needed) <= set(names)
    g = load_ply(done.files["ply"])
    assert len(g) == len(avatar.gaussians)
    means = g.means.numpy() * (-1, -1, 1)
    assert abs(np.quantile(means[:, 1], 1e-3)) < 1e-3 and 1.5 < means[:, 1].max() < 1.9
    assert np.ptp(means[:, 0]) < 1.3  # arms are down: a T would be 1.6 m wide


def test_ply_faces_the_start_camera_of_supersplat(done: Result) -> None:
    """SuperSplat turns files by 180 degrees about z; its camera starts at azimuth -45, elevation
    -10 degrees and 50 degrees wide, which is at -x, +y, +z (src/scene-config.ts, src/camera.ts).
    """
    g = load_ply(done.files["ply"])
    turn = torch.from_numpy(Rotation.from_euler("z", 180, degrees=True).as_matrix()).float()
    quats = [Rotation.from_quat(q[[1, 2, 3, 0]]).as_matrix() for q in g.quats.numpy()]
    frames = turn @ torch.from_numpy(np.stack(quats)).float() * g.scales[:, None]
    turned = replace(g, means=g.means @ turn.T)
    middle = (turned.means.amin(0) + turned.means.amax(0)).numpy() / 2
    shown = []
    for back in (0, 180):
        yaw, pitch, focal = np.radians(back - 45), np.radians(10), 100 / np.tan(np.radians(25))
        camera = orbit_camera(middle, 3.0, yaw, pitch, focal, 200, 200)
        picture = render(turned, camera, covariances=frames @ frames.mT)
        rgb, alpha = picture.image[0].numpy(), picture.alpha[0].numpy()
        red = (rgb[..., 0] > 0.55) & (rgb[..., 1] < 0.4) & (alpha > 0.8)
        shown.append((red, alpha > 0.5))
    (nose, person), (none, _) = shown
    assert nose.sum() > 3 and none.sum() == 0  # the face is seen, not the back of the head
    rows = np.flatnonzero(person.any(1))
    assert np.nonzero(nose)[0].max() < rows[0] + 0.2 * np.ptp(rows)  # and is at the top


def test_viewer_copy_is_light_and_upside_down(done: Result, avatar: Avatar) -> None:
    data = np.fromfile(done.files["viewer"], np.float32).reshape(-1, 8)
    assert len(data) == len(avatar.gaussians)
    head = data[:, 1] < data[:, 1].min() + 0.15
    assert abs(data[head, 0]).max() < 0.2  # y points down: the head has the smallest y
    assert abs(data[:, 1].min() + data[:, 1].max()) < 1e-4


def test_mesh_has_skeleton_and_motions(done: Result, avatar: Avatar) -> None:
    document, _ = unpack(done.files["glb"].read_bytes())
    assert {a["name"] for a in document["animations"]} == set(authored())
    assert document["nodes"][18]["name"] == "left_elbow"
    assert document["meshes"][0]["extras"]["targetNames"] == list(avatar.expression_names)


def test_archive(done: Result) -> None:
    with zipfile.ZipFile(done.archive) as archive:
        assert set(archive.namelist()) == IN_ARCHIVE and archive.testzip() is None
        assert json.loads(archive.read("job.json")) == CARD
        for name in ("avatar.ply", "avatar.glb", "avatar.safetensors", "turntable.mp4"):
            assert archive.read(name) == (done.archive.parent / name).read_bytes()
        licence, readme = (archive.read(n).decode() for n in sorted(IN_ARCHIVE)[:2])
    for word in ("agreed", "CC0", "Apache License 2.0", "preview", "pretrained weights"):
        assert word in licence, word
    assert "A-pose" in readme and "y points up" in readme and "y points down" in readme


def test_loader_example_runs_from_the_archive(done: Result, tmp_path: Path) -> None:
    with zipfile.ZipFile(done.archive) as archive:
        for name in ("loader_example.py", "avatar.safetensors"):
            archive.extract(name, tmp_path)
    command = [sys.executable, "-I", str(tmp_path / "loader_example.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)
    assert "2000 Gaussians, 55 joints" in answer.stdout


def test_progress(done: Result, told: Told) -> None:
    counts, totals, notes = zip(*told.calls, strict=True)
    assert list(counts) == list(range(1, totals[0] + 1)) and len(set(totals)) == 1
    assert len(set(notes)) >= 6
    assert told.pictures and all(max(p.shape) <= 320 for p in told.pictures)
    assert all(p.dtype == np.uint8 and p.shape[2] == 3 for p in told.pictures)


def test_same_avatar_same_files(avatar: Avatar, subject: Subject, tmp_path: Path) -> None:
    files = [PackageStage(SMALL).run(subject, avatar, tmp_path / k, Told(), CARD) for k in "ab"]
    for name in ("front", "ply", "rig", "glb", "viewer", "moving", "html", "archive"):
        first, second = (f.files[name].read_bytes() for f in files)
        assert first == second, name


def test_fewer_views_than_before(avatar: Avatar, subject: Subject, tmp_path: Path) -> None:
    for count in (3, 2):
        config = replace(SMALL, views=count, view_height=64)
        PackageStage(config).run(subject, avatar, tmp_path, Told())
        assert len(list((tmp_path / "views").iterdir())) == count


def test_without_views_there_are_none(avatar: Avatar, subject: Subject, tmp_path: Path) -> None:
    PackageStage(SMALL).run(subject, avatar, tmp_path, Told())
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {
        *("front.png", "turntable.mp4", "avatar.ply", "avatar.safetensors", "avatar.glb"),
        *("viewer.splat", "viewer.rig", "viewer.html", "avatar.zip"),
    }


def test_stop_leaves_old_files_and_no_pieces(
    avatar: Avatar, subject: Subject, tmp_path: Path
) -> None:
    (tmp_path / "turntable.mp4").write_bytes(b"old")
    with pytest.raises(Stopped):
        PackageStage(SMALL).run(subject, avatar, tmp_path, Told(stop_at=3))
    assert (tmp_path / "turntable.mp4").read_bytes() == b"old"
    names = {p.name for p in tmp_path.iterdir()}
    assert names >= {"front.png", "turntable.mp4"} and "avatar.zip" not in names
    assert not [name for name in names if name.startswith(".")]


@pytest.mark.parametrize("failing", ["turntable", "ply"])
def test_formats_side_by_side_end_with_the_one_that_fails(
    avatar: Avatar, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Of two threads that write, the other does not go on to its end."""
    long = replace(SMALL, turntable_frames=5000)

    def fail(*_: object) -> None:
        raise OutputError("no room")

    monkeypatch.setitem(FORMATS, failing, replace(FORMATS[failing], write=fail))
    told = Told()
    with pytest.raises(OutputError, match="no room"):
        PackageStage(long).run(subject, avatar, tmp_path, told)
    assert len(told.calls) < 2500
    assert not (tmp_path / "turntable.mp4").exists() and not (tmp_path / "avatar.zip").exists()


def test_the_archive_waits_for_what_it_packs(
    avatar: Avatar, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun with the first format, it reads none before it is whole, however long that takes."""
    last = FORMATS["glb"]
    packing = threading.Event()
    members = archive_module._members

    def begun(*arguments: Any) -> Iterator[tuple[str, Path | str | bytes]]:
        packing.set()
        yield from members(*arguments)

    def late(context: ExportContext, path: Path) -> None:
        assert packing.wait(WAIT)
        assert not context.folder.joinpath("avatar.zip").exists()
        last.write(context, path)

    monkeypatch.setattr(archive_module, "_members", begun)
    monkeypatch.setitem(FORMATS, "glb", replace(last, write=late))
    done = PackageStage(SMALL).run(subject, avatar, tmp_path, Told(), CARD)
    with zipfile.ZipFile(done.archive) as archive:
        assert archive.read("avatar.glb") == done.files["glb"].read_bytes()


def test_a_failing_writer_leaves_the_old_file(
    avatar: Avatar, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "avatar.zip").write_bytes(b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputError, match="no room left"):
        PackageStage(SMALL).run(subject, avatar, tmp_path, Told())
    assert (tmp_path / "avatar.zip").read_bytes() == b"old"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_another_size_than_the_photo_is_refused(
    avatar: Avatar, subject: Subject, tmp_path: Path
) -> None:
    other = replace(avatar, camera=avatar.camera.resized(0.5))
    with pytest.raises(ValueError, match="96 x 128"):
        PackageStage(SMALL).run(subject, other, tmp_path, Told())
