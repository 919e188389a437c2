"""`python -m svad evaluate filmed`: the options, and what is written where."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable
from pathlib import Path

from svad.core.errors import SvadError
from svad.evaluate.command import LEAST_FRAMES, OK, lpips, reporting
from svad.evaluate.methods import HOLDOUT, ClipMethods, clip_methods
from svad.weights.command import Screen

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
    made.add_argument(
        "--people",
        nargs="+",
        default=[],
        metavar="N or NAME",
        help="the first so many, or these; default: all",
    )
    made.add_argument("--frames", type=int, metavar="N", help="chosen of a clip; default: its own")
    made.add_argument("--steps", type=int, metavar="N", help="of the training; default: its own")
    made.add_argument(
        "--holdout",
        type=int,
        default=HOLDOUT,
        metavar="N",
        help="every N-th frame is kept from the training; default: %(default)s",
    )
    made.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="also write sheets there: truth, preview, trained; heads enlarged",
    )
    made.add_argument("--debug", action="store_true", help="show where an error comes from")
    return made


def run(
    options: argparse.Namespace,
    stop: threading.Event,
    screen: Screen,
    with_methods: Callable[[int | None, int | None, int], ClipMethods] = clip_methods,
) -> int:
    """Measures every person; raises `SvadError` for options and people that do not work."""
    if options.frames is not None and options.frames < LEAST_FRAMES:
        raise SvadError(f"At least {LEAST_FRAMES} frames are needed, not {options.frames}.")
    if options.steps is not None and options.steps < 1:
        raise SvadError(f"Training takes at least one step, not {options.steps}.")
    from svad.evaluate.from_clip import Measured, mean, measure
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
        found: list[Measured] = []
        for one in measure(truth, person, how, distance, report):
            found.append(one)
            screen.end()  # on a terminal the line would stand behind the bar
            print(json.dumps(one.row.line()), flush=True)
        rows += [one.row for one in found]
        if options.pictures is not None:
            save_jpg(options.pictures / f"{name}-{options.motion}.jpg", sheet(person, found))
    rows.append(mean(rows))
    screen.say(table(rows))
    screen.say(tracking_table(rows))
    print(json.dumps(rows[-1].line()), flush=True)
    return OK
