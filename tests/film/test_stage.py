"""The stage that follows the person: frames of known pose, and how far each is believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.skeleton import Joint
from svad.config.film import FilmConfig
from svad.core.progress import silent
from svad.film.stage import LEFT_OUT, MOST, FilmStage, nodded, poses_of, side_of, weights
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.motion.stance import STRAIGHT, bends, likely_bends
from svad.track.held import Freedom
from svad.track.problem import Tracked
from svad.types import PHOTO_WEIGHT, Avatar, Clip, Footage, Photo, Pose, Subject
from tests.helpers import tiny_avatar
from tests.track.posed import HEIGHT, WIDTH, Posed, angle, turned

COUNT = 12
YAW = np.linspace(-1.2, 1.2, COUNT)


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poses need not be exact here."""
    monkeypatch.setattr("svad.film.stage.TURNING", Freedom(rounds=25))
    monkeypatch.setattr("svad.film.stage.MOVING", Freedom(own=30.0, rounds=25))


def footage_of(one: Posed, front: int) -> Footage:
    """Its pictures tell their number in a corner; all have one light."""
    count = len(one.seen)
    rgb = np.full((count, HEIGHT, WIDTH, 3), 128, np.uint8)
    rgb[:, :4, :4] = (np.arange(count) + 100)[:, None, None, None]
    return Footage(
        photo=Photo(rgb[front], None),
        front=front,
        rgb=rgb,
        matte=one.seen.matte,
        keypoints=one.seen.keypoints,
        depth=one.seen.depth,
        time=one.seen.time,
        sharpness=np.ones(count, np.float32),
        yaw=one.yaw.astype(np.float32),
        cameras=(one.camera,) * count,
        warnings=(),
    )


def subject_of(one: Posed) -> Subject:
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    points = one.seen.keypoints[0]
    return Subject(Photo(rgb, None), rgb[..., 0], points, None, None, one.fit, ())


def start_of(subject: Subject, avatar: Avatar) -> Clip:
    return Clip(
        rgb=subject.photo.rgb[None],
        matte=subject.matte[None],
        poses=subject.body.pose,
        cameras=(subject.body.camera,),
        weight=np.ones(1, np.float32),
        yaw=np.zeros(1, np.float32),
        start=avatar,
    )


class Unmoved:
    """Finds every pose as good as it is; counts how often it was asked."""

    calls = 0

    def __call__(self, avatar, clip, report, *, steps, rate) -> Pose:
        self.calls += 1
        return clip.poses


class Together:
    """Finds every pose as good as it is, too; keeps what weighed how much."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []

    def __call__(self, avatar, subject, clip, report, *, steps) -> Pose:
        self.weights.append(clip.weight)
        return clip.poses


def followed(
    footage: Footage,
    one: Posed,
    refine: Unmoved,
    together: Together | None = None,
    holdout: int = 0,
) -> Clip:
    made = together or Together()
    stage = FilmStage(FilmConfig(holdout=holdout), load_free_body(), refine, made)
    subject = subject_of(one)
    return stage.run(subject, footage, start_of(subject, tiny_avatar(200)), silent)


def test_the_front_is_first_and_the_others_follow_in_time() -> None:
    one = turned(YAW, time=np.arange(COUNT) / 4)
    refine, together = Unmoved(), Together()
    clip = followed(footage_of(one, 5), one, refine, together)
    order = [5, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert (clip.rgb[:, 0, 0, 0] - 100).tolist() == order
    assert np.array_equal(clip.matte, one.seen.matte[order])
    assert clip.weight[0] == PHOTO_WEIGHT and clip.weight.dtype == np.float32
    assert ((clip.weight[1:] > 0) & (clip.weight[1:] < 1)).all()
    assert len(clip.poses) == len(clip.cameras) == COUNT
    assert angle(clip.yaw, YAW[order]).max() < np.radians(8)
    assert clip.start is not None and len(clip.start.gaussians) == 200
    assert refine.calls == 1
    assert len(together.weights) == 1
    assert (together.weights[0] > 0).all()


def test_a_turns_poses_and_first_guess_are_bound_to_its_stance() -> None:
    one = turned(YAW, time=np.arange(COUNT) / 4)
    clip = followed(footage_of(one, 5), one, Unmoved())
    assert clip.start is not None
    more = bends(one.fit.pose) - bends(clip.start.pose)
    assert more[2:] == pytest.approx(-STRAIGHT, abs=1e-3)
    found = bends(clip.poses)
    assert found[:2] == pytest.approx(likely_bends(clip.poses)[:2], abs=0.02)
    assert found[2:] + more[2:] == pytest.approx(bends(one.fit.pose)[2:], abs=0.1)
    assert (clip.start.joints - tiny_avatar(200).joints).abs().max() > 0.005


def test_photos_are_followed_each_for_itself() -> None:
    yaw = np.radians([180, 0, 90])
    one = turned(yaw)
    refine = Unmoved()
    clip = followed(footage_of(one, 1), one, refine)
    assert (clip.rgb[:, 0, 0, 0] - 100).tolist() == [1, 0, 2]
    assert clip.weight[0] == PHOTO_WEIGHT and (clip.weight[1:] < PHOTO_WEIGHT).all()
    assert angle(clip.yaw, yaw[[1, 0, 2]]).max() < np.radians(10)
    assert refine.calls == 1


def test_a_single_picture_is_a_clip_of_one_frame() -> None:
    one = turned(np.array([0.1]), time=np.zeros(1))
    clip = followed(footage_of(one, 0), one, Unmoved())
    assert len(clip.rgb) == 1 and clip.weight.tolist() == [PHOTO_WEIGHT]


def tracked(miss: np.ndarray) -> Tracked:
    count = len(miss)
    return Tracked(
        np.zeros((count, 22, 3), np.float32),
        np.zeros((count, 3), np.float32),
        np.zeros(count),
        miss,
    )


def test_blurred_cut_and_badly_followed_frames_count_less() -> None:
    footage = footage_of(turned(np.zeros(6)), 0)
    sharpness, matte = np.array([0.9, 1, 0.95, 0.4, 0.9, 0.02]), footage.matte.copy()
    matte[4, 100:300, :40] = 255  # runs out of the picture
    miss = np.array([0.004, 0.005, 0.02, 0.005, 0.004, 0.004])
    found = weights(
        replace(footage, sharpness=sharpness.astype(np.float32), matte=matte), tracked(miss)
    )
    assert found[[0, 1]] == pytest.approx(MOST)
    assert LEFT_OUT < found[5] < found[3] < found[0]
    assert found[[2, 4]] == pytest.approx(LEFT_OUT)
    empty = replace(footage, matte=0 * footage.matte)
    assert weights(empty, tracked(miss)) == pytest.approx(LEFT_OUT)


def test_hands_and_face_are_those_of_the_photo() -> None:
    photo = Pose(torch.rand(1, 55, 3), torch.zeros(1, 3), torch.rand(1, 4))
    one = tracked(np.zeros(3))
    poses = poses_of(replace(one, rotations=one.rotations + 0.2), photo)
    assert len(poses) == 3
    assert (poses.rotations[:, :22] == 0.2).all()
    assert torch.equal(poses.rotations[:, 22:], photo.rotations[:, 22:].repeat(3, 1, 1))


def test_heads_are_lifted_no_more_than_in_the_photo() -> None:
    """All frames are off by one nod; the front, 1, is the photo."""
    true = torch.randn(3, 55, 3, generator=torch.Generator().manual_seed(0)) * 0.3
    photo = Pose(true[[1]], torch.zeros(1, 3), torch.zeros(1, 4))
    off = true.clone()
    nod = rodrigues(torch.tensor([0.4, 0.1, 0.0]))
    off[:, Joint.HEAD] = matrix_to_axis_angle(rodrigues(true[:, Joint.HEAD]) @ nod)
    found = nodded(Pose(off, torch.zeros(3, 3), torch.zeros(3, 4)), 1, photo)
    assert torch.allclose(found.rotations, true, atol=1e-5)
    assert not torch.allclose(off, true, atol=0.1)


def test_the_side_that_is_seen_hangs_on_where_the_person_stands() -> None:
    """Somebody at the right edge who looks straight ahead is seen a little from the right."""
    one = turned(np.zeros(3), place=np.array([[0, 0, 0], [0.7, 0, 0], [-0.7, 0, 0]]))
    poses = Pose(
        torch.from_numpy(one.rotations).float(),
        torch.from_numpy(one.translation).float(),
        torch.zeros(3, 4),
    )
    side = side_of(poses, one.fit.joints)
    assert side.dtype == np.float32
    away = np.arctan2(0.7, 3.9)
    # the camera is then on the person's right, which is at -x
    assert side == pytest.approx([0, -away, away], abs=0.01)
