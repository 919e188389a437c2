"""Authored motions: smooth, closed, on the floor, for people of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from svad.body.free import load_free_body
from svad.body.skin import pose_points
from svad.geometry.rotation import rodrigues
from svad.motion.authored import authored
from svad.motion.rig import Skeleton, Track, contact_points, forward
from svad.motion.standing import A_POSE, a_pose
from svad.motion.stills import POSES
from svad.types import Pose
from tests.helpers import EXPRESSIONS, PARENTS, tiny_joints

SIZES = (0.55, 1.0, 1.25)  # a child of 0.95 m, a grown-up of 1.7 m, a giant of 2.1 m
FASTEST = 650  # degrees per second a joint may turn: a hand wave or a walking knee stays below


def track_of(poses: Pose, joints: np.ndarray) -> Track:
    rotations = rodrigues(poses.rotations.double()).numpy()
    pelvis = poses.translation.numpy() + joints[0]
    return Track(Skeleton(joints.astype(np.float64), PARENTS), rotations, pelvis)


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles between rotation matrices [..., 3, 3]."""
    trace = np.einsum("...ij,...ij->...", a, b)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


@pytest.fixture(scope="module", params=SIZES)
def joints(request: pytest.FixtureRequest) -> np.ndarray:
    return tiny_joints() * request.param


@pytest.fixture(scope="module", params=list(authored()))
def motion(request: pytest.FixtureRequest):
    return authored()[request.param]


def test_poses_are_finite_and_counted(motion, joints: np.ndarray):
    poses = motion.of(EXPRESSIONS, joints, PARENTS).poses
    assert len(poses) == round(motion.seconds * motion.fps)
    assert poses.rotations.shape == (len(poses), 55, 3)
    assert poses.expression.shape == (len(poses), len(EXPRESSIONS))
    assert poses.rotations.isfinite().all() and poses.translation.isfinite().all()
    assert (poses.expression >= 0).all() and (poses.expression <= 1).all()


def test_loops_close_smoothly(motion, joints: np.ndarray):
    """The step from the last frame to the first is like any other, in turn and in place."""
    track = track_of(motion.of(EXPRESSIONS, joints, PARENTS).poses, joints)
    turned = degrees_between(track.rotations, np.roll(track.rotations, -1, 0))  # [T, 55]
    assert turned.max() * motion.fps < FASTEST
    assert (turned[-1] <= turned.max(0) + 1e-3).all()
    moved = np.linalg.norm(track.pelvis - np.roll(track.pelvis, -1, 0), axis=-1)
    assert moved.max() * motion.fps < 1.2 * track.skeleton.leg  # metres per second
    assert moved[-1] <= moved[:-1].max() + 1e-4


def test_no_frame_jerks(motion, joints: np.ndarray):
    """Joint places never change their speed by more than a fall and a hand's flick would."""
    _, places = forward(track_of(motion.of(EXPRESSIONS, joints, PARENTS).poses, joints))
    force = np.diff(np.concatenate([places, places[:2]]), n=2, axis=0) * motion.fps**2
    assert np.linalg.norm(force, axis=-1).max() < 60 * joints[15, 1] / 0.644  # m/s^2


def test_the_lower_foot_is_on_the_floor(motion, joints: np.ndarray):
    track = track_of(motion.of(EXPRESSIONS, joints, PARENTS).poses, joints)
    height = contact_points(track)[..., 1].min(1) - track.skeleton.floor
    assert np.abs(height).max() < 0.012 * track.skeleton.leg


@pytest.mark.parametrize("name", ["wave", "squat", "raise_arms", "expressions"])
def test_planted_feet_do_not_slide(name: str, joints: np.ndarray):
    track = track_of(authored()[name].of((), joints, PARENTS).poses, joints)
    contacts = contact_points(track)
    assert np.linalg.norm(contacts - contacts[0], axis=-1).max() < 0.01


def test_standing_foot_moves_evenly_in_walk(joints: np.ndarray):
    """On the ground, the lower foot goes back at the treadmill's speed."""
    motion = authored()["walk"]
    track = track_of(motion.of((), joints, PARENTS).poses, joints)
    balls = contact_points(track)[:, [1, 4]]  # [T, 2, 3]
    flat = (balls[..., 1] - track.skeleton.floor < 0.003) & (
        contact_points(track)[:, [0, 3], 1] - track.skeleton.floor < 0.003
    )
    speed = np.diff(balls[..., 2], axis=0) * motion.fps
    speed = speed[flat[1:] & flat[:-1]]
    assert len(speed) > 20
    assert np.ptp(speed) < 0.05 * abs(speed.mean()) and speed.mean() < 0


def test_walk_alternates_legs_and_arms(joints: np.ndarray):
    _, places = forward(track_of(authored()["walk"].of((), joints, PARENTS).poses, joints))
    legs = places[:, 7, 2] - places[:, 8, 2]
    arms = places[:, 20, 2] - places[:, 21, 2]
    assert legs.max() > 0.2 * -joints[7, 1] and legs.min() < -0.2 * -joints[7, 1]
    assert np.corrcoef(legs, arms)[0, 1] < -0.8
    cycle = len(legs) // 4
    np.testing.assert_allclose(legs[:cycle], legs[cycle : 2 * cycle], atol=1e-3)


def test_knees_and_elbows_bend_the_right_way(motion, joints: np.ndarray):
    track = track_of(motion.of((), joints, PARENTS).poses, joints)
    turns, places = forward(track)
    for hip, knee, ankle in ((1, 4, 7), (2, 5, 8)):
        ahead = places[:, knee] - (places[:, hip] + places[:, ankle]) / 2
        facing = turns[:, hip, :, 2]  # the thigh's own front
        assert ((ahead * facing).sum(-1) > 0).all()
    for elbow in (18, 19):
        bend = turns[:, elbow] @ [1.0 if elbow == 18 else -1.0, 0, 0]
        inner = turns[:, elbow - 2, :, 2]  # the side of the upper arm that the forearm folds to
        assert ((bend * inner).sum(-1) > 0).all()


@pytest.fixture(scope="module")
def bodies() -> list[tuple]:
    """A typical woman and man: rest, ids, weights, and whether a vertex is forearm or trunk."""
    body = load_free_body()
    found = []
    ids, weights = torch.as_tensor(body.joint_ids), torch.as_tensor(body.joint_weights)
    joint = ids.gather(1, weights.argmax(1, keepdim=True))[:, 0].numpy()
    arms = np.isin(joint, [*range(18, 22), *range(25, 55)])
    trunk = np.isin(joint, [0, 1, 2, 3, 6, 9])
    shins = np.isin(joint, [4, 7, 10]), np.isin(joint, [5, 8, 11])
    for build in torch.as_tensor(body.builds):
        found.append((body.rest(build.float()), ids, weights, (arms, trunk), shins))
    return found


def test_limbs_do_not_touch(motion, bodies: list[tuple]):
    """Forearms keep room for clothes beside the trunk, shins keep off each other."""
    for rest, ids, weights, (arms, trunk), (left, right) in bodies:
        for pose in motion.of((), rest.joints.numpy(), PARENTS).poses[::9]:
            points = pose_points(rest.vertices, ids, weights, rest.joints, PARENTS, pose).numpy()
            assert cKDTree(points[trunk]).query(points[arms])[0].min() > 0.05
            assert cKDTree(points[left]).query(points[right])[0].min() > 0.03


def test_turn_goes_once_round(joints: np.ndarray):
    turns, _ = forward(track_of(authored()["turn"].of((), joints, PARENTS).poses, joints))
    yaw = np.unwrap(np.arctan2(turns[:, 0, 0, 2], turns[:, 0, 2, 2]))
    assert yaw[-1] - yaw[0] == pytest.approx(2 * np.pi * (1 - 1 / len(yaw)), abs=0.05)
    assert (np.diff(yaw) > 0).all()


def test_missing_expressions_are_skipped():
    joints = tiny_joints()
    motion = authored()["expressions"]
    some = motion.of(("nobodyKnowsThis", "jawOpen"), joints, PARENTS).poses
    values = some.expression.numpy()
    assert (values[:, 0] == 0).all() and values[:, 1].max() > 0.3
    assert motion.of((), joints, PARENTS).poses[0].expression.shape == (0,)


def test_expressions_use_the_face_and_the_names_exist():
    names = ("eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "browInnerUp", "jawOpen")
    poses = authored()["expressions"].of(names, tiny_joints(), PARENTS).poses
    assert (poses.expression.amax(0) > 0.4).all()


def test_a_pose_stands_on_the_floor(joints: np.ndarray):
    pose = a_pose(joints, PARENTS, 4)
    track = track_of(pose, joints)
    contacts = contact_points(track)[0]
    assert contacts[:, 1].min() == pytest.approx(track.skeleton.floor, abs=1e-6)
    assert np.ptp(contacts[:, 1]) < 0.006  # both soles are flat
    _, places = forward(track)
    for shoulder, wrist in ((16, 20), (17, 21)):
        drop = places[0, shoulder] - places[0, wrist]
        assert 42 < np.degrees(np.arctan2(drop[1], abs(drop[0]))) < 58
    assert pose.expression.shape == (1, 4)


def test_a_pose_is_mirrored():
    left, right = [1, 4, 7, 13, 16, 18, *range(25, 40)], [2, 5, 8, 14, 17, 19, *range(40, 55)]
    np.testing.assert_allclose(A_POSE[left], A_POSE[right] * [1, -1, -1])
    assert not A_POSE[[0, 3, 6, 9, 12, 15]].any()


def test_still_poses(joints: np.ndarray):
    places = {}
    for name, still in POSES.items():
        pose = still.pose(EXPRESSIONS, joints, PARENTS)
        assert not pose.expression.any()
        places[name] = forward(track_of(pose, joints))[1][0]
    leg = -joints[7, 1]
    assert places["arms_up"][20, 1] > places["arms_up"][15, 1]  # hands above the head
    assert places["squat"][0, 1] < joints[0, 1] - 0.3 * leg
    assert abs(places["walk"][7, 2] - places["walk"][8, 2]) > 0.3 * leg
