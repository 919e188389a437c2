"""`evaluate clip`: a frozen avatar against a clip of the person."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from svad import cli
from svad.config.presets import CLIP, PREVIEW
from svad.core.errors import JobError, SourceError, Stopped
from svad.evaluate import clip as command
from svad.media.images import save_png
from svad.media.video import write_mp4
from svad.run.commands import create
from svad.run.pipeline import Pipeline
from tests.evaluate.test_command import Lines
from tests.fakes import FakeStages
from tests.helpers import tiny_subject


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "turn.mp4"
    write_mp4(path, [np.full((64, 48, 3), k * 4, np.uint8) for k in range(48)], fps=24)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A finished preview."""
    save_png(tmp_path / "photo.png", tiny_subject(300, 400).photo.rgb)
    folder = tmp_path / "out"
    Pipeline(PREVIEW, makers=FakeStages(0).makers()).run(tmp_path / "photo.png", folder)
    return folder


def measured(out: Path, turn: Path, *more: str, fakes: FakeStages | None = None) -> Lines:
    fakes, screen, presets = fakes or FakeStages(0), Lines(), []

    def stages(preset):
        presets.append(preset)
        return fakes.makers()

    options = command.parser().parse_args([str(out), "--truth", str(turn), *more])
    assert command.run(options, threading.Event(), screen, stages) == 0
    screen.preset = presets[0]
    return screen


def test_pictures_and_figures(out: Path, turn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (out / "job.json").read_bytes()
    fakes = FakeStages(0)
    screen = measured(out, turn, "--frames", "30", fakes=fakes)
    line = json.loads(capsys.readouterr().out)
    table = json.loads((out / "evaluation" / "holdout.json").read_text())
    assert line["count"] == table["count"] == fakes.frames
    assert line["refined"] == table["mean"]["refined"] and set(line["unrefined"]) == {
        "psnr",
        "ssim",
    }
    assert [f["frame"] for f in table["frames"]] == list(range(fakes.frames))
    assert len(list((out / "evaluation").glob("*.png"))) == 3 * line["count"]
    assert screen.preset.footage.frames == 30 and screen.preset.body == CLIP.body
    assert fakes.ran["avatar"] == 0 and (out / "job.json").read_bytes() == before
    assert {bar.name for bar in screen.bars} == {"Frames", "Tracking", "Comparing"}


def test_another_folder_and_fewer_frames(out: Path, turn: Path, tmp_path: Path) -> None:
    fakes = FakeStages(0)
    measured(out, turn, "-o", str(tmp_path / "there"), fakes=fakes)
    assert not (out / "evaluation").exists()
    fakes.frames = 3
    measured(out, turn, "-o", str(tmp_path / "there"), fakes=fakes)
    assert len(list((tmp_path / "there").glob("truth_*.png"))) == 3


def test_what_does_not_work_is_a_sentence(out: Path, turn: Path, tmp_path: Path) -> None:
    still = FakeStages(0)
    still.frames = 1
    for folder, truth, more, error, words in (
        (tmp_path, turn, [], JobError, "no job"),
        (
            out,
            tmp_path / "photo.png",
            [],
            SourceError,
            "is a photo; --truth takes a clip",
        ),
        (out, turn, ["--frames", "1"], SourceError, "At least 2 frames"),
        (out, turn, [], SourceError, "Nobody turns around"),
    ):
        with pytest.raises(error, match=words):
            measured(folder, truth, *more, fakes=still)
    (out / "stages" / "subject.safetensors").unlink()
    with pytest.raises(JobError, match="was not made from a photo here"):
        measured(out, turn)


def test_it_can_be_stopped(out: Path, turn: Path) -> None:
    stop = threading.Event()
    stop.set()
    options = command.parser().parse_args([str(out), "--truth", str(turn)])
    with pytest.raises(Stopped):
        command.run(options, stop, Lines(), lambda preset: FakeStages(0).makers())


def test_the_command_line_knows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "clip", str(tmp_path), "--truth", "turn.mp4"]) == 2
    assert "There is no job in" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "clip", "--help"])
    assert "--truth" in capsys.readouterr().out and "evaluate clip OUT" in create.USAGE
    assert "svad.evaluate.clip" in sys.modules
