"""`python -m svad drive`: the person of a photo in the movements of a clip."""

from __future__ import annotations

import argparse
import threading
from dataclasses import replace
from functools import partial

from svad.config.change import changed
from svad.config.limits import SEEDS
from svad.config.presets import PRESETS, with_video
from svad.core.errors import JobError
from svad.core.files import kept_for
from svad.terminal.arguments import add_debug, named_path, whole_number
from svad.terminal.codes import OK
from svad.terminal.screen import Screen, write_watched


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad drive",
        description="Writes a video of the person of a photo in the movements of a clip. "
        "Needs the video model's files and a GPU.",
    )
    made.add_argument(
        "photo", type=named_path, metavar="PHOTO", help="a JPEG, PNG, WebP or HEIC file"
    )
    made.add_argument("clip", type=named_path, metavar="CLIP", help="a video of one moving person")
    made.add_argument("-o", "--output", type=named_path, required=True, metavar="VIDEO.mp4")
    made.add_argument("--preset", choices=with_video(), default=with_video()[0])
    made.add_argument("--seed", type=whole_number(*SEEDS), default=0, metavar="N")
    made.add_argument("--set", action="append", default=[], metavar="STAGE.FIELD=VALUE")
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    from svad.media.video import ffmpeg_path
    from svad.run.driving import drive

    preset = changed(replace(PRESETS[options.preset], seed=options.seed), *options.set)
    clip, output = options.clip, options.output
    if output.suffix.lower() != ".mp4":
        raise JobError(f"The video is an .mp4 file; {output.name} has another ending.")
    ffmpeg_path()  # before the hours that it is to hold
    write = partial(drive, options.photo, clip, output, preset)
    with kept_for(output):
        write_watched(screen, stop, "video", f"Video: {clip.name}", write)
    return OK
