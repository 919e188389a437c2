"""The stage around the networks, with frames that somebody else makes up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from svad.body.model import BodyModel
from svad.config.diffusion import DiffusionConfig
from svad.config.presets import PAPER, QUICK
from svad.core.errors import SettingError, Stopped
from svad.diffusion import frame_confidence as check
from svad.diffusion.generate import Request, Skeletons
from svad.diffusion.stage import DiffusionStage, summary
from svad.types import Clip, Subject

FRAMES = 5
SMALL = replace(QUICK.diffusion, frames=FRAMES, width=112, height=192)


class Generator:
    """Keeps the request and gives grey frames with a person-sized block."""

    def __init__(self) -> None:
        self.request: Request | None = None

    def __call__(self, request: Request, report: Callable[..., None]) -> np.ndarray:
        self.request = request
        report(1, 2, "half way")
        h, w = request.photo.shape[:2]
        return np.full((len(request.figures), h, w, 3), 200, np.uint8)


def run(
    subject: Subject, body: BodyModel, config: DiffusionConfig, reader: check.Reader
) -> tuple[Clip, Request, list[tuple]]:
    generator, told = Generator(), []
    stage = DiffusionStage(config, body, generator, reader)
    return stage.run(subject, None, lambda *a: told.append(a)), generator.request, told


def blind(rgb: np.ndarray) -> None:
    return None


def test_every_frame_has_pose_camera_and_matte(subject: Subject, body: BodyModel) -> None:
    clip, request, told = run(subject, body, SMALL, blind)
    assert clip.rgb.shape == (FRAMES + 1, 192, 112, 3) and clip.matte.shape == (
        FRAMES + 1,
        192,
        112,
    )
    assert len(clip.poses) == len(clip.cameras) == len(clip.weight) == len(clip.yaw) == FRAMES + 1
    assert torch.equal(clip.poses.rotations[:1], subject.body.pose.rotations)
    assert (clip.rgb[0] == request.photo).all()
    np.testing.assert_allclose(np.degrees(clip.yaw[1:]), [0, -72, -144, 144, 72], atol=1e-3)
    done = [done for done, *_ in told]
    assert done == sorted(done) and done[-1] == told[-1][1]


def test_the_figures_stand_where_the_body_is(subject: Subject, body: BodyModel) -> None:
    clip, request, _ = run(subject, body, SMALL, blind)
    for figure, matte in zip(request.figures, clip.matte[1:], strict=True):
        x, y = (figure.body[2:14] * (112, 192)).astype(int).T  # shoulders to ankles
        assert matte[y, x].mean() > 200  # for want of a reader the matte is the driven body


def test_the_paper_aligns_in_the_picture(subject: Subject, body: BodyModel) -> None:
    config = replace(PAPER.diffusion, frames=FRAMES, width=128, height=128)
    _, request, _ = run(subject, body, config, blind)
    body_way = run(subject, body, replace(config, fit="body"), blind)[1]
    necks = [np.array([f.body[1] for f in r.figures]) for r in (request, body_way)]
    assert np.abs(necks[0] - necks[1]).max() < 0.12  # of the picture: two ways to the same place
    assert (necks[0] != necks[1]).any()
    assert request.drawn_on == (1080, 1080) and body_way.drawn_on == (128, 128)


def test_aligned_figures_stand_where_the_clips_cameras_see_the_body(
    subject: Subject, body: BodyModel
) -> None:
    config = replace(PAPER.diffusion, frames=FRAMES, width=128, height=128)
    clip, request, _ = run(subject, body, config, blind)
    joints = torch.from_numpy(subject.body.joints)
    away, off = [], []
    for figure, pose, camera in zip(request.figures, clip.poses[1:], clip.cameras[1:], strict=True):
        places = body.posed_joints(joints, pose.rotations, pose.translation)
        shoulders = places.numpy()[[16, 17]]  # left, right
        for view, to in ((camera, away), (clip.cameras[0], off)):
            neck = view.project(shoulders)[:, :2].mean(0) / 128
            to.append(neck - figure.body[1])
    assert clip.cameras[0].center != clip.cameras[1].center  # the photo keeps its own
    assert np.linalg.norm(np.mean(away, 0)) < 0.5 * np.linalg.norm(np.mean(off, 0))


def test_frames_that_lost_the_person_are_named_and_count_little(
    subject: Subject, body: BodyModel
) -> None:
    seen = iter(range(FRAMES))
    perfect = run(subject, body, SMALL, blind)[0]
    points = driven_points(subject, body)

    def reader(rgb: np.ndarray) -> SimpleNamespace | None:
        i = next(seen)
        if i == 3:
            return None
        moved = points[i] + (60 if i == 1 else 0, 0, 0)
        return SimpleNamespace(matte=perfect.matte[i + 1], keypoints=moved)

    clip, _, told = run(subject, body, SMALL, reader)
    good = check.FRAME_WEIGHT
    lost = check.LOST_WEIGHT
    np.testing.assert_allclose(clip.weight, [1, good, lost, good, lost, good], atol=1e-6)
    *_, note, picture = told[-1]
    assert note == summary(FRAMES, [1, 3]) and note.endswith(": 2, 4")
    assert picture.shape[0] == check.CELL


def driven_points(subject: Subject, body: BodyModel) -> np.ndarray:  # [T, 133, 3]
    from svad.pose.drive import drive_fitted, even_turn

    stage = DiffusionStage(SMALL, body, Generator(), blind)
    turn = even_turn(FRAMES)
    camera = stage._canvas(subject, turn).camera(subject.body.camera)
    return drive_fitted(body, replace(subject.body, camera=camera), turn).points


def test_the_squash_takes_the_photo_as_it_is(subject: Subject, body: BodyModel) -> None:
    config = replace(SMALL, squash=True, width=128, height=128)
    clip, request, _ = run(subject, body, config, blind)
    assert request.photo.shape == (128, 128, 3)
    first = clip.cameras[0]
    shape = subject.matte.shape[1] / subject.matte.shape[0]
    assert first.focal[0] / first.focal[1] == pytest.approx(1 / shape, rel=0.02)


def test_large_frames_come_back_at_the_papers_height(subject: Subject, body: BodyModel) -> None:
    config = replace(SMALL, width=896, height=1536, frames=1)
    clip, request, _ = run(subject, body, config, blind)
    assert request.photo.shape == (1536, 896, 3)
    assert clip.rgb.shape[1:] == (768, 448, 3)
    assert (clip.cameras[1].width, clip.cameras[1].height) == (448, 768)


def test_the_skeletons_are_drawn_when_they_are_asked_for(subject: Subject, body: BodyModel) -> None:
    pictures = Skeletons(run(subject, body, SMALL, blind)[1])
    assert len(pictures) == FRAMES
    assert pictures[0].shape == (768, 448, 3) and pictures[0].max() > 100
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"width": 1001}, "divide by 8"), ({"turn": "round"}, "one of paper, even"),
     ({"solver": "euler"}, "ddim, dpm2m"), ({"overlap": 48}, "overlap")],
)  # fmt: skip
def test_settings_that_do_not_work_are_a_sentence(
    subject: Subject, body: BodyModel, changes: dict, words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        run(subject, body, replace(SMALL, **changes), blind)


def test_stop_reaches_the_stage(subject: Subject, body: BodyModel) -> None:
    def report(done: int, total: int, note: str, picture: object = None) -> None:
        if note.startswith("looking at frame 2"):
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        DiffusionStage(SMALL, body, Generator(), blind).run(subject, None, report)


def test_a_clip_without_the_person_is_said_so() -> None:
    assert summary(3, []) == "3 frames"
    assert "nothing can be learned" in summary(2, [0, 1])
