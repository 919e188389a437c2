"""The preset `quick` as a person starts it: own files, real loader, the whole way to an avatar."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from svad import cli
from svad.config.presets import PRESETS, QUICK
from svad.diffusion import frame_confidence
from svad.run.card import read_card
from svad.run.makers.networks import video_networks
from svad.run.offers import offer
from svad.storage import load
from svad.types import Avatar, Clip
from svad.weights import require
from tests.diffusion.conftest import PHOTO

SMALL = replace(
    QUICK,
    diffusion=replace(
        QUICK.diffusion, frames=8, width=64, height=96, context=6, overlap=2, steps=2
    ),
    relief=replace(QUICK.relief, views=0),
    avatar=replace(
        QUICK.avatar,
        train=replace(
            QUICK.avatar.train,
            steps=10,
            height=96,
            first_gaussians=1000,
            gaussians=4000,
        ),
    ),
    package=replace(QUICK.package, turntable_frames=4, turntable_height=64),
)


@pytest.fixture
def own_files(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """SVAD_WEIGHTS with all files of `quick`, and the preset made small."""
    from huggingface_hub import constants

    monkeypatch.setenv("SVAD_WEIGHTS", str(weights))
    monkeypatch.setenv("SVAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    video_networks.cache_clear()
    yield weights
    video_networks.cache_clear()


def test_a_photo_goes_through_quick_to_an_avatar(
    own_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    # filled networks draw noise, which nobody would believe; the training shall run all the same
    monkeypatch.setattr(frame_confidence, "weight_of", lambda quality: 0.4)
    arguments = [str(PHOTO), "-o", str(out), "--preset", "quick", "--size", "200"]
    assert cli.main(arguments) == 0, capsys.readouterr().err
    clip = load(Clip, out / "stages" / "diffusion.safetensors")
    assert clip.rgb.shape == (9, 96, 64, 3) and clip.start is not None
    assert clip.weight[0] == 1 and (clip.weight[1:] < 1).all()
    assert len(np.unique(clip.rgb[1:])) > 50  # something was generated
    stages = {entry["name"]: entry for entry in read_card(out)["stages"]}
    assert stages["diffusion"]["state"] == "done" and "8 frames" in stages["diffusion"]["note"]
    assert stages["identity"]["state"] == "skipped"
    assert stages["avatar"]["state"] == "done" and "learned in 10 steps" in stages["avatar"]["note"]
    assert len(load(Avatar, out / "stages" / "avatar.safetensors").gaussians) <= 4000
    assert stages["restoration"]["state"] == "done"
    assert "checkpoint_BFRffusion_FFHQ.ckpt is missing" in stages["restoration"]["note"]
    assert (out / "avatar.zip").is_file() and (out / "turntable.mp4").is_file()
    with zipfile.ZipFile(out / "avatar.zip") as archive:
        terms = archive.read("LICENSE-AND-CONSENT.txt").decode()
    assert "pose_guider.pth (MusePose weights (research)): non-commercial" in terms
    assert "There is no GPU here" in capsys.readouterr().err


def test_frames_that_show_nobody_get_a_sentence_and_what_was_made_is_kept(
    own_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = [str(PHOTO), "-o", str(out), "--preset", "quick", "--size", "200"]
    assert cli.main(arguments) == cli.BAD_INPUT
    assert "No frame of the clip shows the person clearly enough" in capsys.readouterr().err
    stages = {entry["name"]: entry["state"] for entry in read_card(out)["stages"]}
    assert stages["avatar"] == "failed" and stages["diffusion"] == stages["relief"] == "done"
    assert not list((out / "stages").glob("*.part.safetensors"))


def test_another_seed_makes_other_frames(own_files: Path) -> None:
    from svad.diffusion.generate import Request, generate
    from svad.pose.keypoints import Figure

    figure = Figure(
        body=np.full((18, 2), 0.5), hands=np.full((2, 21, 2), 0.5), face=np.full((68, 2), 0.5),
        body_seen=np.ones(18, bool), hands_seen=np.ones((2, 21), bool),
        face_seen=np.ones(68, bool), aspect=64 / 96,
    )  # fmt: skip
    request = Request(np.full((96, 64, 3), 90, np.uint8), (figure,) * 2, (96, 64))
    config = replace(SMALL.diffusion, frames=2, steps=1)
    networks, notes = video_networks(), []
    found = [
        generate(networks, config, request, lambda *a: notes.append(a[2]), seed=seed)
        for seed in (0, 0, 1)
    ]
    assert (found[0] == found[1]).all() and (found[0] != found[2]).any()
    assert networks() is networks()
    assert notes.count("loading the reference unet") == 1  # loaded once for all runs
    assert notes.count("step 1 of 1, window 1 of 1") == 3 and "frame 2 of 2" in notes


def test_a_missing_file_is_named_with_source_and_terms(
    own_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    require("quick")
    assert offer(PRESETS["quick"]).ready and not offer(PRESETS["paper"]).ready
    monkeypatch.setenv("SVAD_WEIGHTS", str(tmp_path))
    (tmp_path / "yolox_l.onnx").write_bytes((own_files / "yolox_l.onnx").read_bytes())
    arguments = [str(PHOTO), "-o", str(tmp_path / "out"), "--preset", "quick"]
    assert cli.main(arguments) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert "dw-ll_ucoco_384.onnx is missing" in said and "yzd-v/DWPose" in said
    assert "under these terms" in said and "--preset quick" in said
    assert not (tmp_path / "out").exists()
    missing = offer(PRESETS["quick"]).missing
    assert next(entry.name for entry in missing) == "dwpose" and len(missing) > 5


@pytest.mark.parametrize("fault", ["lacking", "extra"])
def test_a_file_that_does_not_fit_is_refused_by_name(
    own_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    from svad.weights.strict import WeightsMismatch

    source = next((own_files / "musepose_pose_guider").iterdir())
    state = load_file(source)
    key = "conv_out.weight"
    if fault == "lacking":
        del state[key]
    else:
        key = "some.other.weight"
        state[key] = state["conv_in.weight"].clone()
    own = tmp_path / "own"
    own.mkdir()
    save_file(state, own / "guider.safetensors")
    listed = [f"{p.name}: {next(p.iterdir())}" for p in own_files.iterdir() if p.is_dir()]
    listed = [line for line in listed if "pose_guider" not in line]
    listed += [f"{n}: {own_files / f}" for n, f in
               (("yolox_l", "yolox_l.onnx"), ("dwpose", "dw-ll_ucoco_384.onnx"))]  # fmt: skip
    listed.append(f"musepose_pose_guider: {own / 'guider.safetensors'}")
    (own / "mine.yaml").write_text("\n".join(listed), encoding="utf-8")
    monkeypatch.setenv("SVAD_WEIGHTS", str(own / "mine.yaml"))
    with pytest.raises(WeightsMismatch, match=f"pose_guider.*{key}"):
        video_networks()()
