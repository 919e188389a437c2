"""`python -m svad still`: a picture of a finished avatar in a pose that sliders give it."""

from __future__ import annotations

import argparse
import threading

from svad.core.files import kept_for
from svad.export.sliders import sliders, values_of
from svad.media.shot import STILL_CAMERAS, Shot
from svad.motion.authored import authored
from svad.motion.standing import STAND
from svad.run.commands.drawn import add_camera, add_finished, add_size
from svad.run.filming import still_picture
from svad.terminal.arguments import add_debug, named_path, whole_number
from svad.terminal.codes import OK
from svad.terminal.screen import Screen


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    rows = "\n".join(
        f"  {name:<10} {row.least:g} to {row.most:g}{' degrees' if row.joints else ''}"
        for name, row in sliders().items()
    )
    made = argparse.ArgumentParser(
        prog="python -m svad still",
        description="Writes a picture of a finished avatar in a pose of your own.",
        epilog=f"sliders, as in the viewer:\n{rows}\n\nExpressions are ARKit's by name, 0 to 1: "
        "jawOpen=0.5,eyeBlinkLeft=1.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_finished(made)
    for option, example in (("--pose", "turn=20,left_arm=60"), ("--expression", "smile=1")):
        made.add_argument(
            option, action="append", default=[], metavar="NAME=VALUE,...",
            help=f"sliders or expressions, such as {example}",
        )  # fmt: skip
    made.add_argument(
        "-o", "--output", type=named_path, required=True, metavar="PICTURE.png",
        help="a .png",
    )  # fmt: skip
    made.add_argument(
        "--motion", default=STAND, metavar="NAME",
        help=f"what the pose is put on top of: {STAND} (default), {', '.join(authored())}",
    )  # fmt: skip
    made.add_argument(
        "--frame", type=whole_number(0, 1_000_000), metavar="N",
        help="of the motion, the first is 0 (default: the middle one)",
    )  # fmt: skip
    add_camera(made, STILL_CAMERAS)
    made.add_argument(
        "--background", default="studio", metavar="WHAT",
        help="studio, transparent, a colour (white, #20a040) or a picture's file; default studio",
    )  # fmt: skip
    add_size(made)
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    shot = Shot(
        height=options.height, camera=options.camera, background=options.background,
        frame=options.frame,
    )  # fmt: skip
    values = values_of([*options.pose, *options.expression])
    with kept_for(options.output):
        made = still_picture(
            options.folder, values, options.output, motion=options.motion, shot=shot
        )
    print(made)
    return OK
