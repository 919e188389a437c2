"""Photo to zip with every network filled and tiny: the training among its neighbours."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from svad.avatar.train import trainer as trainer_module
from svad.avatar.train.checkpoint import DAMAGED
from svad.avatar.train.trainer import Trainer
from svad.config.identity import HeadFitConfig
from svad.config.preset import Preset
from svad.config.presets import PAPER, PREVIEW, QUICK
from svad.core.errors import Stopped
from svad.diffusion import frame_confidence
from svad.restoration.models import RestorationModels
from svad.run import stages
from svad.run.card import read_card
from svad.run.makers import builders, on_gpu
from svad.run.makers.networks import video_networks
from svad.run.pipeline import Pipeline
from svad.run.results import load_avatar
from svad.run.stages import stage_makers
from svad.run.steps import PART
from svad.storage import load
from svad.types import Clip, Result, StageState
from tests.diffusion.conftest import PHOTO
from tests.diffusion.files import write_files
from tests.diffusion.golden import Golden
from tests.identity import whole
from tests.restoration.clips import micro_restorer
from tests.restoration.networks import tiny_rrdb

STEPS = 12


def small(preset: Preset, **train: object) -> Preset:
    """A preset as it is, but for its sizes and numbers."""
    assert preset.diffusion and preset.identity and preset.restoration and preset.avatar.train
    sizes = dict(
        steps=STEPS, height=96, first_gaussians=800, gaussians=3000, batch=2, coefficients=2
    )
    return replace(
        preset,
        subject=replace(preset.subject, person_height=260),
        relief=replace(preset.relief, views=0),
        diffusion=replace(
            preset.diffusion, frames=6, width=64, height=96, context=6, overlap=2, steps=1
        ),
        identity=replace(preset.identity, fit=HeadFitConfig(steps=2), batch=2),
        restoration=replace(preset.restoration, steps=2, scale=1.0, smallest_face=8.0),
        avatar=replace(preset.avatar, train=replace(preset.avatar.train, **(sizes | train))),
        package=replace(preset.package, turntable_frames=4, turntable_height=64),
    )


@pytest.fixture(autouse=True, scope="module")
def networks(golden_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tiny ones wherever a stage gets its networks; noise is believed to be the person."""
    if not (golden_root / "musepose").is_dir():
        pytest.skip(f"no folder musepose in {golden_root}")
    video = write_files(tmp_path_factory.mktemp("video"), Golden(golden_root))
    head = whole.write_models(tmp_path_factory.mktemp("head"))
    faces = RestorationModels(restorer=micro_restorer(), upsampler=tiny_rrdb())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVAD_WEIGHTS", str(video))
        patch.setenv("SVAD_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(builders, "head_networks", lambda: whole.models(head))
        patch.setattr(builders, "face_networks", lambda: lambda *_: faces)
        patch.setattr(frame_confidence, "weight_of", lambda quality: 0.4)
        patch.setattr(stages, "_made_there", cache(stages._made_there.__wrapped__))
        patch.setattr(trainer_module, "TOLD", -1.0)  # a report at every step
        video_networks.cache_clear()
        yield
        video_networks.cache_clear()


def run(preset: Preset, out: Path, **more) -> Result:
    return Pipeline(preset, makers=stage_makers(preset)).run(PHOTO, out, **more)


def states(folder: Path) -> dict[str, str]:
    return {entry["name"]: entry["state"] for entry in read_card(folder)["stages"]}


def parts(folder: Path) -> list[Path]:
    """What stages that did not come to their end have left."""
    return sorted(folder.rglob(f"*{PART}"))


@pytest.mark.parametrize("preset", [QUICK, PAPER], ids=lambda p: p.name)
def test_photo_to_zip(preset: Preset, tmp_path: Path) -> None:
    out, seen = tmp_path / "out", []
    result = run(small(preset), out, listener=seen.append)
    found = states(out)
    assert list(found) == [row.name for row in stages.shown(preset)]
    assert set(found.values()) == {"done"}
    notes = {entry["name"]: entry["note"] for entry in read_card(out)["stages"]}
    assert notes["avatar"] == f"learned in {STEPS} steps"
    clip, avatar = load(Clip, out / "stages" / "restoration.safetensors"), load_avatar(out)
    assert len(clip.rgb) == 7 and 800 < len(avatar.gaussians) <= 3000
    assert avatar.correctives is not None
    assert all(np.isfinite(t.numpy()).all() for t in (avatar.gaussians.means, avatar.joints))
    with zipfile.ZipFile(result.archive) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
        card = json.loads(archive.read(next(n for n in names if n.endswith("job.json"))))
    assert card["preset"] == preset.name and card["settings"]["avatar"]["train"]["steps"] == STEPS
    for end in (".ply", ".glb", ".mp4", "LICENSE-AND-CONSENT.txt"):
        assert any(name.endswith(end) for name in names), end
    assert not parts(out) and not any(name.endswith(PART) for name in names)
    done = [s.done / s.total for now in seen for s in now if s.name == "avatar"]
    assert done == sorted(done)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps of the trainings that run from here on."""
    taken, once = [], Trainer._once

    def step(self: Trainer) -> None:
        once(self)
        taken.append(self.step)

    monkeypatch.setattr(Trainer, "_once", step)
    return taken


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that somebody stopped after seven steps of its training."""
    out, stop, once = tmp_path_factory.mktemp("stopped") / "out", threading.Event(), Trainer._once

    def step(self: Trainer) -> None:
        once(self)
        if self.step == 7:
            stop.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_once", step)
        with pytest.raises(Stopped):
            run(small(QUICK), out, stop=stop)
    return out


@pytest.fixture
def out(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    assert states(stopped)["avatar"] == "stopped"
    assert [path.name for path in parts(stopped)] == [f"avatar{PART}"]
    return Path(shutil.copytree(stopped, tmp_path / "out"))


EARLIER = ("subject", "relief", "diffusion", "restoration")


def test_a_stopped_training_goes_on_and_nothing_else_runs_again(
    out: Path, taken: list[int]
) -> None:
    seen: list[tuple[StageState, ...]] = []
    run(small(QUICK), out, listener=seen.append)
    last = {state.name: state.state for state in seen[-1]}
    assert {last[name] for name in EARLIER} == {"kept"} and last["avatar"] == "done"
    assert taken == list(range(8, STEPS + 1))
    assert not parts(out)
    files = {f for entry in read_card(out)["stages"] for f in entry["files"]}
    assert not any(file.endswith(PART) for file in files)


def test_other_settings_do_not_go_on_from_it(out: Path, taken: list[int]) -> None:
    run(small(QUICK, color_rate=4e-3), out)
    assert taken == list(range(1, STEPS + 1)) and not parts(out)


def test_a_damaged_part_is_said_on_the_card(out: Path, taken: list[int]) -> None:
    (part,) = parts(out)
    part.write_bytes(part.read_bytes()[:-100])
    run(small(QUICK), out)
    notes = {entry["name"]: entry["note"] for entry in read_card(out)["stages"]}
    assert notes["avatar"] == DAMAGED and taken == list(range(1, STEPS + 1))
    assert not parts(out)


def test_a_folder_that_goes_another_way_keeps_no_part(out: Path) -> None:
    """Stopped in its training, then made as a preview."""
    preset = small(QUICK)
    run(replace(PREVIEW, package=preset.package, subject=preset.subject), out)
    assert not parts(out) and read_card(out)["state"] == "done"
    assert not (out / "stages" / "diffusion.safetensors").exists()


def test_a_training_that_starts_from_the_body(out: Path) -> None:
    run(small(QUICK, start="body", gaussians=20_000, first_gaussians=20_000), out)
    assert 5000 < len(load_avatar(out).gaussians) <= 20_000


def test_the_seed_of_a_run_is_the_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Preset] = []

    def far_away(work, preset, *arguments, seconds, report):
        sent.append(preset)
        assert seconds == on_gpu.asked_seconds("avatar", QUICK)

    monkeypatch.setattr(on_gpu.engine, "run", far_away)
    preset = replace(QUICK, seed=5)
    on_gpu.train_on_gpu(preset, None, None, None, print, None, "")
    assert sent == [preset]
    assert on_gpu._training_here(preset, gpu=True) == replace(QUICK.avatar.train, seed=5)
