"""The stage from end to end: a photo and its clip in, the clip with the photo's face out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svad.body.coco import FACE
from svad.body.free import load_free_body
from svad.config.identity import HeadFitConfig, IdentityConfig
from svad.core.errors import MissingWeights, NothingToDo, Stopped
from svad.face.projection import KnownFace
from svad.identity import fusion, select
from svad.identity.models import Models
from svad.identity.stage import IdentityStage
from svad.subject.landmarker import shared_landmarker
from svad.types import PHOTO_WEIGHT, Clip, Subject
from svad.weights.lazy import LazyNetworks
from tests.identity import whole

TURNS = (0.0, 12.0, 180.0, -20.0, 95.0)
# the camera's 300 steps have tests of their own
CONFIG = IdentityConfig(batch=2, fit=HeadFitConfig(steps=20))


class Told(list):
    """What a stage reports."""

    def __call__(self, done: int, total: int, note: str, picture=None) -> None:
        self.append((done, total, note, picture))

    @property
    def last(self) -> str:
        return self[-1][2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> whole.Folder:
    return whole.write_models(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def models(folder: whole.Folder) -> LazyNetworks[Models]:
    return whole.models(folder)


def run(
    models: LazyNetworks[Models],
    subject: Subject,
    clip: Clip,
    config: IdentityConfig = CONFIG,
    detect=None,
) -> tuple[Clip, Told]:
    told = Told()
    stage = IdentityStage(config, models, load_free_body(), detect)
    return stage.run(subject, clip, told), told


def test_the_face_comes_into_the_frames_that_show_it(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    before = whole.clip(subject, *TURNS)
    kept = before.rgb.copy()
    after, told = run(models, subject, before)
    np.testing.assert_array_equal(before.rgb, kept)  # the clip that came in is left alone
    assert after.rgb.shape == before.rgb.shape
    assert after.poses is before.poses and after.matte is before.matte
    expected = KnownFace(load_free_body(), subject.body)
    for i, turn in enumerate(TURNS):
        changed = (after.rgb[i] != before.rgb[i]).any(-1)
        assert changed.any() == (abs(turn) < 75)
        if changed.any():
            face = expected.landmarks(before.poses[i], before.cameras[i])
            rows, columns = np.nonzero(changed)
            room = 0.5 * np.ptp(face, axis=0).max()
            assert columns.min() > face[:, 0].min() - room and rows.min() > face[:, 1].min() - room
            assert columns.max() < face[:, 0].max() + room and rows.max() < face[:, 1].max() + room
    assert told.last.startswith("face fused into 3 of 5 frames")
    assert f"2 ({select.TURNED}: 2, 4)" in told.last


def test_progress_only_grows_and_ends_with_the_turntable(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    _, told = run(models, subject, whole.clip(subject, *TURNS))
    shares = [done / total for done, total, _, _ in told]
    assert shares == sorted(shares) and shares[-1] == 1
    for frame in (0, 1, 3):
        assert any(note == f"fusing the face, frame {frame} of 5" for _, _, note, _ in told)
    height, width = told[-1][3].shape[:2]
    assert width == 3 * height  # three views were drawn


def test_the_same_input_gives_the_same_bytes_and_others_their_own_head(
    models: LazyNetworks[Models],
) -> None:
    ada, kenji = whole.subject("ada"), whole.subject("kenji")
    clip = whole.clip(ada, 0.0, 15.0)
    first, told = run(models, ada, clip)
    run(models, kenji, whole.clip(kenji, 0.0))
    again, told_again = run(models, ada, clip)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    # kenji's photo on the frames of ada: same place, another head
    other = replace(kenji, body=ada.body)
    swapped, told_other = run(models, other, clip)
    heads = [t[-1][3].astype(int) for t in (told, told_again, told_other)]
    np.testing.assert_array_equal(heads[0], heads[1])
    assert np.abs(heads[0] - heads[2]).mean() > 2
    assert (swapped.rgb != first.rgb).any()


def test_models_are_loaded_once_and_only_when_needed(folder: whole.Folder) -> None:
    folder.asked.clear()
    models = whole.models(folder)
    subject = whole.subject("ada")
    stage = IdentityStage(CONFIG, models, load_free_body())
    with pytest.raises(NothingToDo):
        stage.run(subject, whole.clip(subject, 180.0), Told())
    assert folder.asked == []
    for _ in range(2):
        stage.run(subject, whole.clip(subject, 0.0), Told())
    assert sorted(folder.asked) == sorted(whole.FILES)


def test_a_frame_that_fails_stays_and_moves_no_other(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    clip = whole.clip(subject, 0.0, 0.0, 0.0, 0.0)
    blank = clip.rgb.copy()
    blank[1] = 128  # nobody to be found
    matte = clip.matte.copy()
    matte[2] = 0
    config = replace(CONFIG, max_disparity=0.2)
    detect = shared_landmarker().face_points
    after, told = run(models, subject, replace(clip, rgb=blank, matte=matte), config, detect)
    alone, _ = run(models, subject, whole.clip(subject, 0.0), config, detect)
    np.testing.assert_array_equal(after.rgb[1:3], blank[1:3])
    # the camera is fitted in all frames at once: sums of another length, so a pixel may round apart
    for frame in (0, 3):
        apart = np.abs(after.rgb[frame].astype(int) - alone.rgb[0])
        assert apart.max() <= 1 and apart.mean() < 1e-3
    assert (after.rgb[0] != blank[0]).any()
    assert "face fused into 2 of 4 frames" in told.last
    assert f"1 ({fusion.NO_FACE}: 1)" in told.last
    assert f"1 ({fusion.NOT_COVERED}: 2)" in told.last


def test_another_view_than_the_pose_says_is_left(models: LazyNetworks[Models]) -> None:
    """A detector that finds the face turned by 40 degrees: the landmarks cannot agree."""
    subject = whole.subject("ada")
    clip = whole.clip(subject, 0.0)
    expected = KnownFace(load_free_body(), subject.body)
    wrong = expected.landmarks(whole.turned(subject, 40.0)[0], clip.cameras[0])

    def detect(cut: np.ndarray) -> np.ndarray:
        spread = np.ptp(wrong, axis=0).max()
        return (wrong - wrong.mean(0)) * 170 / spread + np.array(cut.shape[1::-1]) / 2

    after, told = run(models, subject, clip, CONFIG, detect)
    np.testing.assert_array_equal(after.rgb, clip.rgb)
    assert told.last.startswith("face fused into 0 of 1 frames")
    assert f"1 ({fusion.DISAGREE}: 0)" in told.last


def test_the_photo_among_the_frames_is_not_touched(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    clip = whole.clip(subject, 0.0, 0.0)
    rgb = clip.rgb.copy()
    rgb[0] = subject.photo.rgb
    weight = np.array([PHOTO_WEIGHT, 0.5], np.float32)
    after, told = run(models, subject, replace(clip, rgb=rgb, weight=weight))
    np.testing.assert_array_equal(after.rgb[0], rgb[0])
    assert (after.rgb[1] != rgb[1]).any() and f"1 ({select.PHOTO}: 0)" in told.last


def test_the_published_way_runs_too(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    clip = whole.clip(subject, 0.0, 180.0)
    after, told = run(models, subject, clip, replace(CONFIG, strict=True))
    assert after.rgb.shape == clip.rgb.shape
    # the photo is not square: the head is stretched, and its landmarks with it
    assert f"2 ({fusion.DISAGREE}: 0-1)" in told.last
    square = min(clip.rgb.shape[1:3])
    camera = replace(subject.body.camera, height=square, width=square)
    cut = replace(
        clip, rgb=clip.rgb[:, :square, :square], matte=clip.matte[:, :square, :square],
        cameras=(camera,) * 2,
    )  # fmt: skip
    after, told = run(models, subject, cut, replace(CONFIG, strict=True))
    assert after.rgb.shape == cut.rgb.shape and "of 2 frames" in told.last


def test_a_missing_file_is_told_with_source_and_terms(models: LazyNetworks[Models]) -> None:
    def resolve(name: str) -> Path:
        raise MissingWeights(name, "its makers' page", "for research only", "Bring it.")

    subject = whole.subject("ada")
    with pytest.raises(NothingToDo) as error:
        run(whole.models(resolve), subject, whole.clip(subject, 0.0))
    for word in ("gagavatar", "its makers' page", "for research only", "Bring it."):
        assert word in str(error.value)


def test_a_photo_without_a_face_is_told(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    keypoints = subject.keypoints.copy()
    keypoints[FACE, 2] = 0
    with pytest.raises(NothingToDo, match="face"):
        run(models, replace(subject, keypoints=keypoints), whole.clip(subject, 0.0))


def test_a_clip_that_never_shows_the_face_is_told(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")
    with pytest.raises(NothingToDo, match="No frame"):
        run(models, subject, whole.clip(subject, 150.0, 180.0))


def test_stop_gets_through(models: LazyNetworks[Models]) -> None:
    subject = whole.subject("ada")

    def report(done: int, total: int, note: str, picture=None) -> None:
        if "drawing" in note:
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        IdentityStage(CONFIG, models, load_free_body()).run(
            subject, whole.clip(subject, 0.0), report
        )
