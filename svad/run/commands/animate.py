"""`python -m svad animate`: a finished avatar in motion, as a video, a picture or data."""

from __future__ import annotations

import argparse
import threading
from functools import partial
from pathlib import Path

from svad.core.files import kept_for
from svad.media.shot import CAMERAS, Shot
from svad.motion.authored import authored
from svad.motion.readers.formats import SUFFIXES
from svad.motion.standing import STAND
from svad.run.commands.drawn import add_camera, add_finished, add_size
from svad.run.motions import PLAYED
from svad.terminal.arguments import add_debug, named_path, whole_number
from svad.terminal.codes import OK
from svad.terminal.screen import Screen, write_watched


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad animate",
        description="Writes a video of a finished avatar in motion, a picture of it, or that "
        "motion on its skeleton (.bvh, .npz, .vrma).",
    )
    add_finished(made)
    made.add_argument(
        "--motion",
        required=True,
        metavar="NAME",
        help=f"{', '.join(authored())}; {STAND}; or a clip in which somebody moves; or a "
        f"file of a motion ({', '.join(SUFFIXES)}) or a folder of SMPL-X parameters",
    )
    made.add_argument(
        "-o",
        "--output",
        type=named_path,
        required=True,
        metavar="VIDEO.mp4",
        help="a video (.mp4, .webm); its frames as pictures (.zip); one of them (.png); or with "
        "the ending .bvh, .npz or .vrma the motion itself",
    )
    add_camera(made, CAMERAS)
    made.add_argument(
        "--background", default="studio", metavar="WHAT",
        help="studio, transparent (.webm, .zip, .png), a colour (white, #20a040) or a picture's "
        "file; default studio",
    )  # fmt: skip
    add_size(made)
    made.add_argument(
        "--fps", type=whole_number(1, 120), metavar="N",
        help="frames a second (default: those of the motion)",
    )  # fmt: skip
    made.add_argument(
        "--frame", type=whole_number(0, 1_000_000), metavar="N",
        help="of a .png: which frame, the first is 0 (default: the middle one)",
    )  # fmt: skip
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    from svad.run.filming import clip_motion, motion_video

    shot = Shot(
        height=options.height, camera=options.camera, background=options.background,
        fps=options.fps, frame=options.frame,
    )  # fmt: skip
    given, output = Path(options.motion), options.output
    as_data = output.suffix.lower() in PLAYED
    if not as_data:
        shot.require_valid(output)
    if options.motion not in authored() and (given.suffix or given.is_dir()):
        write = partial(clip_motion, options.folder, given, output, shot=shot, say=screen.say)
    else:
        write = partial(motion_video, options.folder, options.motion, output, shot=shot)
    name, title = ("track", "Motion") if as_data else ("video", "Video")
    with kept_for(output):
        write_watched(screen, stop, name, f"{title}: {given.name}", write)
    return OK
