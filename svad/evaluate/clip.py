"""`python -m svad evaluate clip`: a finished avatar, frozen, against a clip of the person."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from svad.config.footage import FootageConfig
from svad.config.preset import BUILT_IN, Preset
from svad.config.presets import CLIP
from svad.core.errors import JobError, SourceError
from svad.evaluate.command import reporting
from svad.run.card import read_card
from svad.run.holdout import KINDS, TABLE, measure
from svad.run.results import load_avatar
from svad.run.sources import read_source
from svad.run.stages import Maker, stage_makers
from svad.storage import load
from svad.terminal.arguments import add_debug, named_path
from svad.terminal.codes import OK
from svad.terminal.screen import Screen
from svad.types import PHOTO_WEIGHT, Avatar, Clip, Subject

FRAMES = FootageConfig().frames
FOLDER = "evaluation"  # in the avatar's
LEAST_FRAMES = 2


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad evaluate clip",
        description="Draws a finished avatar in the frames of a clip of the same person, its poses "
        "as they are tracked and refined against the frames, and measures how alike they are. The "
        "avatar learns nothing from the clip. Pictures and holdout.json go to a folder; the means "
        "go to the output as a JSON line.",
    )
    made.add_argument("folder", type=named_path, metavar="OUT", help="folder of a finished avatar")
    made.add_argument(
        "--truth", type=named_path, required=True, metavar="CLIP", help="the person, turning around"
    )
    made.add_argument(
        "--frames", type=int, default=FRAMES, metavar="N", help="of the clip; default: %(default)s"
    )
    made.add_argument(
        "-o", "--output", type=named_path, metavar="DIR", help=f"default: OUT/{FOLDER}"
    )
    add_debug(made)
    return made


def run(
    options: argparse.Namespace,
    stop: threading.Event,
    screen: Screen,
    with_stages: Callable[[Preset], Mapping[str, Maker]] = stage_makers,
) -> int:
    """Measures one avatar; raises `SvadError` for a folder or a clip that does not work."""
    if options.frames < LEAST_FRAMES:
        raise SourceError(f"At least {LEAST_FRAMES} frames are needed, not {options.frames}.")
    avatar, subject, body = _finished(options.folder)
    source = read_source(options.truth)
    if source.clip is None:
        raise SourceError(f"{options.truth.name} is a photo; --truth takes a clip of the person.")
    assert CLIP.footage is not None
    preset = replace(CLIP, body=body, footage=replace(CLIP.footage, frames=options.frames))
    made = with_stages(preset)
    footage = made["footage"]().run(source, reporting(screen, stop, "Frames", "1/3"))
    if len(footage.rgb) < LEAST_FRAMES:
        raise SourceError(
            "Nobody turns around in the clip: there is nothing in it that one photo does not show."
        )
    told = reporting(screen, stop, "Tracking", "2/3")
    film = made["film"]().run(subject, footage, _as_clip(subject, avatar), told)
    avatar = film.start or avatar  # bound to the stance of the clip, as the film's poses are
    folder = options.output or options.folder / FOLDER
    told = reporting(screen, stop, "Comparing", "3/3")
    rows = range(len(film.rgb))
    paths = measure(avatar, film, footage, rows, folder, made["refine"](), told)
    if not paths:
        raise SourceError("In no frame of the clip the person can be followed. Use another clip.")
    screen.end()
    found = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    means = {kind: found["mean"][kind] for kind in KINDS}
    print(json.dumps({"count": found["count"], **means}), flush=True)
    screen.say(f"Pictures and figures: {folder}")
    return OK


def _finished(folder: Path) -> tuple[Avatar, Subject, str]:
    """Avatar, subject and body of a job; raises `JobError`."""
    card = read_card(folder)
    avatar, kept = load_avatar(folder), folder / "stages" / "subject.safetensors"
    if not kept.exists():
        raise JobError(
            f"The avatar in {folder} was not made from a photo here, so the body by which a person "
            "is followed is not known."
        )
    body = (card.get("settings") or {}).get("body", BUILT_IN)
    return avatar, load(Subject, kept), body


def _as_clip(subject: Subject, avatar: Avatar) -> Clip:
    """The photo as a clip of one frame: what tracking starts from."""
    return Clip(
        rgb=subject.photo.rgb[None],
        matte=subject.matte[None],
        poses=subject.body.pose,
        cameras=(subject.body.camera,),
        weight=np.full(1, PHOTO_WEIGHT, np.float32),
        yaw=np.zeros(1, np.float32),
        start=avatar,
    )
