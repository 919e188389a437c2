"""From a subject to a clip: binding, views, progress, and people who are not shown whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.model import BodyModel
from svad.body.skin import pose_gaussians, pose_points
from svad.config.relief import ReliefConfig
from svad.core.errors import Stopped
from svad.motion.standing import a_pose
from svad.relief.build import Relief, build_relief
from svad.relief.points import BACK, FRONT
from svad.relief.stage import ReliefStage, bind
from svad.types import Avatar, Clip, Pose, Subject
from tests.relief.people import directed_edges, subject_of, with_print
from tests.subject.people import pose_of

VIEWS = 4


def nothing(*_: object) -> None:
    """A report that nobody reads."""


@pytest.fixture(scope="module")
def avatar(subject: Subject, relief: Relief, body: BodyModel) -> Avatar:
    return bind(subject, relief, body)


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int, str, np.ndarray | None]]:
    return []


@pytest.fixture(scope="module")
def clip(subject: Subject, body: BodyModel, told: list) -> Clip:
    def report(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
        told.append((done, total, note, picture))

    return ReliefStage(ReliefConfig(views=VIEWS), body).run(subject, report)


def test_posing_back_gives_the_photo_again(avatar: Avatar, relief: Relief) -> None:
    posed = pose_gaussians(avatar, avatar.pose[0])
    assert np.abs(posed.means.numpy() - relief.points.xyz).max() < 1e-4
    same = np.abs((posed.quats.numpy() * relief.points.quats).sum(1))  # q and -q are one rotation
    assert same.min() > 0.999


def test_avatar_is_well_formed(avatar: Avatar, relief: Relief) -> None:
    g = avatar.gaussians
    assert len(g) == len(relief.points) == len(avatar.joint_ids) == len(avatar.joint_weights)
    for values in (g.means, g.scales, g.quats, g.opacities, g.colors):
        assert torch.isfinite(values).all()
    torch.testing.assert_close(avatar.joint_weights.sum(1), torch.ones(len(g)), atol=1e-4, rtol=0)
    torch.testing.assert_close(g.quats.norm(dim=1), torch.ones(len(g)), atol=1e-3, rtol=0)
    assert (g.scales > 0).all() and g.colors.min() >= 0 and g.colors.max() <= 1
    assert g.means[:, 1].max() - g.means[:, 1].min() == pytest.approx(1.7, abs=0.25)


def test_limbs_follow_their_joints(avatar: Avatar, relief: Relief) -> None:
    rotations = avatar.pose.rotations.clone()
    rotations[0, 18, 1] -= 1.2  # the left elbow
    moved = pose_gaussians(avatar, replace(avatar.pose, rotations=rotations)).means[0].numpy()
    step = np.linalg.norm(moved - relief.points.xyz, axis=1)
    forearm = relief.points.weights[:, 18] > 0.9
    rest = relief.points.weights[:, [18, 20]].sum(1) < 0.01
    assert step[forearm].max() > 0.15 and np.median(step[forearm]) > 0.05
    assert step[rest].max() < 0.02


def test_expressions_move_the_face_alone(avatar: Avatar) -> None:
    assert len(avatar.expression_ids) == len(avatar.expression_dirs) > 100
    assert len(torch.unique(avatar.expression_ids)) == len(avatar.expression_ids)
    head = (avatar.joint_weights * (avatar.joint_ids == 15)).sum(1)
    assert head[avatar.expression_ids].min() > 0.3
    reach = avatar.expression_dirs.float().norm(dim=-1).amax(0)
    assert (reach < 0.06).all() and (reach > 0.001).sum() > 10  # centimetres at most


def test_mesh_is_closed_and_bound_like_the_gaussians(avatar: Avatar, body: BodyModel) -> None:
    mesh = avatar.mesh
    there, back = directed_edges(mesh.faces)
    np.testing.assert_array_equal(there, back)
    np.testing.assert_allclose(mesh.joint_weights.sum(1), 1, atol=1e-4)
    assert mesh.faces.max() < len(mesh.vertices) == len(mesh.colors) == len(mesh.joint_ids)
    posed = pose_points(
        torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.joint_ids).long(),
        torch.from_numpy(mesh.joint_weights), avatar.joints, avatar.parents, avatar.pose[0],
    ).numpy()  # fmt: skip
    pixels = avatar.camera.project(posed)
    low, high = pixels[:, :2].min(0), pixels[:, :2].max(0)
    assert (low > 0).all() and (high < (avatar.camera.width, avatar.camera.height)).all()
    assert (np.abs(mesh.expression_dirs.astype(np.float32)) < 0.1).all()


def same_pose(a: Pose, b: Pose) -> bool:
    pairs = (a.rotations, b.rotations), (a.translation, b.translation), (a.expression, b.expression)
    return all(torch.equal(*pair) for pair in pairs)


def test_first_frame_is_the_photo_and_is_believed_most(clip: Clip, subject: Subject) -> None:
    np.testing.assert_array_equal(clip.rgb[0], subject.photo.rgb)
    np.testing.assert_array_equal(clip.matte[0], subject.matte)
    assert clip.weight[0] == 1 and (clip.weight[1:] < 0.5).all() and (clip.weight > 0).all()
    assert same_pose(clip.poses[:1], clip.start.pose) and clip.cameras[0] is clip.start.camera


def test_every_frame_has_pose_camera_matte_weight_and_yaw(clip: Clip, subject: Subject) -> None:
    h, w = subject.matte.shape
    assert clip.rgb.shape == (VIEWS + 1, h, w, 3) and clip.matte.shape == (VIEWS + 1, h, w)
    assert len(clip.poses) == len(clip.cameras) == len(clip.weight) == VIEWS + 1
    np.testing.assert_allclose(clip.yaw[1:], np.arange(VIEWS) * 2 * np.pi / VIEWS, atol=1e-6)
    stand = a_pose(clip.start.joints, clip.start.parents, len(clip.start.expression_names))
    for pose, camera in zip(clip.poses[1:], clip.cameras[1:], strict=True):
        np.testing.assert_allclose(pose.rotations, stand.rotations[0])
        assert (camera.width, camera.height) == (w, h)
    sides = [camera.rotation[2] for camera in clip.cameras[1:]]  # viewing directions
    np.testing.assert_allclose(sides[0], -sides[2], atol=1e-5)


def test_views_show_the_whole_person_over_white(clip: Clip) -> None:
    for rgb, matte in zip(clip.rgb[1:], clip.matte[1:], strict=True):
        border = np.concatenate([matte[0], matte[-1], matte[:, 0], matte[:, -1]])
        assert border.max() < 30  # no more than the tail of a long splat
        assert 0.04 < (matte > 127).mean() < 0.5
        assert (rgb[matte == 0] == 255).all()
    widths = [(m > 127).any(0).sum() for m in clip.matte[1:]]
    assert widths[1] < 0.7 * widths[0]  # from the side a person is narrower


def test_report_rises_to_its_total(clip: Clip, told: list) -> None:
    done = [call[0] for call in told]
    assert done == sorted(done) and len({call[1] for call in told}) == 1
    assert done[-1] == told[0][1] and len(told) > 8
    pictures = [call[3] for call in told if call[3] is not None]
    assert len(pictures) == VIEWS and all(p.dtype == np.uint8 for p in pictures)


@pytest.mark.parametrize("when", [1, 4, 9])
def test_stop_leaves_at_the_next_report(subject: Subject, body: BodyModel, when: int) -> None:
    calls = 0

    def stop(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == when:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        ReliefStage(ReliefConfig(views=2), body).run(subject, stop)
    assert calls == when


def test_same_seed_same_person(subject: Subject, body: BodyModel, relief: Relief) -> None:
    again = build_relief(subject, body, lambda note: None, seed=0).points
    for name in ("xyz", "rgb", "scales", "quats", "weights", "opacity"):
        np.testing.assert_array_equal(getattr(again, name), getattr(relief.points, name))


def test_another_seed_changes_the_unseen_grain_only(
    subject: Subject, body: BodyModel, relief: Relief
) -> None:
    other = build_relief(subject, body, lambda note: None, seed=7).points
    seen = relief.points.seen
    np.testing.assert_array_equal(other.xyz, relief.points.xyz)
    np.testing.assert_array_equal(other.rgb[seen], relief.points.rgb[seen])
    change = np.abs(other.rgb - relief.points.rgb)[relief.points.side == BACK]
    assert 0 < change.mean() < 0.03


def test_head_closeup_gives_a_denser_face(
    subject: Subject, body: BodyModel, relief: Relief
) -> None:
    plain = build_relief(replace(subject, head=None), body, lambda note: None, seed=0).points

    def heads(points) -> int:
        return int((points.seen & (points.weights[:, 15] > 0.8)).sum())

    assert heads(relief.points) > 2.5 * heads(plain)


def test_the_photo_is_where_the_photo_shows_it(subject: Subject, relief: Relief) -> None:
    points = relief.points.select(relief.points.seen & (relief.points.side == FRONT))
    pixels = relief.camera.project(points.xyz)
    np.testing.assert_allclose(pixels[:, :2], points.pixel, atol=1e-2)
    x, y = np.floor(points.pixel).astype(int).T
    inner = subject.matte[y, x] == 255
    error = np.abs(points.rgb - subject.photo.rgb[y, x] / 255.0)[inner]
    assert np.median(error) < 0.02
    covered = np.zeros(subject.matte.shape, bool)
    covered[y, x] = True
    assert covered[subject.matte == 255].mean() > 0.98


def test_a_print_on_the_chest_is_not_on_the_back(subject: Subject, body: BodyModel) -> None:
    printed, mark = with_print(subject)
    points = build_relief(printed, body, lambda note: None, seed=0).points
    x, y = np.floor(points.pixel).astype(int).T.clip(0, np.array(mark.shape)[::-1, None] - 1)
    front, back = (points.select(mark[y, x] & (points.side == s)) for s in (FRONT, BACK))
    assert np.median(front.rgb[:, 1]) > 0.9 and len(back) > 20
    assert back.rgb[:, 1].max() < 0.45  # the shirt is red


@pytest.mark.parametrize("face", [True, False])
def test_works_without_closeup_and_without_face(body: BodyModel, face: bool) -> None:
    clip = ReliefStage(ReliefConfig(views=1), body).run(subject_of(face=face, head=False), nothing)
    assert bool(len(clip.start.expression_ids)) is face
    assert torch.isfinite(clip.start.gaussians.means).all()
    assert (clip.matte[1] > 127).mean() > 0.04


def test_a_half_body_stands_on_its_feet(half_subject: Subject, body: BodyModel) -> None:
    clip = ReliefStage(ReliefConfig(views=1), body).run(half_subject, nothing)
    means = clip.start.gaussians.means
    assert means[:, 1].max() - means[:, 1].min() == pytest.approx(1.7, abs=0.25)
    rows = np.flatnonzero((clip.matte[1] > 127).any(1))
    feet = clip.matte[1][rows[-1] - 3]
    assert (feet > 127).sum() >= 4 and rows[-1] < len(clip.matte[1]) - 1


@pytest.mark.parametrize(
    "turns",
    [{16: (0, 0, 60), 17: (0, 0, -60)}, {18: (0, 80, 0), 16: (0, 45, -70)}, {0: (0, 40, 0)}],
    ids=["arms up", "arm behind the back", "turned"],
)
def test_other_poses_work_and_come_back(body: BodyModel, turns: dict) -> None:
    subject = subject_of(pose_of(turns), head=False)
    relief = build_relief(subject, body, lambda note: None, seed=0)
    avatar = bind(subject, relief, body)
    posed = pose_gaussians(avatar, avatar.pose[0]).means.numpy()
    assert np.abs(posed - relief.points.xyz).max() < 1e-4
    assert np.ptp(avatar.gaussians.means.numpy(), axis=0).max() < 2.2  # nothing flies off
