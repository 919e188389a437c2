"""The viewer's sliders for a pose on the server: the same names, limits and joints.

The table is `viewing/sliders.js`, which the viewer reads as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from svad.body.skeleton import Joint
from svad.core.errors import SettingError

if TYPE_CHECKING:
    from svad.types import Avatar, Pose

TABLE = Path(__file__).parent / "viewing" / "sliders.js"
AXES = "xyz"
FULL = 1.2  # up to which a pose's expression and a slider's add up, as in the viewer
MOST = 1.0  # of an expression that is named by itself


@dataclass(frozen=True)
class Turn:
    """What a slider does to one joint."""

    joint: Joint
    axis: int  # of x, y, z
    share: float  # degrees for each unit of the slider
    own: bool  # about the joint's own axis, else about its parent's


@dataclass(frozen=True)
class Slider:
    """One slider: its title, its limits (degrees, or shares of an expression), what it moves."""

    title: str
    least: float
    most: float
    joints: tuple[Turn, ...] = ()
    up: tuple[str, ...] = ()  # expressions of values above zero
    down: tuple[str, ...] = ()  # and below
    without: tuple[Turn, ...] = ()  # joints of an avatar that has none of `up`

    def turns(self, expressions: Sequence[str]) -> tuple[Turn, ...]:
        """The joints that it moves, of an avatar with these expressions."""
        shown = any(name in expressions for name in self.up)
        return self.joints if shown or self.joints else self.without

    def moves(self, expressions: Sequence[str]) -> bool:
        """Whether it moves anything of an avatar with these expressions."""
        return bool(self.turns(expressions)) or any(name in expressions for name in self.up)


@cache
def sliders() -> dict[str, Slider]:
    """All sliders by name, in their order."""
    text = TABLE.read_text(encoding="utf-8")
    told = json.loads(text[text.index("{\n") : text.rindex("}") + 1])
    return {
        name: Slider(
            row["title"], row["least"], row["most"], _turns(row.get("joints", ())),
            tuple(row.get("up", ())), tuple(row.get("down", ())), _turns(row.get("without", ())),
        )
        for name, row in told.items()
    }  # fmt: skip


def _turns(rows: Sequence[Sequence]) -> tuple[Turn, ...]:
    return tuple(
        Turn(Joint[name.upper()], AXES.index(axis), float(share), whose == "own")
        for name, axis, share, whose in rows
    )


def slid(avatar: Avatar, pose: Pose, values: Mapping[str, float]) -> Pose:  # T = 1 both
    """A pose with sliders moved on top of it, as the viewer does.

    `values`: of sliders by name, in degrees or shares; also of the avatar's own expressions, 0..1.
    Raises `SettingError` for names that there are not, and for values beyond a slider's ends.
    """
    import torch

    from svad.geometry.rotation import matrix_to_axis_angle, rodrigues

    names = avatar.expression_names
    _require(names, values)
    turns = rodrigues(pose.rotations.double())  # [1, 55, 3, 3]
    faces = pose.expression.clone()
    for name, slider in sliders().items():  # in their order, as turns do not commute
        value = float(values.get(name, 0.0))
        for turn in slider.turns(names) if value else ():
            by = torch.zeros(3, dtype=torch.float64)
            by[turn.axis] = math.radians(turn.share * value)
            pair = (turns[:, turn.joint], rodrigues(by))
            turns[:, turn.joint] = pair[0] @ pair[1] if turn.own else pair[1] @ pair[0]
        for one in slider.up if value > 0 else slider.down:
            if one in names:
                at = names.index(one)
                faces[:, at] = (faces[:, at] + abs(value)).clamp(max=FULL)
    for name in values.keys() - sliders().keys():
        faces[:, names.index(name)] = float(values[name])
    rotations = matrix_to_axis_angle(turns).to(pose.rotations.dtype)
    return replace(pose, rotations=rotations, expression=faces)


def _require(expressions: Sequence[str], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        slider = sliders().get(name)
        if slider is None and name not in expressions:
            near = get_close_matches(name, expressions, 3) or expressions[:3]
            some = ", ".join(near)
            faces = f"; or an expression of ARKit's, such as {some}" if expressions else ""
            raise SettingError(
                f"There is no slider named {name}. Choose from {', '.join(sliders())}{faces}."
            )
        if slider is not None and not slider.moves(expressions):
            raise SettingError(f"{name} moves nothing: this avatar has no face that could.")
        least, most = (slider.least, slider.most) if slider is not None else (0.0, MOST)
        if not least <= value <= most:  # also what is no number
            raise SettingError(f"{name} goes from {least:g} to {most:g}; {value:g} was given.")


def values_of(words: Sequence[str]) -> dict[str, float]:
    """`name=value` pairs, several in one word with commas between them.

    Raises `SettingError` for anything else.
    """
    found: dict[str, float] = {}
    for pair in (one.strip() for word in words for one in word.split(",")):
        name, mark, value = (part.strip() for part in pair.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not (name and mark) or not math.isfinite(number):
            raise SettingError(
                f"A pose is written name=value, such as turn=20 or smile=0.8; {pair!r} is not."
            )
        if name in found:
            raise SettingError(f"{name} is given twice. Give it one value.")
        found[name] = number
    return found
