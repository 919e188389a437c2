"""`python -m svad batch`: an avatar of every photo in a folder."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from svad.config.change import changed
from svad.config.limits import SEEDS
from svad.config.preset import Preset
from svad.config.presets import PHOTO_PRESETS, PREVIEW
from svad.core.errors import SettingError
from svad.run.batch.batch import Choose, batch
from svad.run.batch.cluster import Cluster
from svad.run.batch.hub import NEEDS, SENT, HubJobs, hub_api
from svad.run.batch.local import usual
from svad.run.batch.photos import PAGE
from svad.run.batch.rows import DONE
from svad.run.batch.work import BatchEngine
from svad.terminal.arguments import add_debug, add_output_folder, named_path, whole_number
from svad.terminal.screen import Screen

OK, SOME_FAILED = 0, 2
ENGINES = ("local", "ray", "hf-jobs")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad batch",
        description="Makes an avatar of every photo in a folder. What is finished is kept: the "
        "same command goes on.",
        epilog="In OUT: a folder for each photo, results.jsonl with a line for each, a contact "
        "sheet (sheet.jpg) and a page of all (index.html). " + NEEDS.format(what="more"),
    )
    made.add_argument("photos", type=named_path, metavar="PHOTOS", help="a folder with photos")
    add_output_folder(made)
    made.add_argument(
        "--preset",
        choices=sorted(PHOTO_PRESETS),
        default=PREVIEW.name,
        metavar="NAME",
        help=f"{', '.join(PHOTO_PRESETS)}; default: {PREVIEW.name}",
    )
    made.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="processes on this machine (default), a Ray cluster that runs already, or Hugging "
        "Face Jobs",
    )
    made.add_argument(
        "--processes",
        type=whole_number(1, 1024),
        metavar="N",
        help="avatars made at once on this machine; default: as many as memory and processors "
        "allow",
    )
    made.add_argument("--seed", type=whole_number(*SEEDS), default=0, metavar="N")
    made.add_argument("--set", action="append", default=[], metavar="STAGE.FIELD=VALUE")
    made.add_argument("--image", metavar="IMAGE", help="hf-jobs: a Docker image, or a Space")
    made.add_argument("--bucket", metavar="ME/NAME", help="hf-jobs: a private bucket of yours")
    made.add_argument(
        "--flavor", default="cpu-upgrade", metavar="NAME", help="hf-jobs: the kind of machine"
    )
    made.add_argument(
        "--jobs", type=whole_number(1, 256), default=1, metavar="N", help="hf-jobs: how many"
    )
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0, or 2 where a photo failed."""
    preset = changed(replace(PHOTO_PRESETS[options.preset], seed=options.seed), *options.set)
    try:
        rows = batch(
            options.photos, options.output, preset, chooser(options, screen.say),
            listener=screen.show, stop=stop, say=screen.say,
        )  # fmt: skip
    finally:
        screen.end()
    failed = sum(row.state != DONE for row in rows)
    if failed:
        print(f"{failed} of {len(rows)} photos failed; {PAGE} says why.", file=sys.stderr)
    print(options.output / PAGE)
    return SOME_FAILED if failed else OK


def chooser(options: argparse.Namespace, say: Callable[[str], None]) -> Choose:
    """How the chosen engine is made; raises `SettingError` where something for it is missing."""
    if options.engine == "ray":
        return lambda preset, photos: Cluster(preset)
    if options.engine == "local":
        return lambda preset, photos: usual(preset, photos, options.processes)
    for name in ("image", "bucket"):
        if not getattr(options, name):
            raise SettingError(NEEDS.format(what=f"--{name}"))
    return _on_hub(options, say)


def _on_hub(options: argparse.Namespace, say: Callable[[str], None]) -> Choose:
    settings = [word for setting in options.set for word in ("--set", setting)]
    words = ("--preset", options.preset, "--seed", str(options.seed), *settings)

    def choose(preset: Preset, photos: int) -> BatchEngine:
        api, jobs = hub_api(), min(options.jobs, photos)
        say(SENT.format(n=photos, bucket=options.bucket, jobs=jobs, flavor=options.flavor))
        return HubJobs(
            image=options.image, bucket=options.bucket, flavor=options.flavor, jobs=options.jobs,
            options=words, api=api,
        )  # fmt: skip

    return choose
