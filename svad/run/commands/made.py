"""What the commands that make an avatar say at their end."""

from __future__ import annotations

from pathlib import Path

from svad.terminal.codes import OK
from svad.terminal.screen import Screen
from svad.types import Result


def say_made(result: Result, folder: Path, screen: Screen) -> int:
    """Says what a person should know of the avatar, prints where it is; returns 0."""
    from svad.run.card import read_card
    from svad.run.holdout import said

    for warning in read_card(folder)["warnings"]:
        screen.say(f"Note: {warning}")
    if compared := said(folder):
        screen.say(compared)
    print(result.archive.parent)
    return OK
