"""Recordings of faces in the layout of Live Link Face (.csv): ARKit's 52 shapes, head and eyes.

Angles are radians, positive to the person's left, downward, and leaning to the right; the body
stands at ease. Eyes follow the eight eyeLook columns where they are, since a rotation of the eye
and such a shape say the same.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from svad.body.skeleton import PARENTS, SIDES, Joint
from svad.face.expressions import ARKIT
from svad.motion import gestures, rig
from svad.motion.readers.files import (
    FPS,
    NO_RATE,
    MotionError,
    require_length,
    require_numbers,
    text_of,
)
from svad.motion.recorded import Recorded
from svad.motion.rig import Skeleton, Track, turn_x, turn_y

TIME = "timecode"
CODE = re.compile(r"^\d+:\d+:\d+:")
SEPARATOR = re.compile(r"^sep=.$", re.IGNORECASE)  # a line that spreadsheets put first
MARKS = (",", ";", "\t")
EYES = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
WAYS = ("Yaw", "Pitch", "Roll")
COLUMNS = (  # of the app, in its order
    *("Timecode", "BlendShapeCount"),
    *(f"eye{name}{side.title()}" for side in SIDES for name in EYES),
    *("jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"),
    *("mouthRight", "mouthLeft"),
    *(f"mouth{n}{s.title()}" for n in ("Smile", "Frown", "Dimple", "Stretch") for s in SIDES),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *(f"mouth{name}{side.title()}" for name in ("Press", "LowerDown", "UpperUp") for side in SIDES),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
    *("tongueOut", *(f"Head{way}" for way in WAYS)),
    *(f"{side.title()}Eye{way}" for side in SIDES for way in WAYS),
)
NO_HEAD = "The file has no names of columns; they are taken in the order of the app Live Link Face."
LOOKS = {"eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeLookDown"}
LOOK = 30.0  # degrees that an eye turns at a full eyeLook
LEAST = 10  # of ARKit's columns, of which a recording has 52
RATES = (24, 25, 30, 50, 60)  # of time codes


def read_livelink(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints of the body that shows the face, metres
) -> Recorded:
    """The face and head of a recording. Raises `MotionError` with a sentence for other files."""
    columns, codes, warnings = _table(path)
    shapes = {name: columns[name.lower()] for name in ARKIT if name.lower() in columns}
    if len(shapes) < LEAST:
        raise MotionError(
            f"{path.name} is no recording of a face: columns named as ARKit's face shapes "
            "(EyeBlinkLeft, JawOpen, ...) are expected, as the app Live Link Face writes them."
        )
    count = len(codes)
    require_length(count)
    track = Track.still(Skeleton(np.asarray(joints, np.float64), PARENTS), count)
    gestures.stand(track)
    gestures.relaxed_arms(track, np.zeros(count))
    head = [np.degrees(_column(columns, f"head{way}", count)) for way in ("yaw", "pitch", "roll")]
    rig.bend_neck(track, yaw=head[0], pitch=head[1], roll=head[2])
    for side in SIDES:
        yaw, pitch = _gaze(side, shapes, columns, count)
        track.rotations[:, Joint[f"{side}_eye".upper()]] = turn_y(yaw) @ turn_x(pitch)
    kept = [name for name in shapes if not name.startswith(tuple(LOOKS))]
    track.expression.update({name: np.clip(shapes[name], 0, 1) for name in kept})
    fps = _rate(codes)
    names = tuple(kept)
    warnings = warnings if fps else (NO_RATE, *warnings)
    return Recorded(fps or FPS, track.poses(names), joints, names, warnings, focus="bust")


def _table(path: Path) -> tuple[dict[str, np.ndarray], list[str], tuple[str, ...]]:
    """Columns of numbers by name in small letters, the time of each row, and what is to be said."""
    rows = _rows(text_of(path))
    if rows and len(rows[0]) == len(COLUMNS) and CODE.match(rows[0][0]):
        names, warnings = [name.lower() for name in COLUMNS], (NO_HEAD,)
    else:
        names, warnings = [_plain(name) for name in rows.pop(0)] if rows else [], ()
    rows = [row for row in rows if len(row) == len(names)]
    columns: dict[str, np.ndarray] = {}
    for place, name in enumerate(names):
        if name == TIME:
            continue
        try:
            values = np.array([float(row[place] or 0) for row in rows])
        except ValueError:
            continue  # words
        require_numbers(values)
        columns[name] = values
    time = names.index(TIME) if TIME in names else None
    return columns, [row[time] if time is not None else "" for row in rows], warnings


def _rows(text: str) -> list[list[str]]:
    """The fields of a table, with commas, semicolons or tabs between them."""
    lines = [line for line in text.splitlines() if line.strip() and not SEPARATOR.match(line)]
    mark = max(MARKS, key=lines[0].count) if lines else ","
    rows = [[field.strip() for field in row] for row in csv.reader(lines, delimiter=mark)]
    if mark != ",":  # a comma is then that of a number, as some countries write it
        rows = [[field.replace(",", ".") for field in row] for row in rows]
    return [row[:-1] if row[-1] == "" else row for row in rows]


def _plain(name: str) -> str:
    """A column's name in small letters, its side in full."""
    low = name.lower()
    return low[:-2] + {"_l": "left", "_r": "right"}[low[-2:]] if low[-2:] in ("_l", "_r") else low


def _column(columns: dict[str, np.ndarray], name: str, count: int) -> np.ndarray:  # [T]
    return columns.get(name, np.zeros(count))


def _gaze(
    side: str, shapes: dict[str, np.ndarray], columns: dict[str, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where an eye looks: degrees to the person's left, and downward."""
    look = {way: shapes.get(f"{way}{side.title()}") for way in LOOKS}
    out, into, up, down = (look[f"eyeLook{way}"] for way in ("Out", "In", "Up", "Down"))
    if out is None or into is None or up is None or down is None:
        yaw, pitch = (_column(columns, f"{side}eye{way}", count) for way in ("yaw", "pitch"))
        return np.degrees(yaw), np.degrees(pitch)
    return rig.SIDES[side] * LOOK * (out - into), LOOK * (down - up)


def _rate(codes: list[str]) -> float | None:
    """Frames a second by the time codes (hours:minutes:seconds:frames), if they tell."""
    try:
        parts = np.array([[float(word) for word in code.split(":")] for code in codes])
    except ValueError:
        return None
    if parts.ndim != 2 or parts.shape[1] != 4:
        return None
    base = next((rate for rate in RATES if rate > parts[:, 3].max()), RATES[-1])
    if np.ptp(parts[:, 2]) == 0:
        base = RATES[-1]  # within one second nobody knows what it is counted to
    seconds = parts @ [3600, 60, 1, 1 / base]
    steps = np.diff(seconds)
    steps = steps[(steps > 0) & (steps < 1)]
    if not len(steps):
        return None
    # the mean, since codes of some recordings jitter; what is left out in between is rare
    return float(min((*RATES, 15, 120), key=lambda rate: abs(np.log(rate * steps.mean()))))
