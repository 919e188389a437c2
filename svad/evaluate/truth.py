"""What is known of a person who was drawn: photo, turning frames and novel poses, all exact."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from svad.core.errors import SvadError
from svad.core.places import cache_folder
from svad.evaluate.filmed import Filmed
from svad.types import Clip, Report

if TYPE_CHECKING:
    from torch import Tensor

NO_SOURCE = (
    "This measurement needs the project's source tree: it draws the people of tools/, which are "
    "not part of the installed package. Run it from a copy of the source tree."
)


@dataclass(frozen=True)
class Truth:
    """A drawn person; pictures are over white, poses are those of the person's own body."""

    name: str
    photo: Clip  # T = 1, larger than the frames
    turning: Clip  # the driving sequence, an even turn
    novel: Clip  # poses that are not in the turn
    joints: Tensor  # [55, 3] rest joints, metres
    parents: tuple[int, ...]  # 55, root -1


@dataclass(frozen=True)
class Look:
    """A drawn person in one picture, and what that picture does not show."""

    kind: str  # of picture: a stance, or what is worn
    name: str
    photo: Clip  # T = 1, what is sent, over white and larger than the frames
    sides: Clip  # T frames: first the A-pose from each side, front first, then other poses likewise
    count: int  # sides of a pose
    joints: Tensor  # [55, 3] rest joints, metres
    parents: tuple[int, ...]  # 55, root -1


def people() -> tuple[str, ...]:
    """The names of all people who can be drawn; raises `SvadError` without the source tree."""
    return _scene().people()


def drawn(name: str, count: int, size: int, report: Report) -> Truth:
    """The truth of a person, `count` frames of `size` px; drawn once, then kept in the cache.

    Raises `SvadError` for an unknown person, and without the source tree.
    """
    folder = cache_folder(os.environ) / "truth"
    return _scene().truth(name, count, size, folder, report)


def filmed(name: str, motion: str, report: Report) -> Filmed:
    """A clip of a person, or two photos of them; drawn once, then kept in the cache.

    Raises `SvadError` for an unknown person or motion, and without the source tree.
    """
    return _tool("clips").clip(name, motion, cache_folder(os.environ) / "truth", report)


def look(kind: str, name: str, size: int, report: Report) -> Look:
    """A person in a kind of picture and from all sides; drawn once, then kept in the cache.

    Raises `SvadError` for an unknown kind or person, and without the source tree.
    """
    folder = cache_folder(os.environ) / "truth"
    return _tool("looks").look(kind, name, size, folder, report)


def cases(kinds: Sequence[str], words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Who shows each of some kinds of picture, all kinds by default; `words` as in `chosen`.

    A kind that is about clothes is shown by those who wear them only. Raises `SvadError` for
    what is not there, and where nobody is left who shows a kind that was asked for.
    """
    tool = _tool("kinds")
    known = tool.kinds()
    for kind in kinds:
        if kind not in known:
            raise SvadError(f"There is no kind {kind}. Choose from: {', '.join(known)}.")
    names = _named(words, tool.everybody()) if words else ()
    found = {kind: tool.shown_by(kind, names) for kind in kinds or known}
    for kind in kinds:
        if not found[kind]:
            raise SvadError(f"The kind {kind} is shown by: {', '.join(known[kind])}.")
    return {kind: by for kind, by in found.items() if by}


def chosen(words: Sequence[str]) -> tuple[str, ...]:
    """People by name, or the first so many; raises `SvadError` for what is neither."""
    return _named(words, people())


def _named(words: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    if len(words) == 1 and words[0].isdigit():
        number = int(words[0])
        if not 1 <= number <= len(known):
            raise SvadError(f"There are 1 to {len(known)} people to choose from, not {number}.")
        return known[:number]
    names = dict.fromkeys(word.lower() for word in words)
    for name in names:
        if name not in known:
            raise SvadError(f"There is no person named {name}. Choose from: {', '.join(known)}.")
    return tuple(names) or known


def _scene() -> ModuleType:
    return _tool("scene")


def _tool(name: str) -> ModuleType:
    try:
        return import_module(f"tools.truth.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "tools":
            raise SvadError(NO_SOURCE) from error
        raise
