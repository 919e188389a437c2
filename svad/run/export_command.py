"""`python -m svad export`: files of a finished avatar for other programs."""

from __future__ import annotations

import argparse
import threading
import time

from svad.core.arguments import named_path
from svad.core.errors import Stopped
from svad.export.formats import EVERY
from svad.run.export import BONES, export
from svad.types import StageState
from svad.weights.command import Screen

OK = 0


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
    made.add_argument("--debug", action="store_true", help="show where an error comes from")
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    begun = time.monotonic()

    def report(done: int, total: int, note: str, picture: object = None) -> None:
        if stop.is_set():
            raise Stopped("Stopped.")
        seconds, state = time.monotonic() - begun, "done" if done >= total else "running"
        title = f"Export: {options.format}"
        screen.show((StageState("export", title, state, done, total, note, seconds, None, None),))

    try:
        path = export(
            options.source, options.format, options.output, bones=options.rig,
            triangles=options.triangles, motions=options.motion, lit=options.lit,
            report=report, say=screen.say,
        )  # fmt: skip
    finally:
        screen.end()
    print(path)
    return OK
