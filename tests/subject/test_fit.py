"""The body fit on drawn people whose pose and shape are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.face.landmarks import STEADY
from svad.geometry.rotation import rodrigues_array
from svad.subject import rig as r
from svad.subject.detect import MediapipeDetector
from svad.subject.evidence import JOINT_OF, Evidence, face_turn, gather
from svad.subject.fit import BodyFitter
from svad.subject.hands import fit_hands
from tests.subject.people import Person, person, pose_of

NO_DEPTH = np.full(133, np.nan, np.float32)
POSES = {
    "at ease": {},
    "arms out": {16: (0, 0, -8), 17: (0, 0, 8), 18: (0, 0, 0), 19: (0, 0, 0)},
    "one arm up": {16: (0, 0, 62), 18: (0, -25, 0)},
    "hand on hip": {17: (70, 0, 30), 19: (0, 95, 0)},
    "legs apart": {1: (0, 0, 16), 2: (0, 0, -16), 7: (0, 0, -16), 8: (0, 0, 16)},
    "turned": {0: (0, 25, 0)},
    "head to the side": {12: (0, 15, 0), 15: (0, 20, 8)},
}


def evidence_of(one: Person) -> Evidence:
    return gather(one.keypoints, NO_DEPTH, one.face, one.matte)


def fitted(one: Person):
    """(body fit, posed joints [55, 3], evidence)"""
    body = load_free_body()
    evidence = evidence_of(one)
    fitter = BodyFitter(body)
    fit = fitter.result(fitter.fit(evidence), evidence)
    pose = fit.pose.rotations[0], fit.pose.translation[0]
    return fit, body.posed_joints(torch.from_numpy(fit.joints), *pose).numpy(), evidence


def errors(fit, joints: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Distance of each trusted joint from its landmark, shares of the body height."""
    drawn = fit.camera.project(joints)
    return np.array(
        [
            np.linalg.norm(drawn[joint, :2] - evidence.keypoints[coco, :2]) / evidence.unit
            for coco, joint in JOINT_OF.items()
            if evidence.trust[coco] > 0.5
        ]
    )


@pytest.mark.parametrize("name", POSES)
def test_fit_matches_the_front_and_stands_upright(name: str) -> None:
    one = person(pose_of(POSES[name]), betas=(0.5, -0.4, 0.6))
    fit, joints, evidence = fitted(one)
    away = errors(fit, joints, evidence)
    assert away.mean() < 0.004 and away.max() < 0.01
    height = np.ptp(fit.vertices[:, 1])
    lean = (joints[15, 2] - joints[0, 2]) / height
    assert abs(lean - 0.015) < 0.03
    assert np.abs(joints[[7, 8], 2].mean() - joints[0, 2]) < 0.05 * height
    knees = np.degrees(fit.pose.rotations[0, [4, 5], 0].numpy())
    assert (knees > -8).all() and (knees < 25).all()


def test_result_is_the_body_model_s_own_shape() -> None:
    fit, _, _ = fitted(person())
    body = load_free_body()
    rest = body.rest(torch.from_numpy(fit.betas), torch.from_numpy(fit.bone_scales))
    np.testing.assert_allclose(fit.vertices, rest.vertices.numpy(), atol=1e-6)
    assert fit.pose.rotations.shape == (1, 55, 3) and fit.pose.translation[0, 2] < -1
    assert np.isfinite(fit.vertices).all() and fit.pose.rotations.isfinite().all()


def test_unseen_legs_stand_straight() -> None:
    one = person()
    cut = 300  # just under the hips
    points = one.keypoints.copy()
    points[13:23, 1] += 0
    half = Person(one.rgb[:cut], one.matte[:cut], points, one.face, one.joints, one.camera)
    fit, joints, evidence = fitted(half)
    assert evidence.trust[[13, 14, 15, 16]].max() == 0
    turns = np.degrees(np.linalg.norm(fit.pose.rotations[0, [1, 2, 4, 5, 7, 8]], axis=1))
    assert turns.max() < 15
    assert errors(fit, joints, evidence).max() < 0.012


def moved(one: Person, points: dict[int, tuple[float, float]], score: float) -> Person:
    """The person with landmarks shifted, in shares of the height, and their scores."""
    keypoints, height = one.keypoints.copy(), float(np.ptp(np.nonzero(one.matte)[0]))
    for point, shift in points.items():
        keypoints[point, :2] += height * np.array(shift)
        keypoints[point, 2] = score
    return replace(one, keypoints=keypoints)


@pytest.mark.parametrize(("score", "followed"), [(1.0, (0.8, 1.2)), (0.5, (-0.5, 0.5))])
def test_knees_that_are_hardly_seen_hardly_count(
    score: float, followed: tuple[float, float]
) -> None:
    one, inward = person(), 0.025
    true = fitted(one)
    knees = {13: (-inward, 0.0), 14: (inward, 0.0)}
    _, joints, evidence = fitted(moved(one, knees, score))
    apart = [
        float(np.subtract(*true[0].camera.project(found)[[4, 5], 0])) / evidence.unit
        for found in (true[1], joints)
    ]
    share = (apart[0] - apart[1]) / (2 * inward)
    assert followed[0] < share < followed[1]


def test_an_elbow_may_lie_elsewhere_along_a_straight_arm() -> None:
    one = person(pose_of(POSES["arms out"]))
    points = one.keypoints[:, :2]
    low = {}
    for shoulder, elbow, wrist in ((5, 7, 9), (6, 8, 10)):
        way = points[wrist] - points[shoulder]
        low[elbow] = tuple(0.02 * way / np.linalg.norm(way))
    before, after = (fitted(who)[0].bone_scales for who in (one, moved(one, low, 1.0)))
    ratio = (after[0] / after[1]) / (before[0] / before[1])
    # an elbow that is believed to the pixel makes the upper arm a third longer than the forearm
    assert abs(ratio - 1) < 0.12


def test_sitting_person_does_not_explode() -> None:
    sit = pose_of({1: (-85, 8, 0), 2: (-85, -8, 0), 4: (88, 0, 0), 5: (88, 0, 0)})
    fit, joints, evidence = fitted(person(sit, place=(0.0, 0.0, -4.2)))
    assert evidence.bent == (True, True)
    assert errors(fit, joints, evidence).mean() < 0.01
    assert (fit.bone_scales > 0.7).all() and (fit.bone_scales < 1.4).all()
    assert np.abs(fit.betas).max() < 3.5
    assert joints[4, 2] > joints[0, 2] + 0.1  # knees in front of the pelvis


def test_head_takes_the_face_s_place_and_turn() -> None:
    one = person(pose_of({12: (0, 12, 0), 15: (5, 18, 0)}))
    fit, _, evidence = fitted(one)
    body = load_free_body()
    pose = fit.pose.rotations[0], fit.pose.translation[0]
    rest = body.rest(torch.from_numpy(fit.betas), torch.from_numpy(fit.bone_scales))
    mesh = fit.camera.project(body.mesh_points(body.pose_vertices(rest, *pose)).numpy())
    away = np.linalg.norm(mesh[:, :2] - one.face[:, :2], axis=1) / evidence.unit
    assert np.median(away) < 0.004


@pytest.mark.parametrize(("pitch", "yaw"), [(0, 0), (20, 0), (-15, 25)])
def test_head_turn_from_the_real_face_mesh(pitch: float, yaw: float) -> None:
    one = person(pose_of({15: (pitch, yaw, 0)}), width=560, height=800)
    found = MediapipeDetector().detect(one.rgb)
    rig = r.Rig(load_free_body(), 50)
    rest = rig.rest(np.zeros(r.SHAPE))[1][rig.face]
    evidence = gather(found.keypoints, found.depth, found.face, one.matte)
    turn = face_turn(evidence.face, rest, STEADY)
    true = rodrigues_array(np.radians(np.array((pitch, yaw, 0.0))))
    angle = np.degrees(np.arccos(np.clip((np.trace(true.T @ turn) - 1) / 2, -1, 1)))
    assert angle < 9


def test_fingers_follow_the_hand_landmarks() -> None:
    curled = pose_of(dict.fromkeys((25, 26, 28, 29, 31, 32, 34, 35), (0, 0, -40)))
    body = load_free_body()
    one = person(curled)
    points = one.keypoints.copy()
    rest = body.rest(torch.zeros(10))
    vertices = body.pose_vertices(rest, torch.from_numpy(curled), torch.tensor((0.0, 0.05, -3.9)))
    tips = one.camera.project(vertices[body.keypoints[11:16]].numpy())
    flat = one.camera.project(one.joints)
    order = (20, 37, 38, 39, -1, 25, 26, 27, -2, 28, 29, 30, -3, 34, 35, 36, -4, 31, 32, 33, -5)
    for k, joint in enumerate(order):
        points[91 + k] = (*(flat[joint] if joint >= 0 else tips[-joint - 1])[:2], 1)
    evidence = gather(points, NO_DEPTH, one.face, one.matte)
    fitter = BodyFitter(body)
    hands = fit_hands(body, fitter.result(fitter.fit(evidence), evidence), evidence)
    bend = -np.degrees(hands[[25, 28, 34], 2] + hands[[26, 29, 35], 2])
    assert (bend > 35).all()  # 80 were drawn, seen almost from the side
    right = np.degrees(hands[[40, 43, 49], 2])
    assert (right > 5).all() and (right < 30).all()  # not seen: at ease


def test_rig_agrees_with_the_body_model() -> None:
    body = load_free_body()
    rig = r.Rig(body, 100)
    x = np.random.default_rng(0).normal(0, 0.1, r.COUNT)
    x[r.PLACE] = (0.02, -0.03, np.log(4.0))
    rig.linearise(x[r.FORM])
    joints, points, _ = rig.pose(x[None])
    betas = torch.as_tensor(x[r.FORM][: r.BETAS]).float()
    scales = torch.as_tensor(np.exp(x[r.FORM][r.BETAS :])).float()
    rest = body.rest(betas, scales)
    turns = torch.zeros(55, 3)
    turns[:22] = torch.as_tensor(x[r.TURNS].reshape(22, 3))
    place = torch.as_tensor(r.translation(x[r.PLACE])).float()
    vertices = body.pose_vertices(rest, turns, place)
    np.testing.assert_allclose(
        joints[0], body.posed_joints(rest.joints, turns, place)[:22], atol=1e-5
    )
    np.testing.assert_allclose(
        points[0, rig.keypoints], vertices[body.keypoints[:11]].numpy(), atol=1e-4
    )
    np.testing.assert_allclose(
        points[0, rig.face], body.mesh_points(vertices).numpy()[list(STEADY)], atol=2e-3
    )
