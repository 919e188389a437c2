"""Filmed people: what is known of a clip is what its frames show."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from svad.body.skeleton import Joint
from svad.body.skin import pose_points
from svad.core.errors import SvadError
from svad.evaluate.filmed import nearest, read_filmed
from svad.media.images import to_float
from svad.media.video import read_frames
from tools.truth import clips
from tools.truth.acting import FPS, SUB, act
from tools.truth.filming import NOISE, PAIR, Shot, drawn, shot
from tools.truth.person import MovingPerson
from tools.truth.posed import posed_points, projected
from tools.truth.room import behind

SIZE = (72, 96)
SECONDS = 2.4
BODY = 22


@pytest.fixture(scope="module")
def turn(person: MovingPerson) -> Shot:
    return shot(person, "turn", *SIZE, 0, SECONDS)


def some_frames(shot: Shot, count: int = 8) -> np.ndarray:
    return np.linspace(0, len(shot.cameras) - 1, count).astype(int)


def test_compiled_posing_and_projecting_are_the_packages(person: MovingPerson, turn: Shot):
    pose = turn.act.middles[30]
    own = (person.points, person.joint_ids, person.joint_weights, person.joints, person.parents)
    moved = posed_points(*own, pose)
    np.testing.assert_allclose(moved, pose_points(*own, pose).numpy(), atol=5e-6)  # float32, metres
    camera = turn.cameras[30]
    np.testing.assert_allclose(projected(camera, moved), camera.project(moved), atol=1e-3)


def test_the_joints_of_every_frame_are_inside_of_its_matte(turn: Shot):
    for place in some_frames(turn):
        one = drawn(turn, place)
        seen = turn.cameras[place].project(turn.places[place, :BODY])[:, :2]
        x, y = np.floor(seen).astype(int).T
        around = cv2.dilate(one.matte, np.ones((5, 5)))  # at this size a wrist is 2 px wide
        assert (around[y, x] > 0).all()
        rim = np.concatenate([one.matte[[0, -1]].ravel(), one.matte[:, [0, -1]].ravel()])
        assert not rim.any()  # nobody is cut off
        tall = np.ptp(np.flatnonzero(one.matte.any(1))) / SIZE[1]
        assert 0.6 < tall < 0.95


def test_a_turn_shows_every_side_once_and_yaw_grows_to_the_left_side(turn: Shot):
    steps = np.diff(np.unwrap(turn.yaw.astype(np.float64)))
    assert abs(abs(steps.sum()) - 2 * np.pi) < 0.1  # the camera wanders a little
    assert (np.abs(steps) < np.radians(0.5)).sum() >= FPS // 3  # a stop, and standing at the ends
    shoulders = turn.places[:, [Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER]]
    seen = np.stack([c.project(p) for c, p in zip(turn.cameras, shoulders, strict=True)])
    left, right = seen[:, 0], seen[:, 1]
    front, back = np.abs(turn.yaw) < 0.3, np.abs(turn.yaw) > 2.8
    assert front.any() and (left[front, 0] > right[front, 0]).all()
    assert back.any() and (left[back, 0] < right[back, 0]).all()
    from_left, from_right = (np.abs(turn.yaw - side) < 0.5 for side in (np.pi / 2, -np.pi / 2))
    assert from_left.any() and (left[from_left, 2] < right[from_left, 2]).all()
    assert from_right.any() and (left[from_right, 2] > right[from_right, 2]).all()


def test_the_same_seed_films_the_same(person: MovingPerson, turn: Shot):
    again, other = (shot(person, "turn", *SIZE, seed, SECONDS) for seed in (0, 1))
    np.testing.assert_array_equal(drawn(turn, 40).filmed, drawn(again, 40).filmed)
    np.testing.assert_array_equal(turn.yaw, again.yaw)
    assert not np.allclose(turn.gain, other.gain) and turn.room != other.room
    assert turn.cameras[0].focal != other.cameras[0].focal


def test_exposure_and_white_balance_drift_within_bounds(turn: Shot):
    assert turn.gain.shape == (round(SECONDS * FPS), 3)
    assert turn.gain.min() >= 0.9 and turn.gain.max() <= 1.1
    assert np.abs(np.diff(turn.gain, axis=0)).max() < 0.01
    place = int(np.flatnonzero(~turn.blurred)[0])
    one, camera = drawn(turn, place), turn.cameras[place]
    inside = one.matte == 255
    ratio = to_float(one.filmed)[inside].mean(0) / to_float(one.rgb)[inside].mean(0)
    # the mean of a thousand noisy pixels, and half a grey level of rounding
    np.testing.assert_allclose(ratio, turn.gain[place], atol=0.01)
    outside = one.matte == 0
    room = behind(turn.room, camera, turn.floor, turn.places[place, [7, 8]], turn.places[place, 0])
    left = to_float(one.filmed)[outside] - np.clip(room * turn.gain[place], 0, 1)[outside]
    assert np.median(np.abs(left)) < 2 * NOISE


def test_a_few_quick_frames_are_blurred(turn: Shot):
    blurred = np.flatnonzero(shot_at_540(turn.person).blurred)
    assert 0 < len(blurred) < 0.2 * SECONDS * FPS


def shot_at_540(person: MovingPerson) -> Shot:
    return shot(person, "turn", 540, 720, 0, SECONDS)


def test_the_camera_moves_only_in_the_hand(person: MovingPerson, turn: Shot):
    moves = np.ptp([camera.translation for camera in turn.cameras], axis=0)
    assert moves.min() > 0.001 and moves.max() < 0.1
    still = shot(person, "squat", *SIZE, 0)
    assert len({id(camera) for camera in still.cameras}) == 1


def test_a_walk_leaves_its_treadmill_and_the_standing_foot_stays(person: MovingPerson):
    found = shot(person, "walk", *SIZE, 1)
    pelvis = found.places[:, Joint.PELVIS]
    assert np.linalg.norm((pelvis[-1] - pelvis[0])[[0, 2]]) > 1.5  # three double steps, metres
    feet = found.places[:, [Joint.LEFT_FOOT, Joint.RIGHT_FOOT]]
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * FPS
    # the slower foot stands; between two stances it may roll
    assert np.median(speed.min(1)) < 0.05 and np.quantile(speed.min(1), 0.9) < 0.3
    for place in some_frames(found, 4):
        seen = found.cameras[place].project(found.places[place])
        assert (seen[:, :2] > 0).all() and (seen[:, :2] < SIZE).all()


@pytest.mark.parametrize("motion", ["wave", "squat"])
def test_authored_motions_have_their_moments(person: MovingPerson, motion: str):
    done = act(motion, person.joints.numpy(), person.parents, 4, 3)
    assert len(done.poses) == SUB * len(done.middles) and done.poses.expression.shape[1] == 4
    frame = done.frame(20)
    assert len(frame) == SUB
    np.testing.assert_array_equal(frame[1].rotations, done.middles[20].rotations)
    step = (done.middles.rotations[1:] - done.middles.rotations[:-1]).abs()
    assert 0.02 < step.max() < 0.5  # radians a frame: it moves, without a jump


def test_a_pair_is_front_and_back_under_two_exposures(person: MovingPerson, tmp_path: Path):
    found = shot(person, PAIR, *SIZE, 2)
    assert abs(found.yaw[0]) < 0.3 and abs(found.yaw[1]) > np.pi - 0.3
    assert np.abs(found.gain[0] - found.gain[1]).min() > 0.06
    assert not found.blurred.any()
    written = clips.write(found, (drawn(found, i) for i in range(2)), tmp_path, lambda *_: None)
    assert [path.name for path in written.files] == ["photo_0.jpg", "photo_1.jpg"]
    assert all(path.is_file() for path in written.files)


def test_a_clip_is_drawn_once_and_reads_back(
    person: MovingPerson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clips, "kept_person", lambda name, cache: person)
    arguments = ("kenji", "turn", tmp_path, lambda *_: None, SIZE, SECONDS)
    made = clips.clip(*arguments)
    monkeypatch.setattr(clips, "drawn", None)  # a second drawing would fail
    again = clips.clip(*arguments)
    assert again.folder == made.folder == read_filmed(made.folder).folder
    frames, fps = read_frames(again.files[0], 1000)
    assert len(frames) == len(again.cameras) == len(again.poses) == 72 and fps == FPS
    rgb, matte = again.picture(5, 36, 48)
    assert rgb.shape == (48, 36, 3) and matte.shape == (48, 36) and (rgb[matte == 0] == 255).all()
    assert nearest(again, np.array([0.0, 1.0, 99.0])) == [0, 30, 71]
    planned = clips.planned_shot("kenji", "turn", tmp_path, SIZE, SECONDS)
    for own, kept in zip(planned.cameras, again.cameras, strict=True):
        np.testing.assert_array_equal(own.rotation, kept.rotation)
        np.testing.assert_array_equal(own.translation, kept.translation)
        assert own.focal == kept.focal and own.center == kept.center
    np.testing.assert_array_equal(planned.act.middles.rotations, again.poses.rotations)


def test_strangers_get_a_sentence(tmp_path: Path):
    with pytest.raises(SvadError, match="no carl here"):
        clips.clip("carl", "turn", tmp_path, lambda *_: None)
    with pytest.raises(SvadError, match="Choose from: turn, walk, wave, squat, pair"):
        clips.clip("ada", "jump", tmp_path, lambda *_: None)
