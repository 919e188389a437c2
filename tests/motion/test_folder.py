"""Body parameters in a file for each frame, and in bare arrays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from svad.geometry.rotation import rodrigues_array
from svad.motion.readers.files import MotionError
from svad.motion.readers.folder import read_folder
from svad.motion.readers.npz import read_npy, read_npz
from svad.motion.readers.parameters import NO_HANDS
from tests.helpers import tiny_joints

RNG = np.random.default_rng(6)
COUNT = 12
BODY = RNG.normal(0, 0.1, (COUNT, 21, 3))
HANDS = RNG.normal(0, 0.1, (COUNT, 2, 15, 3))
ROOT = np.tile([np.pi, 0.0, 0.0], (COUNT, 1))  # a camera's y goes down
PLACE = RNG.normal(0, 0.5, (COUNT, 3))


def frame(t: int, matrices: bool = False) -> dict[str, np.ndarray]:
    turn = rodrigues_array if matrices else np.asarray
    return {
        "root_pose": turn(ROOT[t]),
        "body_pose": turn(BODY[t]),
        "jaw_pose": np.array([0.1, 0, 0]),
        "leye_pose": np.array([0, 0.2, 0]),
        "lhand_pose": HANDS[t, 0],
        "rhand_pose": HANDS[t, 1],
        "expr": np.zeros(50),
        "trans": PLACE[t],
    }


def write(folder: Path, kind: str, left_out: tuple[int, ...] = ()) -> None:
    folder.mkdir(parents=True)
    for t in set(range(COUNT)) - set(left_out):
        if kind == ".json":
            held = {name: value.tolist() for name, value in frame(t).items()}
            (folder / f"{t}.json").write_text(json.dumps(held))
        else:
            np.savez(folder / f"frame_{t:04d}.npz", **frame(t, matrices=True))


@pytest.mark.parametrize(
    ("kind", "place"), [(".json", "smplx_optimized/smplx_params"), (".npz", ".")]
)
def test_a_file_for_each_frame_is_a_motion(tmp_path: Path, kind: str, place: str) -> None:
    write(tmp_path / "subject" / place, kind)
    found = read_folder(tmp_path / "subject", tiny_joints())
    turns = found.poses.rotations.numpy()
    # float32; matrices there and back
    np.testing.assert_allclose(turns[:, 1:22], BODY, atol=1e-6)
    np.testing.assert_allclose(turns[:, 25:], HANDS.reshape(COUNT, 30, 3), atol=1e-6)
    np.testing.assert_allclose(turns[:, 23], np.tile([0, 0.2, 0], (COUNT, 1)), atol=1e-6)
    np.testing.assert_allclose(rodrigues_array(turns[:, 0])[:, 1, 1], 1, atol=1e-6)
    gone = found.poses.translation.numpy()
    np.testing.assert_allclose(gone - gone[0], (PLACE - PLACE[0]) * (1, -1, -1), atol=1e-6)


def test_numbers_that_are_left_out_are_bridged(tmp_path: Path) -> None:
    write(tmp_path / "m", ".json", left_out=(4, 5))
    found = read_folder(tmp_path / "m", tiny_joints())
    assert len(found.poses) == COUNT
    np.testing.assert_allclose(found.poses.rotations[6, 1:22].numpy(), BODY[6], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "word"),
    [("[1, 2]", "JSON object"), ("{", "JSON object"), ('{"trans": [0, 0, 0]}', "no motion")],
)
def test_folders_of_something_else_get_a_sentence(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(MotionError, match="holds no motion"):
        read_folder(tmp_path, tiny_joints())
    for t in range(2):
        (tmp_path / f"{t}.json").write_text(text)
    with pytest.raises(MotionError, match=word):
        read_folder(tmp_path, tiny_joints())


@pytest.mark.parametrize("size", [165, 322])
def test_bare_arrays_are_poses_or_those_of_motion_x(tmp_path: Path, size: int) -> None:
    value = np.zeros((COUNT, size))
    value[:, 3:66] = BODY.reshape(COUNT, -1)
    hands = slice(66, 156) if size == 322 else slice(75, 165)
    value[:, hands] = HANDS.reshape(COUNT, -1)
    np.save(tmp_path / "m.npy", value)
    found = read_npy(tmp_path / "m.npy", tiny_joints())
    turns = found.poses.rotations.numpy()
    np.testing.assert_allclose(turns[:, 1:22], BODY, atol=1e-6)
    np.testing.assert_allclose(turns[:, 25:].reshape(COUNT, 2, 15, 3), HANDS, atol=1e-6)
    assert bool(found.warnings) == (size == 165)  # the rate of Motion-X is known


def test_objects_of_python_are_refused(tmp_path: Path) -> None:
    poses = np.array([{"a": 1}], object)
    np.savez(tmp_path / "m.npz", poses=poses)
    np.save(tmp_path / "m.npy", poses, allow_pickle=True)
    for read, name in ((read_npz, "m.npz"), (read_npy, "m.npy")):
        with pytest.raises(MotionError, match="never opened"):
            read(tmp_path / name, tiny_joints())


def test_places_of_joints_are_no_poses(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.zeros((COUNT, 22, 3)))
    with pytest.raises(MotionError, match="places of joints"):
        read_npy(tmp_path / "m.npy", tiny_joints())


def test_files_that_are_empty_huge_or_encrypted_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.npz").touch()
    with open(tmp_path / "huge.npz", "wb") as file:
        file.truncate(5 * 10**9)  # takes no room on the disk
    np.savez(tmp_path / "locked.npz", poses=np.zeros((3, 72)))
    data = bytearray((tmp_path / "locked.npz").read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + place] |= 1  # the bit that says so
    (tmp_path / "locked.npz").write_bytes(data)
    for name, word in (("empty", "is empty"), ("huge", "too large"), ("locked", "encrypted")):
        with pytest.raises(MotionError, match=word):
            read_npz(tmp_path / f"{name}.npz", tiny_joints())


def test_hands_of_principal_components_stay_at_rest(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "m.npz", global_orient=np.zeros((3, 3)), body_pose=np.zeros((3, 63)),
        left_hand_pose=np.ones((3, 12)), fps=25,
    )  # fmt: skip
    found = read_npz(tmp_path / "m.npz", tiny_joints())
    assert found.warnings == (NO_HANDS,) and not found.poses.rotations[:, 25:].any()
