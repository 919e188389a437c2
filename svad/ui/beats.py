"""What a visitor's work tells the page: how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from svad.types import StageState
    from svad.ui.gallery import Finished


@dataclass(frozen=True)
class Making:
    """How far something is: a look at what was sent, or a video."""

    seconds: float
    share: float | None  # 0..1, None before it is known
    note: str = ""  # what is being done


@dataclass(frozen=True)
class Seen:
    """What was understood of the pictures."""

    job: str
    picture: Path  # the photo, or all chosen pictures, with matte and pose drawn over them
    warnings: tuple[str, ...]
    pictures: int = 0  # how many were chosen; 0 = one photo


@dataclass(frozen=True)
class Progress:
    """One beat of a running job."""

    states: tuple[StageState, ...]
    seconds: float
    ahead: int = 0  # visitors to wait for
    wait: float | None = None  # s until they are served; None = nobody knows
    winding_down: bool = False  # an earlier, stopped run of the same job is still ending
    other: tuple[str, str] | None = None  # preset and body, where they are not those asked for


@dataclass(frozen=True)
class Ended:
    """How a job ended: with an avatar, stopped, or paused."""

    states: tuple[StageState, ...]
    seconds: float
    finished: Finished | None
    paused: str = ""  # why, in the platform's words, where no GPU was to be had
    abandoned: bool = False  # it was stopped because nobody watched it


@dataclass(frozen=True)
class Followed:
    """An avatar moving as somebody in a clip, or a motion's file, does."""

    video: Path
    motion: Path  # .npz
    bvh: Path  # the same
    mesh: Path  # .glb of the avatar with it
    moving: Path | None  # the same for the 3D view, where that moves
    warnings: tuple[str, ...]  # sentences for the visitor
