"""The measurement of filmed people, with fakes in place of the stages that find and train."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from svad import cli
from svad.core.errors import JobError, SvadError
from svad.evaluate import truth as truth_module
from svad.evaluate.filmed import CLIP, MATTE, PHOTO, RGB, TRUTH, Filmed, packed, read_filmed
from svad.evaluate.filmed_command import parser, run
from svad.evaluate.from_clip import GIVEN, VIEWS, mean, measure
from svad.evaluate.memory import forget_peak, peak_gb
from svad.evaluate.methods import ClipMethods
from svad.evaluate.table import sheet, table, tracking_table
from svad.evaluate.truth import Truth, filmed
from svad.media.images import save_jpg, save_png, to_float, to_uint8
from svad.media.video import write_mp4
from svad.types import PHOTO_WEIGHT, Avatar, Clip, Footage, Photo, Source, Subject
from tests.evaluate.test_command import Lines
from tests.helpers import tiny_avatar, tiny_subject

GAIN = np.array([0.9, 1.0, 0.95], np.float32)  # of every frame
FPS = 2.0
HELD = 2  # every second frame is kept from the training


def written(folder: Path, clip: Clip, truth: Truth, fps: float) -> Filmed:
    """A clip, or photos, and the truth as the tools write them."""
    known = Filmed(
        folder=folder,
        fps=fps,
        poses=clip.poses,
        cameras=clip.cameras,
        joints=truth.joints,
        parents=truth.parents,
        yaw=clip.yaw,
        gain=np.tile(GAIN, (len(clip.rgb), 1)),
        blurred=np.zeros(len(clip.rgb), bool),
    )
    save_file(packed(known), folder / TRUTH)
    for i, (rgb, matte) in enumerate(zip(clip.rgb, clip.matte, strict=True)):
        save_png(folder / RGB.format(i), rgb)
        save_png(folder / MATTE.format(i), matte)
        if not fps:
            save_jpg(folder / PHOTO.format(i), np.full((240, 240, 3), 40 * i, np.uint8))
    if fps:
        write_mp4(folder / CLIP, clip.rgb, fps)
    return read_filmed(folder)


def lit(avatar: Avatar) -> Avatar:
    """The avatar under the exposure of the clip."""
    colours = avatar.gaussians.colors * torch.from_numpy(GAIN)
    return replace(avatar, gaussians=replace(avatar.gaussians, colors=colours))


def fakes(clip: Clip, fps: float) -> ClipMethods:
    """Stages that know the truth; the preview is grey, the trained avatar right."""
    count = len(clip.rgb)

    def footage(source: Source, report) -> Footage:
        assert (source.clip is not None) == bool(fps)
        unknown = np.full((count, 133), np.nan, np.float32)
        return Footage(
            photo=Photo(clip.rgb[0], None),
            front=0,
            rgb=clip.rgb,
            matte=clip.matte,
            keypoints=np.zeros((count, 133, 3), np.float32),
            depth=unknown,
            time=np.arange(count) / fps if fps else np.full(count, np.nan),
            sharpness=np.ones(count, np.float32),
            yaw=clip.yaw,
            cameras=clip.cameras,
            warnings=(),
        )

    def film(subject: Subject, footage: Footage, relief: Clip, report) -> Clip:
        weight = np.full(count, 0.9, np.float32)
        weight[0] = PHOTO_WEIGHT
        return replace(clip, weight=weight, start=relief.start)

    def grey(subject, relief, report) -> Avatar:
        colours = torch.full_like(relief.start.gaussians.colors, 0.5)
        return replace(relief.start, gaussians=replace(relief.start.gaussians, colors=colours))

    return ClipMethods(
        footage=footage,
        understand=lambda photo, report: tiny_subject(),
        relief=lambda subject, report: replace(clip, start=tiny_avatar()),
        preview=grey,
        film=film,
        train=lambda subject, film, report: lit(tiny_avatar()),
        refine=lambda avatar, clip, report: clip.poses,
        held_out=lambda count: list(range(HELD, count, HELD)),
    )


@pytest.fixture(scope="module")
def clip(truth: Truth) -> Clip:
    """The turn, its first frame the photo's own view."""
    return truth.turning


Case = tuple[Filmed, ClipMethods]


@pytest.fixture(scope="module")
def turn(clip: Clip, truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return written(tmp_path_factory.mktemp("turn"), clip, truth, FPS), fakes(clip, FPS)


@pytest.fixture(scope="module")
def pair(clip: Clip, truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Case:
    two = clip[[0, 3]]
    return written(tmp_path_factory.mktemp("pair"), two, truth, 0.0), fakes(two, 0.0)


def test_preview_and_trained_avatar_are_measured_against_the_truth(turn: Case, truth: Truth):
    preview, trained = measure(*turn[:1], truth, turn[1], None)
    assert [preview.row.method, trained.row.method] == ["preview", "trained"]
    assert set(trained.row.scores) == set(VIEWS) and not preview.row.tracking
    for view in VIEWS[:3]:
        # the right avatar under the right exposure: rounding and clipped colours are left
        assert trained.row.scores[view]["psnr"] > 40
        assert trained.row.scores[view]["psnr"] > preview.row.scores[view]["psnr"] + 10
    assert len(trained.drawn["held_out"]) == len(range(HELD, 6, HELD))
    assert preview.row.seconds >= 0 and trained.row.seconds >= 0
    for found in trained.row.tracking.values():
        assert found["joints_placed"] < 0.01 and found["yaw_worst"] < 0.01  # mm and degrees


def test_pictures_are_compared_under_the_exposure_of_the_front(turn: Case, truth: Truth):
    trained = list(measure(*turn[:1], truth, turn[1], None))[1]
    rgb, matte = turn[0].picture(HELD, 96, 96)
    back = 1 - to_float(matte)[..., None]
    wanted = to_uint8((to_float(rgb) - back) * GAIN + back)
    np.testing.assert_array_equal(trained.truth["held_out"].rgb[0], wanted)


def test_of_two_photos_all_are_looked_at(pair: Case, truth: Truth):
    found = list(measure(*pair[:1], truth, pair[1], None))
    assert set(found[1].row.scores) == set(GIVEN)
    assert len(found[1].drawn["given"]) == 2
    assert found[1].row.scores["given"]["psnr"] > 40
    assert sheet(truth, found).ndim == 3


def test_lines_and_tables(turn: Case, truth: Truth):
    rows = [one.row for one in measure(*turn[:1], truth, turn[1], lambda a, b: 0.5)]
    line = json.loads(json.dumps(rows[1].line()))
    assert set(line) == {
        *("case", "frames", "method", *VIEWS, "seconds", "memory_gb"),
        *("tracking_film", "tracking_refined"),
    }
    assert line["frames"] == "filmed" and set(line["held_out"]) == {"psnr", "ssim", "lpips"}
    assert mean(rows).line() | {"case": truth.name} == rows[1].line()
    with pytest.raises(ValueError, match="no trained"):
        mean(rows[:1])
    assert table(rows).splitlines()[0].split()[:3] == ["case", "method", "held_out"]
    lines = tracking_table(rows).splitlines()
    assert lines[0].split()[:3] == ["case", "poses", "yaw"] and len(lines) == 3


def test_frames_that_cannot_be_told_apart_are_refused(turn: Case, truth: Truth):
    def shortened(part: Callable[[Clip], Clip]) -> ClipMethods:
        own = turn[1].film
        return replace(turn[1], film=lambda *args: part(own(*args)))

    with pytest.raises(SvadError, match="which frame is which"):
        list(measure(turn[0], truth, shortened(lambda film: film[[0, 1, 2]]), None))
    narrow = shortened(lambda film: replace(film, rgb=film.rgb[:, :, :48]))
    with pytest.raises(SvadError, match="not whole frames"):
        list(measure(turn[0], truth, narrow, None))


def test_the_command_writes_lines_tables_and_sheets(
    turn: Case,
    truth: Truth,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(truth_module, "people", lambda: ("one", "two"))
    monkeypatch.setattr(truth_module, "drawn", lambda name, count, size, report: truth)
    monkeypatch.setattr(truth_module, "filmed", lambda name, motion, report: turn[0])
    options = parser().parse_args(["--people", "1", "--pictures", str(tmp_path)])
    screen = Lines()
    assert run(options, threading.Event(), screen, lambda *_: turn[1]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["method"] for line in lines] == ["preview", "trained", "trained"]
    assert lines[-1]["case"] == "mean" and len(screen.said) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["one-turn.jpg"]
    for words, sentence in ((["--frames", "2"], "At least 5"), (["--steps", "0"], "at least one")):
        with pytest.raises(SvadError, match=sentence):
            run(parser().parse_args(words), threading.Event(), screen, lambda *_: turn[1])


def test_the_program_knows_the_command(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", "filmed", "--help"])
    assert ended.value.code == 0 and "--motion {turn,pair}" in capsys.readouterr().out


def test_a_folder_without_a_clip_gets_a_sentence(tmp_path: Path):
    with pytest.raises(JobError, match="holds no drawn clip"):
        read_filmed(tmp_path)
    with pytest.raises(SvadError, match="no carl here"):
        filmed("carl", "turn", lambda *_: None)


def test_the_peak_of_memory_is_found_and_forgotten():
    forget_peak()
    before = peak_gb()
    block = np.ones(30_000_000)  # 0.24 GB
    after = peak_gb()
    assert before is None or after is None or after > before + 0.1 * block[0]


def test_a_part_of_the_truth_is_what_its_frame_shows(turn: Case) -> None:
    truth = turn[0]
    camera = truth.cameras[0]
    whole, matte = truth.picture(0, camera.width, camera.height)
    box = np.array((8, 10, camera.width - 20, camera.height + 6))  # beyond the lower edge
    size = (int(box[2] - box[0]), int(box[3] - box[1]))
    part, covered = truth.picture(0, *size, box)
    inside = camera.height - 10
    assert np.array_equal(part[:inside], whole[10:, 8:-20])
    assert np.array_equal(covered[:inside], matte[10:, 8:-20])
    assert (part[inside:] == 255).all() and (covered[inside:] == 0).all()
    half, _ = truth.picture(0, size[0] // 2, size[1] // 2, box)
    middle = part[: inside // 2 * 2].reshape(-1, 2, size[0] // 2, 2, 3).mean((1, 3))
    assert np.abs(half[: inside // 2] - middle).max() < 2  # means of two by two, rounded
