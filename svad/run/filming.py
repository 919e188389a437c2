"""Videos, stills and files of a finished avatar in motion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from svad.core.errors import JobError
from svad.core.progress import part, silent
from svad.media.shot import Shot
from svad.run.makers.files import write_moving
from svad.run.motions import NPZ, PLAYED, keep_motion, read_motion, say_all
from svad.run.results import load_avatar
from svad.types import Report

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
    from svad.motion.authored import authored
    from svad.motion.standing import STAND, standing

    output = Path(output)
    _require_shot(shot, output)
    avatar = load_avatar(folder)
    table = {name: one.for_avatar for name, one in authored().items()} | {STAND: standing}
    if motion not in table:
        raise JobError(f"There is no motion named {motion}. Choose one of: {', '.join(table)}.")
    return write_moving(avatar, table[motion](avatar), output, shot, report)


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
