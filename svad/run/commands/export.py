"""`python -m svad export`: files of a finished avatar for other programs."""

from __future__ import annotations

import argparse
import threading
from functools import partial

from svad.export.formats import EVERY
from svad.run.export import BONES, export
from svad.terminal.arguments import add_debug, named_path
from svad.terminal.codes import OK
from svad.terminal.screen import Screen, write_watched


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    rows = "\n".join(f"  {row.name:<10} {row.file:<20} {row.title}" for row in EVERY.values())
    made = argparse.ArgumentParser(
        prog="python -m svad export",
        description="Writes a file of a finished avatar for another program.",
        epilog=f"formats:\n{rows}\n\nWhat a format does not hold is said when it is written.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "source",
        type=named_path,
        metavar="OUT|AVATAR.zip",
        help="the folder of an avatar, or its zip",
    )
    made.add_argument("--format", required=True, metavar="NAME", help="one of those below")
    made.add_argument(
        "-o",
        "--output",
        type=named_path,
        metavar="FILE",
        help="default: beside the avatar's own files",
    )
    made.add_argument(
        "--rig",
        metavar="NAMES",
        help=f"whose names the bones of a mesh have: {', '.join(BONES)}; default: {BONES[0]}",
    )
    made.add_argument(
        "--triangles",
        type=int,
        default=30_000,
        metavar="N",
        help="at most, of a textured mesh (default 30000)",
    )
    made.add_argument(
        "--motion",
        action="append",
        default=[],
        type=named_path,
        metavar="FILE",
        help="a file of a motion, or a clip, to be put into a mesh (glb, textured, vrm) beside the "
        "bundled motions; may be given several times",
    )
    made.add_argument(
        "--lit",
        action="store_true",
        help="lamps shine on the mesh, though its colours hold light already; for programs that "
        "cannot do without, and on the way to FBX",
    )
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    write = partial(
        export, options.source, options.format, options.output, bones=options.rig,
        triangles=options.triangles, motions=options.motion, lit=options.lit, say=screen.say,
    )  # fmt: skip
    write_watched(screen, stop, "export", f"Export: {options.format}", write)
    return OK
