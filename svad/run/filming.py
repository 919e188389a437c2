"""Videos, stills and files of a finished avatar in motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.errors import JobError, SettingError
from svad.core.files import in_short
from svad.core.progress import part, silent
from svad.media.shot import STILL, STILL_CAMERAS, Shot
from svad.run.makers.files import write_moving
from svad.run.motions import NPZ, PLAYED, keep_motion, read_motion, say_all
from svad.run.results import load_avatar
from svad.types import Avatar, Report

if TYPE_CHECKING:
    from svad.motion.motion import Motion

DEFAULT_SHOT = Shot()


def motion_video(
    folder: Path,
    motion: str,
    output: Path,
    *,
    report: Report | None = None,
    shot: Shot = DEFAULT_SHOT,
) -> Path:
    """Writes a video of a finished avatar in one of the bundled motions, or standing.

    `output`: .mp4, .webm, .zip (the frames as pictures) or .png (one of them); of .npz or .bvh it
    gets the motion on the avatar's skeleton instead. Short motions that close are played several
    times. `folder` may be the avatar's archive, too, packed or unpacked. Raises `JobError` for a
    folder without an avatar or an unknown motion, `SettingError` for a shot that cannot be,
    `OutputError` if the video cannot be written.
    """
    output = Path(output)
    _require_shot(shot, output)
    avatar = load_avatar(folder)
    return write_moving(avatar, _bundled(avatar, motion), output, shot, report)


def still_picture(
    folder: Path,
    values: Mapping[str, float],
    output: Path,
    *,
    motion: str = "stand",
    shot: Shot = DEFAULT_SHOT,
) -> Path:
    """Writes a picture (.png) of a finished avatar in a pose of its own.

    `values`: of the viewer's sliders by name (`svad.export.sliders`), or of expressions; they move
    what a frame of `motion` shows. Raises `SettingError` for a slider or a shot that cannot be,
    `JobError`, `OutputError`.
    """
    output = Path(output)
    if output.suffix.lower() != STILL or shot.camera not in STILL_CAMERAS:
        raise SettingError(
            f"A still is a .png, seen from one side: {', '.join(STILL_CAMERAS)}; {output.name} "
            f"from {shot.camera} is none."
        )
    shot.require_valid(output)
    from svad.export.sliders import slid

    avatar = load_avatar(folder)
    chosen = _bundled(avatar, motion)
    pose = slid(avatar, chosen.poses[[shot.at(len(chosen.poses))]], values)
    once = replace(chosen, poses=pose, looped=False)
    return write_moving(avatar, once, output, replace(shot, frame=0), None)


def _bundled(avatar: Avatar, name: str) -> Motion:
    """One of the bundled motions on an avatar, or standing; raises `JobError`."""
    from svad.motion.authored import authored
    from svad.motion.standing import STAND, standing

    table = {name: one.for_avatar for name, one in authored().items()} | {STAND: standing}
    if name not in table:
        raise JobError(
            f"There is no motion named {in_short(name)}. Choose one of: {', '.join(table)}."
        )
    return table[name](avatar)


def clip_motion(
    folder: Path,
    clip: Path,
    output: Path,
    *,
    report: Report | None = None,
    shot: Shot = DEFAULT_SHOT,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Writes a video of a finished avatar that moves as the person in a clip does.

    `clip`: any video of a person, or a file of a motion (`svad.motion.readers.formats`). The
    motion of a video is kept beside what is written, under its name with the ending .npz. An
    `output` of .npz or .bvh gets the avatar's motion on its own skeleton instead of a video, one of
    .rig the same for the viewer. `say` gets what a person should know of the motion. Raises what
    `motion_video` raises, and `VideoError`, `SourceError`, `MotionError` for the clip.
    """
    from svad.motion.readers.formats import is_motion

    output = Path(output)
    _require_shot(shot, output)
    avatar, told = load_avatar(folder), report or silent
    found = read_motion(Path(clip), part(told, 0, 500, 1000))
    if not is_motion(Path(clip)) and output.suffix.lower() not in PLAYED:
        keep_motion(found, output.with_suffix(NPZ))
    say_all(found.warnings, say)
    motion = found.for_avatar(avatar, "clip", "As in the clip")
    return write_moving(avatar, motion, output, shot, part(told, 500, 1000, 1000))


def _require_shot(shot: Shot, output: Path) -> None:
    """Raises `SettingError` for a shot that cannot be, unless no video is asked for."""
    if output.suffix.lower() not in PLAYED:
        shot.require_valid(output)
