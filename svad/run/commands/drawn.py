"""Options that the commands share which draw a finished avatar."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from svad.media.shot import HEIGHTS
from svad.terminal.arguments import named_path, whole_number


def add_finished(made: argparse.ArgumentParser) -> None:
    """The avatar."""
    made.add_argument(
        "folder",
        type=named_path,
        metavar="OUT",
        help="folder of a finished avatar, or its avatar.zip, packed or unpacked",
    )


def add_camera(made: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """The place of the camera, by one of these names."""
    made.add_argument(
        "--camera", "--view", default="front", metavar="NAME",
        help=f"{', '.join(names)} (default front; side is the person's left)",
    )  # fmt: skip


def add_size(made: argparse.ArgumentParser) -> None:
    """The height of what is drawn, in pixels."""
    made.add_argument(
        "--size", "--height", dest="height", type=whole_number(*HEIGHTS), default=720, metavar="PX",
        help="height of the picture (default 720)",
    )  # fmt: skip
