"""`python -m svad track`: the motion of the person in a clip, as a file."""

from __future__ import annotations

import argparse
import threading
from functools import partial

from svad.core.files import kept_for
from svad.run.motions import require_kept, track
from svad.terminal.arguments import add_debug, named_path
from svad.terminal.codes import OK
from svad.terminal.screen import Screen, write_watched


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad track",
        description="Keeps the motion of the person in a clip for `animate` and other programs: "
        "as .npz with SMPL-X names, or as .bvh with Mixamo's.",
    )
    made.add_argument(
        "clip",
        type=named_path,
        metavar="CLIP",
        help="a video of one moving person; or a file of a motion, which is written anew",
    )
    made.add_argument(
        "-o",
        "--output",
        type=named_path,
        required=True,
        metavar="MOTION",
        help="an .npz or .bvh file",
    )
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    clip, output = options.clip, options.output
    require_kept(output)
    write = partial(track, clip, output, say=screen.say)
    with kept_for(output):
        write_watched(screen, stop, "track", f"Motion: {clip.name}", write)
    return OK
