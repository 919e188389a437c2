"""`evaluate looks`: an avatar that is the truth itself, what harms it, and the command's lines."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.core.errors import PhotoError, SvadError
from svad.evaluate import truth as truth_module
from svad.evaluate.looks import VIEWS, mean, measure
from svad.evaluate.looks_command import parser, run
from svad.evaluate.methods import LookMethods
from svad.evaluate.placing import by_silhouettes, on_own_skeleton
from svad.evaluate.truth import Look, Truth
from svad.geometry.camera import photo_camera
from svad.run.holdout import drawn
from svad.types import Pose
from tests.evaluate.conftest import SIZE, drawn_clip, turned
from tests.evaluate.test_command import Lines
from tests.helpers import PARENTS, tiny_avatar, tiny_joints, tiny_pose, tiny_subject

SIDES = 4


@pytest.fixture(scope="module")
def look(truth: Truth) -> Look:
    """Capsules from four sides in two poses; the photo shows the front."""
    yaws = (-np.arange(SIDES) * 2 * np.pi / SIDES + np.pi) % (2 * np.pi) - np.pi
    other = tiny_pose()
    other.rotations[:, 4, 0] = 0.6
    poses = Pose.cat([turned(pose, -yaws) for pose in (tiny_pose(), other)])
    sides = drawn_clip(tiny_avatar(), poses, photo_camera(SIZE, SIZE), np.tile(yaws, 2))
    joints = torch.from_numpy(tiny_joints())
    return Look("standing", "capsules", truth.photo, sides, SIDES, joints, PARENTS)


@pytest.fixture
def exact() -> LookMethods:
    """The photo is understood without fault."""
    return LookMethods(lambda photo, report: (tiny_subject(), tiny_avatar()))


def test_the_truth_itself_has_no_faults(look: Look, exact: LookMethods):
    found = measure(look, exact)
    scores = found.row.scores
    assert set(scores) == set(VIEWS) and found.drawn.shape == look.sides.rgb.shape
    # the search moves it by less than a pixel, and edges of so small a picture feel that
    assert min(scores[view]["iou"] for view in ("unseen", "seen", "a_pose")) > 0.97
    assert scores["unseen"]["psnr"] > 30 and scores["photo"]["iou"] > 0.97
    assert found.row.looks["crumbs"] < 0.01 and 0.9 < found.row.looks["ragged"] < 1.1


def test_an_avatar_of_another_size_lies_on_the_truth(look: Look):
    avatar = tiny_avatar()
    larger = replace(
        avatar,
        gaussians=replace(
            avatar.gaussians,
            means=1.3 * avatar.gaussians.means,
            scales=1.3 * avatar.gaussians.scales,
        ),
        joints=1.3 * avatar.joints,
    )
    mattes = drawn(larger, on_own_skeleton(larger, look))[1]
    np.testing.assert_allclose(mattes, look.sides.matte, atol=2)  # float32 at 96 px


def test_silhouettes_tell_the_size_and_the_place(look: Look):
    avatar = tiny_avatar()
    beside = np.array([0.02, -0.03, 0.025], np.float32)
    moved = replace(
        avatar,
        gaussians=replace(
            avatar.gaussians, means=avatar.gaussians.means + torch.from_numpy(beside)
        ),
    )
    mattes = drawn(moved, on_own_skeleton(moved, look)[list(range(SIDES))])[1]
    found = by_silhouettes(look, mattes)
    np.testing.assert_allclose(found.shift, -beside, atol=0.01)  # half a pixel is 8 mm
    assert found.size == pytest.approx(1, abs=0.03)


def test_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        mean([])


@pytest.fixture
def one_kind(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    monkeypatch.setattr(truth_module, "cases", lambda kinds, words: {"standing": ("capsules",)})
    monkeypatch.setattr(truth_module, "look", lambda kind, name, size, report: look)


def test_lines_table_and_sheet(
    one_kind: None, exact: LookMethods, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    options, screen = parser().parse_args(["--pictures", str(tmp_path)]), Lines()
    assert run(options, threading.Event(), screen, lambda: exact) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["case"] for line in lines] == ["standing", "mean"]
    assert lines[0]["people"] == ["capsules"] and lines[0]["unseen"] == lines[1]["unseen"]
    assert {"pinholes", "crumbs", "ragged"} <= set(lines[0]["looks"])
    assert screen.said[-1].count("\n") == 2 and "unseen" in screen.said[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["standing-capsules.jpg"]


def test_a_refused_picture_is_said_and_nothing_measured(one_kind: None):
    def refused(photo, report):
        raise PhotoError("Nobody is seen.")

    screen = Lines()
    with pytest.raises(SvadError, match="None of the pictures"):
        run(parser().parse_args([]), threading.Event(), screen, lambda: LookMethods(refused))
    assert screen.said == ["standing, capsules: Nobody is seen."]


def test_kinds_and_people_that_are_not_there_get_a_sentence():
    with pytest.raises(SvadError, match="no kind flying"):
        truth_module.cases(["flying"], [])
    with pytest.raises(SvadError, match="no person named carl"):
        truth_module.cases([], ["carl"])
    assert truth_module.cases(["turned"], ["ada"]) == {"turned": ("ada",)}
    with pytest.raises(SvadError, match="at least 64 px"):
        run(parser().parse_args(["--size", "10"]), threading.Event(), Lines())
