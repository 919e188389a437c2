"""A clip of one's own moves the person of the photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svad import cli
from svad.body.model import BodyModel
from svad.config.presets import PREVIEW, QUICK
from svad.core.errors import SettingError
from svad.diffusion.follow import FollowStage
from svad.diffusion.generate import Request
from svad.media.video import probe, write_mp4
from svad.pose.drive import drive_default, even_turn
from svad.pose.keypoints import WholeBody
from svad.run.driving import drive
from svad.types import Subject
from tests.diffusion.conftest import PHOTO
from tests.diffusion.test_quick import own_files  # noqa: F401 - a fixture

SIZE = (240, 320)  # height, width of the clip
COUNT = 4


@pytest.fixture
def people(body: BodyModel) -> list[WholeBody]:
    """Somebody who turns in a wide clip, off its middle."""
    driving = drive_default(body, even_turn(16)[:COUNT], SIZE)
    return [WholeBody(p[:, :2] + (40, -5), p[:, 2]) for p in driving.points]


def run(subject: Subject, people: list[WholeBody]) -> tuple[Request, np.ndarray, list[tuple]]:
    requests, told = [], []

    def generate(request: Request, report) -> np.ndarray:
        requests.append(request)
        return np.zeros((len(request.figures), *request.photo.shape), np.uint8)

    config = replace(QUICK.diffusion, width=224, height=384)
    stage = FollowStage(config, generate, lambda frames: iter(people))
    clip = [np.zeros((*SIZE, 3), np.uint8)] * len(people)
    found = stage.run(subject, clip, lambda *a: told.append(a))
    return requests[0], found, told


def test_the_figures_take_the_place_of_the_person(
    subject: Subject, people: list[WholeBody]
) -> None:
    request, found, told = run(subject, people)
    assert found.shape == (COUNT, 384, 224, 3) and request.drawn_on == SIZE
    first = request.figures[0]
    seen = first.body[first.body_seen]
    assert seen.min() > 0 and seen.max() < 1  # whatever they do, they stay on the canvas
    grey = request.photo[0, 0]
    person = (np.abs(request.photo.astype(int) - grey).max(-1) > 20).any(0)
    columns = np.flatnonzero(person) / 224
    assert columns.min() - 0.05 < first.body[1, 0] < columns.max() + 0.05  # the neck
    assert [t[0] for t in told] == sorted(t[0] for t in told)


def test_the_movement_is_the_clips(subject: Subject, people: list[WholeBody]) -> None:
    figures = run(subject, people)[0].figures
    widths = [abs(f.body[5, 0] - f.body[2, 0]) for f in figures]  # shoulders
    theirs = [abs(p.xy[5, 0] - p.xy[6, 0]) for p in people]
    np.testing.assert_allclose(
        np.array(widths) / widths[0], np.array(theirs) / theirs[0], atol=0.02
    )


@pytest.mark.usefixtures("own_files")
def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, video = tmp_path / "clip.mp4", tmp_path / "video.mp4"
    frame = np.zeros((*SIZE, 3), np.uint8)
    frame[60:180, 120:200] = (200, 180, 255)
    write_mp4(clip, [np.roll(frame, 4 * k, 1) for k in range(5)], 12)
    arguments = ["drive", PHOTO, clip, "-o", video, "--set", "diffusion.frames=3"]
    assert cli.main([str(a) for a in arguments]) == 0, capsys.readouterr().err
    info = probe(video)
    assert (info.width, info.height, info.frames, info.fps) == (64, 96, 3, 12)


@pytest.mark.usefixtures("own_files")
def test_no_video_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "clip.mp4"
    text.write_text("not a video")
    absent = tmp_path / "absent.mp4"
    for clip, words in (
        (text, "cannot be read as a video"),
        (absent, "There is no file absent.mp4"),
    ):
        arguments = ["drive", str(PHOTO), str(clip), "-o", str(tmp_path / "video.mp4")]
        assert cli.main(arguments) == cli.BAD_INPUT
        assert words in capsys.readouterr().err


def test_the_preview_has_no_video_model(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="quick or paper"):
        drive(PHOTO, tmp_path / "clip.mp4", tmp_path / "video.mp4", PREVIEW)
