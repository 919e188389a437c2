"""Motions of a person's own: from a clip of anybody, or from a file of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.errors import JobError
from svad.core.progress import part, silent
from svad.run.makers import builders
from svad.types import Report

if TYPE_CHECKING:
    from svad.motion.recorded import Recorded

NPZ, BVH = ".npz", ".bvh"
KEPT = (NPZ, BVH)  # endings under which motions are written
VIEWED = ".rig"  # the ending of one for the page's viewer
VRMA = ".vrma"  # and of one for VRM avatars
PLAYED = (*KEPT, VIEWED, VRMA)  # endings of motions of an avatar
LOOKED = 0.55  # of the time of a tracking goes into looking at the frames
HEIGHT = 720  # px, at which frames are looked at
QUICK, RATE = 6.0, 15.0  # seconds up to which every frame counts; frames a second of a longer clip
SOMETHING_ELSE = "The motion is kept as .npz or .bvh; {name} has another ending."

Say = Callable[[str], None]


def track_clip(clip: Path, report: Report) -> Recorded:
    """The motion of the largest person in a clip.

    Raises `VideoError` for what is no clip, `SourceError` where nobody is seen in it.
    """
    from svad.media.clips import LONGEST_SECONDS, clip_info, every_frame
    from svad.motion.capture import captured
    from svad.track.watch import OTHERS, watch

    info = clip_info(clip)
    seconds = min(info.seconds, LONGEST_SECONDS)
    rate = min(info.fps, 2 * RATE if seconds <= QUICK else RATE)
    follower, closer, reader = builders.motion_watcher()
    looking = part(report, 0, round(1000 * LOOKED), 1000)
    with closing(every_frame(clip, info, rate, HEIGHT)) as frames:
        watched = watch(frames, round(seconds * rate), follower.see, closer, looking)
    others = (OTHERS,) if follower.others else ()
    rest = part(report, round(1000 * LOOKED), 1000, 1000)
    made = captured(watched, builders.motion_body(), reader, rest)
    return made.warned(*info.warnings, *others)


def read_motion(source: Path, report: Report) -> Recorded:
    """The motion in a file of one, in a folder of frames, or in a clip.

    Raises what `track_clip` raises, and `MotionError`.
    """
    from svad.motion.readers.formats import is_motion, read_file

    if not is_motion(source):
        return track_clip(source, report)
    from svad.motion.capture import rest_joints

    return read_file(source, rest_joints(builders.motion_body()))


def keep_motion(motion: Recorded, output: Path) -> Path:
    """Writes the motion as .npz or .bvh; raises `OutputError`, `JobError` for another ending."""
    require_kept(output)
    if output.suffix.lower() == BVH:
        from svad.motion.writers.bvh import write_bvh

        write_bvh(output, motion)
    else:
        from svad.motion.readers.npz import write_npz

        write_npz(output, motion)
    return output


def require_kept(output: Path) -> None:
    """Raises `JobError` where a motion's file would have another ending."""
    if output.suffix.lower() not in KEPT:
        raise JobError(SOMETHING_ELSE.format(name=output.name))


def track(
    clip: Path,
    output: Path,
    report: Report | None = None,
    *,
    say: Say | None = None,
) -> Path:
    """Keeps the motion of the person in a clip as .npz (AMASS, SMPL-X) or .bvh.

    `clip` may also be a file of a motion, which is then written anew. `say` gets what a person
    should know of it. Raises `JobError` for another ending, `VideoError`, `SourceError`,
    `MotionError`, `OutputError`.
    """
    require_kept(Path(output))
    found = read_motion(Path(clip), report or silent)
    say_all(found.warnings, say)
    return keep_motion(found, Path(output))


def say_all(sentences: Iterable[str], say: Say | None) -> None:
    """Says what a person should know of a motion, where somebody listens."""
    for sentence in sentences:
        if say is not None:
            say(f"Note: {sentence}")
