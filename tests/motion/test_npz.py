"""Motions as .npz: what is written comes back, and what others write is understood."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.skeleton import ARMS, PARENTS, WRISTS, Joint
from svad.geometry.rotation import rodrigues, rodrigues_array
from svad.motion.readers.files import MotionError
from svad.motion.readers.npz import read_npz, write_npz
from svad.motion.readers.parameters import DEGREES, ROOT, Z_UP, axis_angle
from svad.motion.recorded import Recorded
from svad.motion.rest import smplx_rest, t_pose
from svad.motion.rig import Skeleton, Track, contact_points, forward
from svad.types import Pose
from tests.helpers import tiny_avatar, tiny_joints
from tests.motion.performing import walking

NAMES = ("jawOpen", "eyeBlinkLeft")
RNG = np.random.default_rng(5)


def some(count: int = 9, lying: bool = False) -> Recorded:
    turns = RNG.normal(0, 0.3, (count, 55, 3)).astype(np.float32)
    if lying:
        turns[:, 0] = (-np.pi / 2, 0, 0)
    place = RNG.normal(0, 0.5, (count, 3)).astype(np.float32)
    faces = RNG.uniform(0, 1, (count, 2)).astype(np.float32)
    poses = Pose(*(torch.from_numpy(x) for x in (turns, place, faces)))
    return Recorded(30.0, poses, tiny_joints(), NAMES)


def ups(count: int, up: str) -> np.ndarray:  # [T, 3]
    turns = {"y": (0, 0.3, 0), "z": (np.pi / 2, 0, 0), "-y": (np.pi, 0, 0)}
    return np.tile(np.array(turns[up], np.float64), (count, 1))


@pytest.mark.parametrize("lying", [False, True])
def test_a_motion_comes_back_as_it_was_written(tmp_path: Path, lying: bool) -> None:
    motion = some(lying=lying)
    write_npz(tmp_path / "m.npz", motion)
    back = read_npz(tmp_path / "m.npz", 2 * tiny_joints())
    assert back.fps == 30 and back.expression_names == NAMES and back.warnings == ()
    np.testing.assert_allclose(back.joints, smplx_rest(motion.joints), atol=1e-6)
    back = back.at_rest_as(motion.joints)
    for one, other in (
        (rodrigues(back.poses.rotations), rodrigues(motion.poses.rotations)),
        (back.poses.translation, motion.poses.translation),
        (back.poses.expression, motion.poses.expression),
    ):
        # float32, turned there and back
        torch.testing.assert_close(one, other, atol=5e-6, rtol=0)


def test_the_names_are_those_of_smplx_and_amass(tmp_path: Path) -> None:
    write_npz(tmp_path / "m.npz", some(4))
    with np.load(tmp_path / "m.npz", allow_pickle=False) as file:
        sizes = {name: file[name].shape for name in file.files}
        poses, parts = file["poses"], [file[n] for n in ("root_orient", "pose_body")]
        assert str(file["gender"]) == "neutral" and float(file["mocap_framerate"]) == 30
    assert sizes["poses"] == (4, 165) and sizes["trans"] == (4, 3) and sizes["betas"] == (16,)
    assert sizes["pose_hand"] == (4, 90) and sizes["pose_jaw"] == (4, 3)
    assert sizes["pose_eye"] == (4, 6)
    np.testing.assert_array_equal(poses[:, :66], np.concatenate(parts, 1))


@pytest.mark.parametrize(
    ("told", "hang"),
    [
        ({"poses": np.zeros((4, 165))}, True),
        ({"poses": np.zeros((4, 156))}, False),
        ({"poses": np.zeros((4, 24, 3))}, False),
        ({"poses": np.zeros((4, 156)), "surface_model_type": np.array("smplx_locked_head")}, True),
        ({"poses": np.zeros((4, 165)), "surface_model_type": np.array("smplh")}, False),
        ({"root_orient": np.zeros((4, 3)), "pose_body": np.zeros((4, 63))}, True),
        ({"global_orient": np.zeros((4, 3)), "body_pose": np.zeros((4, 69))}, False),
    ],
)
def test_arms_of_smplx_hang_at_rest_and_stay_where_they_point(
    tmp_path: Path, told: dict[str, np.ndarray], hang: bool
) -> None:
    np.savez(tmp_path / "m.npz", trans=np.zeros((4, 3)), fps=30.0, **told)
    found = read_npz(tmp_path / "m.npz", tiny_joints())
    avatar = tiny_avatar()
    motion = found.for_avatar(avatar, "m", "M")
    skeleton = Skeleton(avatar.joints.double().numpy(), avatar.parents)
    turns = rodrigues_array(motion.poses.rotations.double().numpy())
    places = forward(Track(skeleton, turns, np.zeros((4, 3))))[1]
    for side, (_, shoulder, elbow, wrist) in ARMS.items():
        upper, forearm = (
            places[0, end] - places[0, start] for start, end in ((shoulder, elbow), (elbow, wrist))
        )
        slope = np.degrees(np.arctan2(upper[1], np.hypot(upper[0], upper[2])))
        assert slope == pytest.approx(-14.4 if hang else 0, abs=0.1)
        assert forearm[1] / np.linalg.norm(forearm) == pytest.approx(0.078 * hang, abs=1e-3)
        assert np.sign(upper[0]) == (1 if side == "left" else -1)
    # hands are level in both
    hands = rodrigues_array(motion.poses.rotations.double().numpy())
    whole = forward(Track(skeleton, hands, np.zeros((4, 3))))[0]
    np.testing.assert_allclose(whole[:, list(WRISTS)], np.tile(np.eye(3), (4, 2, 1, 1)), atol=1e-6)


@pytest.mark.parametrize("wrong", [0.0, (0, 1, 1), (-1, 1, 1)], ids=["a point", "flat", "mirror"])
def test_rest_joints_that_are_no_body_are_not_believed(tmp_path: Path, wrong: object) -> None:
    joints = tiny_joints()
    no_body = np.asarray(wrong) * joints.astype(np.float64)
    np.savez(tmp_path / "m.npz", poses=np.zeros((4, 156)), fps=30.0, joints=no_body)
    found = read_npz(tmp_path / "m.npz", joints)
    np.testing.assert_array_equal(found.joints, joints)
    motion = found.for_avatar(tiny_avatar(), "m", "M")
    assert motion.poses.rotations.isfinite().all() and motion.poses.translation.isfinite().all()


def test_a_body_of_smplx_keeps_its_own_arms(tmp_path: Path) -> None:
    joints = tiny_joints()
    hung = smplx_rest(joints)
    np.testing.assert_array_equal(smplx_rest(hung), hung)
    np.testing.assert_array_equal(t_pose(joints), joints)
    np.testing.assert_allclose(t_pose(hung), joints, atol=2e-3)
    write_npz(tmp_path / "m.npz", replace(some(), joints=hung))
    with np.load(tmp_path / "m.npz") as file:
        np.testing.assert_array_equal(file["joints"], hung)
        turns = file["pose_body"].reshape(-1, 21, 3)
    back = read_npz(tmp_path / "m.npz", joints)
    np.testing.assert_array_equal(back.joints, hung)
    np.testing.assert_allclose(back.poses.rotations[:, 1:22].numpy(), turns, atol=1e-5)


@pytest.mark.parametrize("size", [66, 72, 156, 165])
@pytest.mark.parametrize("up", ["y", "z", "-y"])
def test_bodies_stand_upright_whatever_the_axes_of_the_file(
    tmp_path: Path, size: int, up: str
) -> None:
    poses = RNG.normal(0, 0.1, (6, size))
    poses[:, :3] = ups(6, up)
    np.savez(tmp_path / "m.npz", poses=poses, trans=np.zeros((6, 3)), mocap_framerate=120.0)
    found = read_npz(tmp_path / "m.npz", tiny_joints())
    above = rodrigues(found.poses.rotations[:, 0])[:, :, 1]
    torch.testing.assert_close(above[:, 1], torch.ones(6), atol=1e-5, rtol=0)
    assert found.fps == 120
    body = poses[:, 3:66].reshape(6, 21, 3)
    np.testing.assert_allclose(found.poses.rotations[:, 1:22].numpy(), body, atol=1e-6)
    if size >= 156:
        hands = poses[:, -90:].reshape(6, 30, 3)
        np.testing.assert_allclose(found.poses.rotations[:, 25:].numpy(), hands, atol=1e-6)


def test_a_file_by_parts_and_without_a_rate_is_read(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "m.npz",
        root_orient=ups(5, "y"),
        pose_body=np.zeros((5, 63)),
        gender=np.array(["female"], object),  # would need pickle: passed over
    )
    found = read_npz(tmp_path / "m.npz", tiny_joints())
    assert found.fps == 30 and "frames a second" in found.warnings[0]


def test_programs_keep_the_same_motion_in_many_ways(tmp_path: Path) -> None:
    """SPIN and HMR, networks' batches of one, AIST++, matrices; also bytes where a word stands."""
    turns = RNG.normal(0, 0.2, (6, 55, 3))
    turns[:, 22:] = 0
    place = RNG.normal(0, 0.5, (6, 3))
    root, body = turns[:, 0], turns[:, 1:22].reshape(6, 63)
    smpl = turns[:, :24].reshape(6, 72)
    matrices = rodrigues_array(turns.reshape(-1, 3)).reshape(6, 55, 3, 3)
    wide = np.concatenate([body, np.zeros((6, 6))], 1)
    for arrays in (
        {"global_orient": root, "body_pose": wide, "transl": place},
        {"global_orient": root[None], "body_pose": body[None], "transl": place[None]},
        {"smpl_poses": smpl, "smpl_trans": 90 * place, "smpl_scaling": np.array([90.0])},
        {"poses": matrices, "trans": place},
        {"poses": smpl, "trans": place[:, None], "gender": np.array(b"female")},
        {"fullpose": turns.reshape(6, 165), "trans": place, "fps": np.array("25")},
        {"poses": turns.reshape(6, 165), "trans": place, "more": np.array({}, object)},
    ):
        np.savez(tmp_path / "m.npz", **({"fps": 25} | arrays))
        found = read_npz(tmp_path / "m.npz", tiny_joints())
        assert found.fps == 25 and len(found.poses) == 6
        np.testing.assert_allclose(found.poses.rotations.numpy(), turns, atol=1e-6)
        np.testing.assert_allclose(found.pelvis, place + ROOT, atol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"poses": np.zeros((1, 55, 3))}, "this one has 1"),
        ({"poses": np.zeros((5, 100))}, "100 numbers"),
        ({"poses": np.zeros((1, 72))}, "this one has 1"),
        ({"poses": np.zeros((0, 165))}, "this one has 0"),
        ({"root_orient": np.array(1.0), "pose_body": np.zeros((5, 63))}, "this one has 0"),
        ({"poses": np.full((5, 72), np.nan)}, "finite"),
        ({"poses": np.zeros((5, 72)), "trans": np.zeros((4, 3))}, "trans"),
        ({"weights": np.zeros(3)}, "no motion.*but weights"),
    ],
)
def test_strange_files_get_a_sentence(
    tmp_path: Path, arrays: dict[str, np.ndarray], word: str
) -> None:
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(MotionError, match=word):
        read_npz(tmp_path / "m.npz", tiny_joints())


def test_degrees_are_told_by_their_size(tmp_path: Path) -> None:
    poses = walking(24).poses(()).rotations.double().numpy().reshape(24, 165)
    np.savez(tmp_path / "m.npz", poses=np.degrees(poses), fps=24)
    found = read_npz(tmp_path / "m.npz", tiny_joints())
    assert found.warnings == (DEGREES,)
    np.testing.assert_allclose(found.poses.rotations.reshape(24, 165), poses, atol=1e-5)


def test_a_motion_of_objects_is_refused_though_its_way_is_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", poses=np.zeros((5, 165)).astype(object), trans=np.zeros((5, 3)))
    with pytest.raises(MotionError, match="objects of Python"):
        read_npz(tmp_path / "m.npz", tiny_joints())


def test_what_is_no_npz_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("I am a motion.")
    for name in ("text.npz", "absent.npz"):
        with pytest.raises(MotionError, match=name):
            read_npz(tmp_path / name, tiny_joints())


def test_damaged_and_made_up_files_get_a_sentence(tmp_path: Path) -> None:
    """Packed bytes that are none, and a header that asks for more memory than there is."""
    file = tmp_path / "m.npz"
    np.savez_compressed(file, poses=np.random.default_rng(0).normal(size=(20, 165)))
    data = bytearray(file.read_bytes())
    start = 30 + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
    data[start : start + 8] = b"\xff" * 8
    file.write_bytes(data)
    with pytest.raises(MotionError, match="cannot be read"):
        read_npz(file, tiny_joints())
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**13, 165)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("poses.npy", header.getvalue())
    with pytest.raises(MotionError, match="cannot be read"):
        read_npz(file, tiny_joints())


def test_a_walk_of_amass_is_upright_at_its_speed_with_feet_on_the_floor(tmp_path: Path) -> None:
    """SMPL-H, z up, 120 frames a second, somewhere above the ground."""
    walk = walking(48)
    made = Recorded(24.0, walk.poses(()), walk.skeleton.joints).at_rate(120.0)
    turns = made.poses.rotations.double().numpy()
    turns[:, 0] = axis_angle(Z_UP.T @ rodrigues_array(turns[:, 0]))
    smplh = np.concatenate([turns[:, :22], turns[:, 25:]], 1).reshape(len(turns), 156)
    place = made.pelvis @ Z_UP - ROOT + [3.0, -1.0, 0.9]
    np.savez(tmp_path / "m.npz", poses=smplh, trans=place, mocap_framerate=120.0, gender="male")
    found = read_npz(tmp_path / "m.npz", tiny_joints())
    assert found.seconds == pytest.approx(47 / 24, abs=0.02)
    motion = found.for_avatar(tiny_avatar(20), "own", "Own")
    assert motion.fps == 30 and motion.seconds == pytest.approx(47 / 24, abs=0.05)
    rotations = rodrigues_array(motion.poses.rotations.double().numpy())
    pelvis = motion.poses.translation.double().numpy() + tiny_joints()[0]
    played = Track(Skeleton(tiny_joints().astype(np.float64), PARENTS), rotations, pelvis)
    above = contact_points(played)[..., 1].min(1) - played.skeleton.floor
    # a few millimetres, as standing soles are allowed to be off the floor
    assert np.abs(above).max() < 0.02 and forward(played)[1][:, Joint.HEAD, 1].min() > 0.5
    wanted = walk.pelvis[-1] - walk.pelvis[0]
    np.testing.assert_allclose((pelvis[-1] - pelvis[0])[[0, 2]], wanted[[0, 2]], atol=0.05)


@pytest.mark.parametrize(("unit", "factor"), [("centimetres", 100.0), ("millimetres", 1000.0)])
@pytest.mark.parametrize("going", [True, False])
def test_other_units_are_told_by_steps_or_by_the_height(
    tmp_path: Path, unit: str, factor: float, going: bool
) -> None:
    """One who walks far from the origin, and one who stands and only moves the arms."""
    if going:
        walk = walking(48)
        poses, way = walk.poses(()).rotations.numpy(), walk.pelvis + [2.0, -30.0, 5.0]
    else:
        poses, way = np.zeros((20, 55, 3), np.float32), np.tile(tiny_joints()[0], (20, 1))
        poses[:, Joint.LEFT_SHOULDER, 2] = np.linspace(0, 1, 20)
        way = way - [0, tiny_joints()[:, 1].min(), 0]  # on a floor at zero
    found = {}
    for name, size in (("same", 1.0), ("other", factor)):
        arrays = dict(poses=poses.reshape(len(poses), -1), trans=size * way, fps=24.0)
        np.savez(tmp_path / f"{name}.npz", **arrays)
        found[name] = read_npz(tmp_path / f"{name}.npz", tiny_joints())
    assert found["same"].warnings == () and unit in found["other"].warnings[0]
    np.testing.assert_allclose(found["other"].pelvis, found["same"].pelvis, atol=1e-4)


def test_who_jumps_or_rides_is_not_taken_for_small(tmp_path: Path) -> None:
    """Feet that tell nothing leave metres: ways that jitter, a ride, a floor far away."""
    rng = np.random.default_rng(2)
    still, walk = np.zeros((60, 165)), walking(48)
    ride = np.arange(60)[:, None] * [0.7, 0, 0] + [0, 300.0, 0]
    poses = walk.poses(()).rotations.numpy().reshape(48, -1)
    jitter = walk.pelvis + rng.normal(0, 0.2, (48, 3))
    for k, (pose, way) in enumerate(((still, ride), (poses, jitter), (poses, 0 * walk.pelvis))):
        np.savez(tmp_path / f"{k}.npz", poses=pose, trans=way, fps=24.0)
        assert read_npz(tmp_path / f"{k}.npz", tiny_joints()).warnings == ()


def test_a_motion_is_played_at_the_size_of_the_avatar() -> None:
    """Twice the size: twice the way; 120 frames a second are played at 30."""
    count = 81
    turns = torch.zeros(count, 55, 3)
    way = torch.zeros(count, 3)
    way[:, 2] = torch.linspace(0, 2.0, count)  # glides: no foot stands
    small = Recorded(120.0, Pose(turns, way, torch.zeros(count, 0)), 0.5 * tiny_joints())
    motion = small.for_avatar(tiny_avatar(20), "own", "Own")
    assert motion.fps == 30 and len(motion.poses) == 21
    gone = motion.poses.translation[-1] - motion.poses.translation[0]
    torch.testing.assert_close(gone, torch.tensor([0.0, 0.0, 4.0]), atol=1e-3, rtol=0)
    assert motion.poses.expression.shape[1] == len(tiny_avatar(20).expression_names)
