"""`python -m svad import`: reads an avatar that the published program trained."""

from __future__ import annotations

import argparse
import threading

from svad.config.preset import OWN_BODIES
from svad.run.commands.made import say_made
from svad.terminal.arguments import add_debug, add_output_folder, named_path
from svad.terminal.screen import Screen

EPILOG = """\
The snapshot is snapshot_4.pth of the training; face_offset.json lies in the folder smplx_optimized
of the subject it was trained on. Nothing in the snapshot is run. It holds SMPL-X data: the SMPL-X
model licence (non-commercial research only) covers the avatar that is made of it."""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad import",
        description="Reads an avatar trained by the published code of SVAD or ExAvatar, and writes "
        "the same files as for an avatar made here.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "snapshot", type=named_path, metavar="SNAPSHOT.pth", help="the trained avatar"
    )
    made.add_argument(
        "--face-offset",
        type=named_path,
        metavar="face_offset.json",
        help="offsets of the face; default: the file of that name beside the snapshot",
    )
    add_output_folder(made)
    made.add_argument(
        "--body",
        choices=OWN_BODIES,
        help="your own SMPL-X file, in the folder that SVAD_WEIGHTS names; needed only for a "
        "snapshot from which the body was removed",
    )
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    from svad.run.adopt import Trained, adopt

    trained = Trained(options.snapshot, options.face_offset, options.body)
    try:
        result = adopt(trained, options.output, listener=screen.show, stop=stop)
    finally:
        screen.end()
    return say_made(result, options.output, screen)
