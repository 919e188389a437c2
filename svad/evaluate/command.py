"""`python -m svad evaluate synthetic`: the options, and what is written where."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from svad.config.limits import SEEDS
from svad.core.errors import MissingFile, SvadError
from svad.evaluate.methods import Methods, methods
from svad.evaluate.spoil import KINDS
from svad.learn.metrics import Distance
from svad.terminal.arguments import add_debug, named_path, whole_number
from svad.terminal.codes import OK
from svad.terminal.screen import Screen, one_bar
from svad.types import Report

if TYPE_CHECKING:
    from svad.evaluate import from_clip, synthetic

AnyMeasured = TypeVar("AnyMeasured", "synthetic.Measured", "from_clip.Measured")
LEAST_FRAMES, SMALLEST = 5, 64  # one frame held out; px


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad evaluate",
        description="Measures avatars of drawn people against what was drawn; needs the project's "
        "source tree. One JSON line per person and method goes to the output, the last one is the "
        "mean of the trained avatars; a table goes to the error stream. `evaluate clip --help` "
        "tells about a finished avatar and a clip of the same person.",
    )
    made.add_argument("what", choices=("synthetic",), help="the drawn people of tools/")
    made.add_argument(
        "--frames",
        choices=KINDS,
        default=KINDS[0],
        help="perfect as drawn, or spoilt as generated or filmed ones are; default: %(default)s",
    )
    made.add_argument(
        "--count",
        type=int,
        default=60,
        help="frames of the turn, every fifth kept from training",
    )
    made.add_argument("--size", type=int, default=540, metavar="PX", help="side of a frame")
    made.add_argument(
        "--seed",
        type=whole_number(*SEEDS),
        default=0,
        metavar="N",
        help="of what spoils the frames",
    )
    return with_people(made, "closed form")


def with_people(made: argparse.ArgumentParser, other: str) -> argparse.ArgumentParser:
    """Adds what is asked wherever drawn people are measured; `other`: the method to compare."""
    made.add_argument(
        "--people",
        nargs="+",
        default=[],
        metavar="N or NAME",
        help="the first so many, or these; default: all",
    )
    made.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="of the training; default: its own",
    )
    made.add_argument(
        "--pictures",
        type=named_path,
        metavar="DIR",
        help=f"also write sheets there: truth, {other}, trained; heads enlarged",
    )
    add_debug(made)
    return made


def require_steps(options: argparse.Namespace) -> None:
    """Raises `SvadError` for a training of no steps."""
    if options.steps is not None and options.steps < 1:
        raise SvadError(f"Training takes at least one step, not {options.steps}.")


def run(
    options: argparse.Namespace,
    stop: threading.Event,
    screen: Screen,
    with_methods: Callable[[str, int | None], Methods] = methods,
) -> int:
    """Measures every person; raises `SvadError` for options and people that do not work."""
    if options.count < LEAST_FRAMES or options.size < SMALLEST:
        raise SvadError(
            f"At least {LEAST_FRAMES} frames of {SMALLEST} px are needed, "
            f"not {options.count} of {options.size} px."
        )
    require_steps(options)
    from svad.evaluate.synthetic import mean, measure
    from svad.evaluate.table import sheet, table
    from svad.evaluate.truth import chosen, drawn
    from svad.media.images import save_jpg

    names = chosen(options.people)
    how, distance = with_methods(options.frames, options.steps), lpips()
    rows = []
    for place, name in enumerate(names, 1):
        report = reporting(screen, stop, name, f"{place}/{len(names)}")
        truth = drawn(name, options.count, options.size, report)
        found = list(
            printed(measure(truth, options.frames, how, distance, report, options.seed), screen)
        )
        rows += [one.row for one in found]
        if options.pictures is not None:
            path = options.pictures / f"{name}-{options.frames}.jpg"
            save_jpg(path, sheet(truth, found))
    rows.append(mean(rows))
    screen.say(table(rows))
    print(json.dumps(rows[-1].line()), flush=True)
    return OK


def printed(measured: Iterator[AnyMeasured], screen: Screen) -> Iterator[AnyMeasured]:
    """What is measured, each row a line on the output as soon as it is known."""
    for one in measured:
        screen.end()  # on a terminal the line would stand behind the bar
        print(json.dumps(one.row.line()), flush=True)
        yield one


def lpips() -> Distance | None:
    """LPIPS of two pictures; None where its files are not here."""
    from svad.learn.lpips import picture_distance

    try:
        return picture_distance()
    except MissingFile:
        return None


def reporting(screen: Screen, stop: threading.Event, name: str, place: str) -> Report:
    """A report that draws one bar for all that is done about a person or a clip."""
    return one_bar(screen, stop, name, f"{place} {name}", shared=True)
