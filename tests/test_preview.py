"""The real stages from photo to zip, small: what a person gets holds together."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svad.config.presets import PREVIEW
from svad.media.images import read_png, read_rgb, save_png, to_float
from svad.media.shot import Shot
from svad.media.video import probe
from svad.run.card import read_card
from svad.run.filming import motion_video
from svad.run.pipeline import Pipeline
from svad.run.results import load_avatar
from svad.types import StageState

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL = replace(
    PREVIEW,
    subject=replace(PREVIEW.subject, person_height=320),
    package=replace(
        PREVIEW.package, turntable_frames=4, turntable_height=120, views=2, view_height=120
    ),
)


@pytest.fixture(scope="module")
def photo() -> Path:
    return next(path for path in sorted(EXAMPLES.glob("*/photo.*")))


@pytest.fixture(scope="module")
def seen() -> list[tuple[StageState, ...]]:
    return []


@pytest.fixture(scope="module")
def out(
    photo: Path, seen: list[tuple[StageState, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("preview") / "out"
    Pipeline(SMALL).run(photo, folder, listener=seen.append)
    return folder


def test_the_folder_is_complete(out: Path, seen: list[tuple[StageState, ...]]) -> None:
    finished = {s.name: s.state for s in seen[-1]}
    assert set(finished.values()) == {"done", "skipped"}
    assert all(s.thumbnail and s.thumbnail.is_file() for s in seen[-1] if s.state == "done")
    for name in ("avatar.ply", "avatar.glb", "avatar.safetensors", "viewer.splat", "matte.png"):
        assert (out / name).stat().st_size > 1000
    assert len(list((out / "views").glob("*.png"))) == 2
    assert {p.stem for p in (out / "poses").glob("*.png")} == {"arms_up", "squat", "walk"}
    info = probe(out / "turntable.mp4")
    assert (info.frames, info.height, info.pixel_format) == (4, 120, "yuv420p")
    with zipfile.ZipFile(out / "avatar.zip") as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("job.json"))["state"] == "done"
    assert read_card(out)["state"] == "done"


def test_the_front_is_the_photo(out: Path) -> None:
    front, matte = to_float(read_png(out / "front.png")), to_float(read_png(out / "matte.png"))
    target = to_float(read_rgb(out / "input.png"))
    drawn, person = front[..., 3] > 0.5, matte > 0.5
    assert (drawn & person).sum() / (drawn | person).sum() > 0.95
    sure = matte > 0.99
    error = ((front[..., :3] - target)[sure & drawn] ** 2).mean()
    assert -10 * np.log10(error) > 26


def test_the_avatar_is_one_person_with_a_skeleton(out: Path) -> None:
    avatar = load_avatar(out)
    count = len(avatar.gaussians)
    assert count > 5000 and avatar.joints.shape == (55, 3)
    assert avatar.joint_weights.sum(1).sub(1).abs().max() < 1e-4
    for values in (avatar.gaussians.means, avatar.gaussians.scales, avatar.gaussians.colors):
        assert values.isfinite().all() and len(values) == count
    height = np.ptp(avatar.gaussians.means[:, 1].numpy())
    assert 1.0 < height < 2.4  # metres


def test_it_moves(out: Path, tmp_path: Path) -> None:
    motion_video(out, "walk", tmp_path / "walk.mp4", shot=Shot(height=96, camera="left"))
    assert probe(tmp_path / "walk.mp4").frames >= 24


def test_half_a_person_gets_the_other_half_and_a_warning(photo: Path, tmp_path: Path) -> None:
    rgb = read_rgb(photo)
    save_png(tmp_path / "half.png", rgb[: round(len(rgb) * 0.55)])
    folder = tmp_path / "out"
    Pipeline(SMALL).run(tmp_path / "half.png", folder)
    assert any("legs" in warning for warning in read_card(folder)["warnings"])
    joints = load_avatar(folder).joints
    means = load_avatar(folder).gaussians.means
    assert means[:, 1].min() < joints[7, 1] + 0.02  # there are feet below the ankles
