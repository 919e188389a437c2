"""`python -m svad evaluate looks`: the options, and what is written where."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable

from svad.core.errors import PhotoError, SvadError
from svad.evaluate.command import OK, SMALLEST, reporting
from svad.evaluate.methods import LookMethods, look_methods
from svad.terminal.arguments import add_debug, named_path
from svad.terminal.screen import Screen

SIZE = 540  # px, side of a frame


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad evaluate looks",
        description="Draws people as they are photographed (hand on the hip, arms crossed, in a "
        "coat), makes the preview's avatar of the one picture, and measures it against the same "
        "people from eight sides, in the A-pose and in three other poses; needs the project's "
        "source tree. One JSON line per kind of picture goes to the output, the last one is the "
        "mean; a table goes to the error stream.",
    )
    made.add_argument(
        "--kinds", nargs="+", default=[], metavar="KIND", help="of picture; default: all"
    )
    made.add_argument(
        "--people",
        nargs="+",
        default=[],
        metavar="N or NAME",
        help="the first so many, or these; default: those who are meant to show a kind",
    )
    made.add_argument("--size", type=int, default=SIZE, metavar="PX", help="side of a frame")
    made.add_argument(
        "--pictures",
        type=named_path,
        metavar="DIR",
        help="also write sheets there: photo, truth and avatar from all sides",
    )
    add_debug(made)
    return made


def run(
    options: argparse.Namespace,
    stop: threading.Event,
    screen: Screen,
    with_methods: Callable[[], LookMethods] = look_methods,
) -> int:
    """Measures every kind; raises `SvadError` for options that do not work, and if no picture does.

    A picture that the pipeline refuses is said on the error stream and counts in no mean.
    """
    if options.size < SMALLEST:
        raise SvadError(f"Frames have at least {SMALLEST} px, not {options.size}.")
    from svad.evaluate.looks import mean, measure
    from svad.evaluate.table import looks_sheet, looks_table
    from svad.evaluate.truth import cases, look
    from svad.media.images import save_jpg

    rows, how = [], with_methods()
    wanted = cases(options.kinds, options.people)
    for place, (kind, people) in enumerate(wanted.items(), 1):
        found = []
        for name in people:
            report = reporting(screen, stop, f"{kind} {name}", f"{place}/{len(wanted)}")
            truth = look(kind, name, options.size, report)
            try:
                one = measure(truth, how, report)
            except PhotoError as error:
                screen.end()
                screen.say(f"{kind}, {name}: {error}")
                continue
            found.append(one.row)
            if options.pictures is not None:
                save_jpg(options.pictures / f"{kind}-{name}.jpg", looks_sheet(one, truth.count))
        if found:
            rows.append(mean(found, kind))
            screen.end()  # on a terminal the line would stand behind the bar
            print(json.dumps(rows[-1].line()), flush=True)
    if not rows:
        raise SvadError("None of the pictures was understood, so there is nothing to measure.")
    rows.append(mean(rows))
    screen.say(looks_table(rows))
    print(json.dumps(rows[-1].line()), flush=True)
    return OK
