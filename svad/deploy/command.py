"""`python -m svad deploy`: makes or updates a Space from this checkout."""

from __future__ import annotations

import argparse
import threading

from svad.config.presets import PRESETS
from svad.core.errors import Stopped
from svad.deploy.errors import NotAgreed
from svad.deploy.plan import HARDWARE, OWN, Wish, plan, told
from svad.deploy.space import deploy
from svad.terminal.arguments import add_debug
from svad.terminal.codes import OK
from svad.terminal.screen import Screen
from svad.weights.manifest import load_manifest

EPILOG = """\
HF_TOKEN has to be a token that may write. It stays here: the Space gets none. What goes up is this
program, its examples and its documents; nothing else that lies in the checkout does."""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad deploy",
        description="Makes a Space on the Hub from this checkout, or brings it up to date. Says "
        "first what it will do and what that costs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("space", metavar="NAME/NAME", help="such as me/my-space")
    made.add_argument(
        "--dry-run", action="store_true", help="say it only; wants no network and no token"
    )
    made.add_argument(
        "--fetch",
        choices=(*_with_files(), OWN),
        default="",
        help="the Space fetches this preset's files when it starts",
    )
    made.add_argument(
        "--accept-terms",
        action="store_true",
        help="you read and accept the terms of the files that ask for it",
    )
    made.add_argument(
        "--weights",
        default="",
        metavar="NAME/NAME",
        help="your private repository of files brought by hand (see `weights --push`)",
    )
    made.add_argument(
        "--hardware", default="", metavar="NAME", help=f"one of {', '.join(HARDWARE)}"
    )
    made.add_argument("--private", action="store_true", help="a new Space only you can see")
    made.add_argument("--yes", action="store_true", help="agree to hardware that costs money")
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    made = plan(wish_of(options))
    for line in told(made):
        screen.say(line)
    if options.dry_run:
        screen.say("Nothing was done (--dry-run).")
        return OK
    if made.dollars and not options.yes:
        raise NotAgreed(f"{options.hardware} costs money. Add --yes to agree; nothing was done.")
    if stop.is_set():
        raise Stopped("Stopped.")
    print(deploy(made, screen.say))
    return OK


def wish_of(options: argparse.Namespace) -> Wish:
    """What the options of the command ask for."""
    return Wish(
        repo=options.space,
        fetch=options.fetch,
        accepted=options.accept_terms,
        weights=options.weights,
        hardware=options.hardware,
        private=options.private,
    )


def _with_files() -> list[str]:
    """The presets that read pretrained files."""
    named = {preset for entry in load_manifest().values() for preset in entry.presets}
    return [name for name in PRESETS if name in named]
