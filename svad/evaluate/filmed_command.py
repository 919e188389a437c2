"""`python -m svad evaluate filmed`: the options, and what is written where."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable

from svad.core.errors import SvadError
from svad.evaluate.command import (
    LEAST_FRAMES,
    OK,
    lpips,
    printed,
    reporting,
    require_steps,
    with_people,
)
from svad.evaluate.methods import HOLDOUT, ClipMethods, clip_methods
from svad.terminal.screen import Screen

MOTIONS = ("turn", "pair")  # those that an avatar is made from
SIZE = 540  # px, of the novel poses
COUNT = 60  # frames of the even turn that is drawn with them


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad evaluate filmed",
        description="Draws clips of people who turn before a camera that is held by hand, makes "
        "avatars of the files, and measures both what was tracked and what was made; needs the "
        "project's source tree. One JSON line per person and method goes to the output, the last "
        "one is the mean of the trained avatars; tables go to the error stream.",
    )
    made.add_argument(
        "--motion",
        choices=MOTIONS,
        default=MOTIONS[0],
        help="a clip of one turn, or two photos of front and back; default: %(default)s",
    )
    made.add_argument("--frames", type=int, metavar="N", help="chosen of a clip; default: its own")
    made.add_argument(
        "--holdout",
        type=int,
        default=HOLDOUT,
        metavar="N",
        help="every N-th frame is kept from the training; default: %(default)s",
    )
    return with_people(made, "preview")


def run(
    options: argparse.Namespace,
    stop: threading.Event,
    screen: Screen,
    with_methods: Callable[[int | None, int | None, int], ClipMethods] = clip_methods,
) -> int:
    """Measures every person; raises `SvadError` for options and people that do not work."""
    if options.frames is not None and options.frames < LEAST_FRAMES:
        raise SvadError(f"At least {LEAST_FRAMES} frames are needed, not {options.frames}.")
    require_steps(options)
    from svad.evaluate.from_clip import mean, measure
    from svad.evaluate.table import sheet, table, tracking_table
    from svad.evaluate.truth import chosen, drawn, filmed
    from svad.media.images import save_jpg

    names = chosen(options.people)
    how, distance = with_methods(options.frames, options.steps, options.holdout), lpips()
    rows = []
    for place, name in enumerate(names, 1):
        report = reporting(screen, stop, name, f"{place}/{len(names)}")
        person = drawn(name, COUNT, SIZE, report)
        truth = filmed(name, options.motion, report)
        found = list(printed(measure(truth, person, how, distance, report), screen))
        rows += [one.row for one in found]
        if options.pictures is not None:
            save_jpg(options.pictures / f"{name}-{options.motion}.jpg", sheet(person, found))
    rows.append(mean(rows))
    screen.say(table(rows))
    screen.say(tracking_table(rows))
    print(json.dumps(rows[-1].line()), flush=True)
    return OK
