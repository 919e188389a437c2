"""Recordings of faces as Live Link Face writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from svad.body.skeleton import Joint
from svad.face.expressions import ARKIT
from svad.geometry.rotation import rodrigues_array
from svad.motion.readers.files import NO_RATE, MotionError
from svad.motion.readers.livelink import COLUMNS, NO_HEAD, read_livelink
from tests.helpers import tiny_avatar, tiny_joints

ANGLES = [
    f"{part}{way}" for part in ("Head", "LeftEye", "RightEye") for way in ("Yaw", "Pitch", "Roll")
]
SHAPES = [name[0].upper() + name[1:] for name in ARKIT]


def table(values: dict[str, float], count: int = 90, rate: int = 60, step: int = 1) -> str:
    """A recording in which everything but these columns is zero."""
    names = [*SHAPES, *ANGLES]
    lines = [",".join(["Timecode", "BlendShapeCount", *names])]
    for frame in range(0, count * step, step):
        second, rest = divmod(frame + 50, rate)
        row = [f"{values.get(name, 0.0):.6f}" for name in names]
        lines.append(",".join([f"13:40:{second:02d}:{rest:02d}.{frame:03d}", "61", *row]))
    return "\n".join(lines) + "\n"


def read(folder: Path, text: str):
    (folder / "face.csv").write_text(text, encoding="utf-8-sig")
    return read_livelink(folder / "face.csv", tiny_joints())


@pytest.mark.parametrize(("step", "fps"), [(1, 60), (2, 30)])
def test_shapes_come_under_their_names_at_the_rate_of_the_time_codes(
    tmp_path: Path, step: int, fps: int
) -> None:
    found = read(tmp_path, table({"JawOpen": 0.4, "MouthSmileLeft": 1.2}, step=step))
    assert found.fps == fps and found.warnings == () and len(found.poses) == 90
    faces = dict(zip(found.expression_names, found.poses.expression[0].tolist(), strict=True))
    assert len(faces) == len(ARKIT) - 8  # eyes turn instead
    assert faces.pop("jawOpen") == pytest.approx(0.4) and faces.pop("mouthSmileLeft") == 1
    assert not any(faces.values())
    motion = found.for_avatar(tiny_avatar(20), "face", "Face")
    shown = dict(zip(tiny_avatar(20).expression_names, motion.poses.expression[0], strict=True))
    assert shown["jawOpen"] == pytest.approx(0.4) and motion.fps == 30
    assert motion.focus == "bust"


def test_head_and_eyes_turn(tmp_path: Path) -> None:
    """To the person's left (+x), downward, and leaning to the right."""

    def turned(values: dict[str, float], *joints: Joint) -> np.ndarray:
        turns = read(tmp_path, table(values, 4)).poses.rotations[1].numpy()
        whole = np.eye(3)
        for joint in joints:
            whole = whole @ rodrigues_array(turns[joint].astype(np.float64))
        return whole

    head = (Joint.NECK, Joint.HEAD)
    rest = turned({}, *head).T
    assert (turned({"HeadYaw": 0.3}, *head) @ rest)[0, 2] == pytest.approx(np.sin(0.3), abs=0.01)
    assert (turned({"HeadPitch": 0.3}, *head) @ rest)[1, 2] == pytest.approx(-np.sin(0.3), abs=0.01)
    assert (turned({"HeadRoll": 0.3}, *head) @ rest)[0, 1] == pytest.approx(-np.sin(0.3), abs=0.01)
    left = {"EyeLookOutLeft": 1.0, "EyeLookInRight": 1.0}
    for eye in (Joint.LEFT_EYE, Joint.RIGHT_EYE):
        assert turned(left, eye)[0, 2] == pytest.approx(0.5, abs=1e-6)
        assert turned({f"EyeLookDown{eye.name.split('_')[0].title()}": 1.0}, eye)[1, 2] < -0.4


def test_without_eye_shapes_the_angles_of_the_eyes_are_taken(tmp_path: Path) -> None:
    text = table({"LeftEyeYaw": 0.2, "RightEyePitch": 0.1}, 4).replace("EyeLook", "Look")
    turns = read(tmp_path, text).poses.rotations[0].numpy()
    np.testing.assert_allclose(turns[Joint.LEFT_EYE], [0, 0.2, 0], atol=1e-5)
    np.testing.assert_allclose(turns[Joint.RIGHT_EYE], [0.1, 0, 0], atol=1e-5)


def test_without_time_codes_thirty_frames_are_taken(tmp_path: Path) -> None:
    found = read(tmp_path, table({}, 5).replace(":", "-"))
    assert found.fps == 30 and found.warnings == (NO_RATE,)


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text.replace(",", ";").replace(".", ","),
        lambda text: "sep=;\n" + text.replace(",", ";"),
        lambda text: text.replace(",", "\t").replace("\n", "\r\n"),
        lambda text: re.sub(r"[^,\n]+", r'"\g<0>"', text),
        lambda text: text.replace("\n", ",\n"),
        lambda text: re.sub(r"\w+(?=Left,)|\w+(?=Right,)", r"\g<0>_", text)
        .replace("_Left", "_L").replace("_Right", "_R"),
    ],
    ids=["semicolons", "spreadsheet", "tabs", "quotes", "commas behind", "short sides"],
)  # fmt: skip
def test_tables_as_other_programs_save_them(tmp_path: Path, form: Callable[[str], str]) -> None:
    text = table({"JawOpen": 0.4, "MouthSmileLeft": 0.25}, 4)
    plain, found = read(tmp_path, text), read(tmp_path, form(text))
    assert found.expression_names == plain.expression_names
    np.testing.assert_array_equal(found.poses.expression, plain.poses.expression)


def test_without_names_the_order_of_the_app_is_taken(tmp_path: Path) -> None:
    places = {name: place for place, name in enumerate(COLUMNS)}
    assert {name for name in places if name in ARKIT} == set(ARKIT) and len(COLUMNS) == 63
    rows = [["0"] * 63 for _ in range(4)]
    for frame, row in enumerate(rows):
        row[0], row[places["jawOpen"]] = f"12:00:00:{frame:02d}.100", "0.4"
    found = read(tmp_path, "\n".join(map(",".join, rows)))
    faces = dict(zip(found.expression_names, found.poses.expression[0].tolist(), strict=True))
    assert {n: v for n, v in faces.items() if v} == {"jawOpen": pytest.approx(0.4)}
    assert NO_HEAD in found.warnings


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a,b\n1,2\n3,4\n", "no recording of a face"),
        ("\n\n", "no recording of a face"),
        (table({}, 1), "this one has 1"),
        (table({"JawOpen": np.nan}, 4), "not finite"),
    ],
)
def test_other_tables_get_a_sentence(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(MotionError, match=word):
        read(tmp_path, text)
