"""Motions of .bvh files: the same walk from whichever program, and sentences for broken files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from svad.body.skeleton import LEGS, PARENTS, Joint
from svad.geometry.rotation import axis_rotation, rodrigues_array
from svad.motion.authored import authored
from svad.motion.performer import leg_length
from svad.motion.readers.bvh import read_bvh
from svad.motion.readers.files import NO_RATE, MotionError
from svad.motion.recorded import Recorded
from svad.motion.retarget import CALIBRATION
from svad.motion.rig import Skeleton, Track, forward, unit
from svad.motion.writers.bvh import write_bvh
from tests.helpers import tiny_joints
from tests.motion.performing import MAIN, STYLES, WIDE, bvh_text, performer, walking

FRAMES = 30
ALL = {joint: int(joint) for joint in Joint}


def track_of(motion: Recorded) -> Track:
    turns = rodrigues_array(motion.poses.rotations.double().numpy())
    return Track(Skeleton(motion.joints.astype(np.float64), PARENTS), turns, motion.pelvis)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # [T, J, 3, 3] x 2 -> [J]
    """The largest angle between rotations over time, degrees."""
    turn = Rotation.from_matrix((np.swapaxes(a, -1, -2) @ b).reshape(-1, 3, 3))
    return np.degrees(turn.magnitude()).reshape(a.shape[:2]).max(0)


def read(tmp_path: Path, name: str, still: int = 0) -> Recorded:
    body = performer(walking(FRAMES, WIDE), STYLES[name])
    (tmp_path / "walk.bvh").write_text(bvh_text(body, STYLES[name], still))
    return read_bvh(tmp_path / "walk.bvh", tiny_joints())


@pytest.mark.parametrize("name", [name for name in STYLES if name != "lafan"])
def test_programs_with_other_names_and_rest_poses_give_the_same_walk(
    tmp_path: Path, name: str
) -> None:
    """Within 3 degrees: a bone's direction at rest tells its turn, but for turns about itself."""
    walk = walking(FRAMES, WIDE)
    found = read(tmp_path, name)
    assert found.fps == 24 and len(found.poses) == FRAMES and found.warnings == ()
    wanted, _ = forward(walk)
    got, _ = forward(track_of(found))
    assert apart(wanted[:, MAIN], got[:, MAIN]).max() < 3
    scale = leg_length(tiny_joints(), ALL) / leg_length(walk.skeleton.joints, ALL)
    hips = list(LEGS["left"][:1] + LEGS["right"][:1])
    way = forward(walk)[1][:, hips].mean(1) * scale
    gone = forward(track_of(found))[1][:, hips].mean(1)
    # 1 cm, as names of CMU come in inches with few digits
    np.testing.assert_allclose(gone - gone[0], way - way[0], atol=0.01)


def test_a_rest_pose_that_is_none_is_replaced_by_a_frame_in_which_somebody_stands(
    tmp_path: Path,
) -> None:
    """Bones point as they do; how arms turn about themselves is only guessed from that frame."""
    wanted, places = forward(walking(FRAMES, WIDE))
    got, found = forward(track_of(read(tmp_path, "lafan")))
    # it faces the front in that frame
    turn = wanted[0, 0] @ got[0, 0].T
    turn = axis_rotation(1, np.arctan2(turn[0, 2], turn[2, 2]))
    got, found = turn @ got, found @ turn.T
    for start, end in (("HIP", "KNEE"), ("KNEE", "ANKLE"), ("SHOULDER", "ELBOW")):
        for side in ("LEFT", "RIGHT"):
            a, b = Joint[f"{side}_{start}"], Joint[f"{side}_{end}"]
            cosine = unit(places[:, b] - places[:, a]) * unit(found[:, b] - found[:, a])
            assert np.degrees(np.arccos(cosine.sum(-1).min())) < 3
    assert apart(wanted[:, MAIN], got[:, MAIN]).max() < 25


@pytest.mark.parametrize("motion", ["walk", "wave"])
def test_a_motion_comes_back_as_it_was_written(tmp_path: Path, motion: str) -> None:
    made = authored()[motion].of((), tiny_joints(), PARENTS)
    ours = Recorded(made.fps, made.poses, tiny_joints())
    write_bvh(tmp_path / "m.bvh", ours)
    back = read_bvh(tmp_path / "m.bvh", 1.2 * tiny_joints())
    assert back.fps == ours.fps and back.warnings == ()
    # five digits of degrees and of centimetres
    pairs = (rodrigues_array(m.poses.rotations.double().numpy()) for m in (ours, back))
    assert apart(*pairs).max() < 0.01
    np.testing.assert_allclose(back.joints, ours.joints, atol=1e-6)
    np.testing.assert_allclose(back.pelvis, ours.pelvis, atol=1e-6)


def test_a_first_frame_that_shows_the_rest_pose_is_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "cmu", still=1)
    assert len(found.poses) == FRAMES and found.warnings == (CALIBRATION,)


def test_fast_files_are_thinned_and_keep_their_time(tmp_path: Path) -> None:
    text = bvh_text(performer(walking(FRAMES), STYLES["cmu"], 120.0), STYLES["cmu"])
    (tmp_path / "m.bvh").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    found = read_bvh(tmp_path / "m.bvh", tiny_joints())
    assert found.fps == pytest.approx(30, abs=0.05) and len(found.poses) == 8


def small(text: str = "", numbers: str = "0 0 0\n0 0 0\n", time: str = "0.05") -> str:
    head = "ROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n" + text + "}\n"
    return f"HIERARCHY\n{head}MOTION\nFrames: 2\nFrame Time: {time}\n{numbers}"


def chain(*names: str) -> str:
    out = ""
    for name in reversed(names):
        out = f"JOINT {name}\n{{\nOFFSET 0 1 0\nCHANNELS 0\n{out}}}\n"
    return out


def walk_text() -> str:
    return bvh_text(performer(walking(4), STYLES["mixamo"]), STYLES["mixamo"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("I am a motion.", "no BVH file"),
        (small(chain("A", "B")), "only 3 joints"),
        (small(chain(*"ABCDEF")), "Mixamo, CMU.*Hips, A, B"),
        (small(chain(*"ABCDEF") + "{"), "brackets"),
        (small("OFFSET 1 2\n"), "offsets"),
        (small("OFFSET a b c\n"), "offsets"),
        (small("CHANNELS 3 Zrotation\n"), "channels"),
        (small(chain(*"ABCDEF"), "0 0 0\n1,5 0 0"), "cut short"),
        (small(chain(*"ABCDEF"), "0 0 0\n"), "2 frames of 3 numbers, and 1"),
        (small(chain(*"ABCDEF"), "0 0 0\n0 nan 0"), "not finite"),
        (walk_text().replace("Frames:\t4", "Frames:\t1"), "this one has 1"),
        (walk_text().replace("Frame Time", "Time"), "no frames"),
    ],
)
def test_broken_files_get_a_sentence(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "m.bvh").write_text(text)
    with pytest.raises(MotionError, match=word):
        read_bvh(tmp_path / "m.bvh", tiny_joints())


@pytest.mark.parametrize("time", ["0", "-1", "nan", "soon"])
def test_a_file_without_a_rate_is_played_at_thirty(tmp_path: Path, time: str) -> None:
    text = walk_text()
    start = text.index("Frame Time")
    end = text.index("\n", start)
    (tmp_path / "m.bvh").write_text(f"{text[:start]}Frame Time: {time}{text[end:]}")
    found = read_bvh(tmp_path / "m.bvh", tiny_joints())
    assert found.fps == 30 and found.warnings == (NO_RATE,)


FORMS: dict[str, Callable[[str], str | bytes]] = {
    "old ends of lines": lambda text: text.replace("\n", "\r"),
    "windows": lambda text: text.replace("\n", "\r\n"),
    "tabs and blanks": lambda text: text.replace("\n", " \n\n\t").replace(" ", " \t"),
    "utf-16": lambda text: text.encode("utf-16"),
    "shift-jis": lambda text: text.replace("mixamorig:Spine1", "上半身2").encode("cp932"),
    "small keywords": lambda text: re.sub(
        "HIERARCHY|ROOT|JOINT|MOTION|OFFSET|CHANNELS", lambda m: m[0].title(), text
    ),
    "brackets behind": lambda text: text.replace("\n{", " {"),
    "no end sites": lambda text: re.sub(r"End Site\n\{\n[^}]*\}\n", "", text),
    "bare end sites": lambda text: re.sub(r"End Site\n\{\n[^}]*\}", "EndSite\n{\n}", text),
    "decimal commas": lambda text: re.sub(r"(\d)\.(\d)", r"\1,\2", text),
    "a file's name before": lambda text: text.replace("mixamorig:", "Müller_"),
    "two prefixes": lambda text: text.replace("mixamorig:", "Armature|Take 1:mixamorig:"),
    "numbers behind": lambda text: re.sub(r"(mixamorig:\w+)", r"\1_017", text),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_walk_in_forms_of_other_programs(tmp_path: Path, form: str) -> None:
    (tmp_path / "plain.bvh").write_text(walk_text())
    data = FORMS[form](walk_text())
    (tmp_path / "m.bvh").write_bytes(data if isinstance(data, bytes) else data.encode())
    plain, found = (read_bvh(tmp_path / f"{n}.bvh", tiny_joints()) for n in ("plain", "m"))
    # the tips that are left out tell the directions of feet and hands, which this body has anyway
    off = apart(*(forward(track_of(one))[0][:, MAIN] for one in (plain, found)))
    assert off.max() < 3 and len(found.poses) == 4 and found.warnings == ()


def test_bytes_that_are_no_text_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "m.bvh").write_bytes(b"\0\1\2" * 100)
    with pytest.raises(MotionError, match="no text"):
        read_bvh(tmp_path / "m.bvh", tiny_joints())
