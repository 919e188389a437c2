"""Motions in Biovision's hierarchy format (.bvh): any skeleton, order of channels and unit.

A HIERARCHY of joints with offsets and channels, then a MOTION: the number of frames, the seconds of
each, and a row of numbers for each frame. Angles are degrees, turned in the order of the channels.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from svad.motion.performer import Performer
from svad.motion.readers.files import (
    FPS,
    NO_RATE,
    MotionError,
    require_length,
    require_numbers,
    text_of,
)
from svad.motion.recorded import FASTEST, Recorded
from svad.motion.retarget import retargeted

MOST = 1000  # joints
FEW = 4  # joints with names, of which nobody has fewer
MOTION = re.compile(r"^\s*MOTION\b[^\n]*\n", re.MULTILINE | re.IGNORECASE)
DECIMAL = re.compile(r"(?<=\d),(?=\d)")
POINT = re.compile(r"\d\.\d")
FRAMES = re.compile(r"Frames\s*:\s*(\S+)", re.IGNORECASE)
FRAME_TIME = re.compile(r"Frame\s+Time\s*:\s*(\S+)[^\n]*\n?", re.IGNORECASE)
ENDS = ("END", "ENDSITE")
AXES = {"x": 0, "y": 1, "z": 2}
POSITIONS = {f"{axis}position" for axis in AXES}


@dataclass
class Joint:
    """One joint as the file has it."""

    name: str  # "" = an end site
    parent: int
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))
    channels: tuple[str, ...] = ()  # "xposition", "zrotation" ...


def read_bvh(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints of the body that takes the motion, metres
) -> Recorded:
    """The motion of a .bvh file. Raises `MotionError` with a sentence for whatever is none."""
    text = text_of(path)
    if DECIMAL.search(text) and not POINT.search(text):  # as some countries write numbers
        text = DECIMAL.sub(".", text)
    start = MOTION.search(text)
    if start is None or "HIERARCHY" not in text[: start.start()].upper():
        raise MotionError(
            f"{path.name} is no BVH file: a HIERARCHY with a MOTION after it is missing. Save it "
            "again."
        )
    skeleton = parse_hierarchy(text[: start.start()])
    named = [joint.name for joint in skeleton if joint.name]
    if len(named) < FEW:
        raise MotionError(
            f"The skeleton of {path.name} has only {len(named)} joints ({', '.join(named)}); "
            "that of a person is expected."
        )
    rows, seconds = _rows(text[start.end() :], sum(len(joint.channels) for joint in skeleton))
    fps = _whole(1 / seconds) if seconds else FPS
    every = max(1, int(fps / FASTEST + 1e-3))  # what would not be played need not be computed
    made = retargeted(_performer(skeleton, rows[::every], fps / every), joints)
    return made if seconds else made.warned(NO_RATE)


def _whole(fps: float) -> float:
    """The rate that was meant: times are written with few digits."""
    return float(round(fps)) if abs(fps - round(fps)) < 0.01 else fps


def parse_hierarchy(text: str) -> list[Joint]:
    """The joints of a hierarchy, parents first; raises `MotionError` where it is broken."""
    found: list[Joint] = []
    open_joints: list[int] = []  # from the root to the one that is being read
    for line in re.sub(r"([{}])", r"\n\1\n", text).splitlines():
        first, *others = line.split() or [""]
        word, rest = first.upper(), " ".join(others)
        if word in ("ROOT", "JOINT", *ENDS):
            found.append(
                Joint("" if word in ENDS else rest, open_joints[-1] if open_joints else -1)
            )
        elif word == "{":
            if not found or len(found) > MOST or len(found) - 1 in open_joints:
                raise _broken("brackets")
            open_joints.append(len(found) - 1)
        elif word == "}":
            if not open_joints:
                raise _broken("brackets")
            open_joints.pop()
        elif word == "OFFSET" and open_joints:
            found[open_joints[-1]].offset = _offset(rest)
        elif word == "CHANNELS" and open_joints:
            found[open_joints[-1]].channels = _channels(rest)
    if open_joints or not found:
        raise _broken("brackets")
    return found


def _offset(text: str) -> np.ndarray:
    try:
        value = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise _broken("offsets") from error
    if value.shape != (3,):
        raise _broken("offsets")
    require_numbers(value)
    return value


def _channels(text: str) -> tuple[str, ...]:
    count, *names = text.lower().split() or [""]
    if not count.isdigit() or int(count) != len(names):
        raise _broken("channels")
    return tuple(names)


def _broken(what: str) -> MotionError:
    return MotionError(
        f"The {what} of the BVH file's hierarchy do not fit together. Save the file again."
    )


def _rows(text: str, columns: int) -> tuple[np.ndarray, float | None]:  # [T, C], seconds
    count, time = FRAMES.search(text), FRAME_TIME.search(text)
    if time is None or not columns:
        raise MotionError("The BVH file has no frames: Frame Time or channels are missing.")
    with warnings.catch_warnings():  # what cannot be read ends the numbers; they are counted below
        warnings.simplefilter("ignore", DeprecationWarning)
        values = np.fromstring(text[time.end() :], sep=" ")
    told = int(count[1]) if count is not None and count[1].isdigit() else len(values) // columns
    have = len(values) // columns
    if have < told:
        raise MotionError(
            f"The BVH file should have {told} frames of {columns} numbers, and {have} can be read. "
            "It was cut short, or something else than numbers with a decimal point is in it."
        )
    require_length(told)
    rows = values[: told * columns].reshape(told, columns)
    require_numbers(rows)
    try:
        seconds = float(time[1])
    except ValueError:
        seconds = 0.0
    return rows, seconds if 1e-3 <= seconds <= 1 else None


def _performer(skeleton: list[Joint], rows: np.ndarray, fps: float) -> Performer:
    """The joints of all frames in the world; at rest nothing is turned."""
    count = len(skeleton)
    turns, places = np.empty((len(rows), count, 3, 3)), np.empty((len(rows), count, 3))
    rest, first = np.zeros((count, 3)), 0
    for place, joint in enumerate(skeleton):
        values = rows[:, first : first + len(joint.channels)]
        first += len(joint.channels)
        turn, offset = _turns(joint.channels, values), _offsets(joint, values)
        if joint.parent < 0:
            turns[:, place], places[:, place], rest[place] = turn, offset, joint.offset
            continue
        above = turns[:, joint.parent]
        turns[:, place] = above @ turn
        places[:, place] = places[:, joint.parent] + np.einsum("tij,tj->ti", above, offset)
        rest[place] = rest[joint.parent] + joint.offset
    names = tuple(joint.name for joint in skeleton)
    parents = tuple(joint.parent for joint in skeleton)
    still = np.tile(np.eye(3), (count, 1, 1))
    return Performer(names, parents, rest, still, turns, places, fps)


def _turns(channels: tuple[str, ...], values: np.ndarray) -> np.ndarray:  # [T, 3, 3]
    """Turns about the moving axes, in the order of the channels."""
    which = [k for k, name in enumerate(channels) if name[1:] == "rotation" and name[0] in AXES]
    order = "".join(channels[k][0].upper() for k in which)
    if not which:
        return np.broadcast_to(np.eye(3), (len(values), 3, 3))
    if len(order) > 3 or any(a == b for a, b in pairwise(order)):
        raise _broken("channels")
    return Rotation.from_euler(order, values[:, which], degrees=True).as_matrix()


def _offsets(joint: Joint, values: np.ndarray) -> np.ndarray:  # [T, 3]
    """Where a joint is from its parent: its offset, or where position channels put it.

    Some programs write such channels for all joints and leave them at zero.
    """
    which = {AXES[n[0]]: k for k, n in enumerate(joint.channels) if n in POSITIONS}
    out = np.tile(joint.offset, (len(values), 1))
    moved = values[:, list(which.values())]
    if joint.parent >= 0 and not moved.any():
        return out
    out[:, list(which)] = moved
    return out
