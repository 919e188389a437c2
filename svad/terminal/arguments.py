"""Kinds of arguments of the command line; what does not fit is a sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def named_path(text: str) -> Path:
    """A path; raises `ArgumentTypeError` for an empty one, which would mean the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "the name is empty; give one, or a full stop for the current folder"
        )
    if "\0" in text:
        raise argparse.ArgumentTypeError("no name has a zero byte in it")
    return Path(text)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A whole number within limits; raises `ArgumentTypeError` when it is not."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            shown = text if len(text) <= 40 else f"{text[:40]}..."
            raise argparse.ArgumentTypeError(f"{shown} is not a whole number from {low} to {high}")
        return value

    return number


def add_output_folder(parser: argparse.ArgumentParser) -> None:
    """The option of commands that fill a folder."""
    parser.add_argument(
        "-o",
        "--output",
        type=named_path,
        required=True,
        metavar="OUT",
        help="folder for the results",
    )


def add_debug(parser: argparse.ArgumentParser) -> None:
    """The option of every command that shows a traceback instead of a sentence."""
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
