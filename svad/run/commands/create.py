"""`python -m svad PHOTO`: an avatar folder from photos or a clip; and the usage of all commands."""

from __future__ import annotations

import argparse
import threading
from dataclasses import replace

from svad.config.change import changed
from svad.config.limits import SEEDS
from svad.config.preset import BODIES, BUILT_IN, Preset
from svad.config.presets import CLIP, PHOTO_PRESETS, PRESETS, PREVIEW, with_video
from svad.core.errors import SettingError
from svad.run.commands.made import say_made
from svad.terminal.arguments import add_debug, add_output_folder, named_path, whole_number
from svad.terminal.screen import Screen

USAGE = """\
python -m svad PHOTO -o OUT [--preset NAME] [--body NAME] [--views N] [--size PX] [--seed N]
       python -m svad CLIP -o OUT [--holdout N]
       python -m svad PHOTO PHOTO [PHOTO [PHOTO]] -o OUT
       python -m svad animate OUT --motion NAME -o VIDEO.mp4 [--camera NAME] [--size PX] [--fps N]
       python -m svad animate OUT --motion NAME -o VIDEO.webm|FRAMES.zip --background transparent
       python -m svad animate OUT --motion NAME -o PICTURE.png [--frame N] [--background WHAT]
       python -m svad animate OUT --motion CLIP|MOTION -o VIDEO.mp4
       python -m svad animate OUT --motion NAME|CLIP|MOTION -o MOTION.bvh|.npz|.vrma
       python -m svad still OUT --pose turn=20,arms=40 --expression smile=1 -o PICTURE.png
       python -m svad track CLIP|MOTION -o MOTION.npz|MOTION.bvh
       python -m svad drive PHOTO CLIP -o VIDEO.mp4 [--preset NAME]
       python -m svad import SNAPSHOT.pth [--face-offset face_offset.json] -o OUT
       python -m svad export OUT|AVATAR.zip --format NAME [-o FILE] [--rig NAMES] [--motion FILE]
       python -m svad batch PHOTOS -o OUT [--preset NAME] [--engine local|ray|hf-jobs]
       python -m svad weights [--preset NAME] [--download] [--verify] [--push NAME/NAME]
       python -m svad deploy NAME/NAME [--dry-run]
       python -m svad evaluate synthetic [--frames KIND] [--people N or NAMES]
       python -m svad evaluate filmed [--motion NAME] [--people N or NAMES]
       python -m svad evaluate looks [--kinds KIND ...] [--people N or NAMES]
       python -m svad evaluate clip OUT --truth CLIP [--frames N] [-o DIR]"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad",
        usage=USAGE,
        description="Makes an animatable 3D avatar from one photo of a person, from several, or "
        "from a clip.",
        epilog="`python -m svad animate --help` tells about videos of a finished avatar, "
        "`python -m svad still --help` about pictures of it in a pose of your own, "
        "`python -m svad import --help` about avatars trained elsewhere, `python -m svad export "
        "--help` about files for other programs, `python -m svad weights --help` about pretrained "
        "files.",
    )
    made.add_argument(
        "pictures",
        nargs="+",
        type=named_path,
        metavar="PHOTO",
        help="a JPEG, PNG, WebP or HEIC file; or two to four of the same person from several "
        "sides; or one clip (.mp4, .mov, .webm ...) of somebody turning around",
    )
    add_output_folder(made)
    made.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        metavar="NAME",
        help=f"{', '.join(sorted(PHOTO_PRESETS))}; default: {PREVIEW.name}; "
        f"{' and '.join(with_video())} need a GPU and pretrained files. A clip or several photos "
        f"take a preset of their own, {CLIP.name}",
    )
    made.add_argument(
        "--holdout",
        type=whole_number(2, 1000),
        metavar="N",
        help="of a clip: every N-th frame is kept from the training, and the avatar is compared "
        "with it (OUT/holdout)",
    )
    made.add_argument(
        "--body",
        choices=BODIES,
        default=BUILT_IN,
        help="default: the built-in body; the others want your own SMPL-X file in the folder that "
        "SVAD_WEIGHTS names, and its terms (non-commercial) then cover the avatar, too",
    )
    made.add_argument(
        "--views",
        type=whole_number(0, 360),
        default=0,
        metavar="N",
        help="also write N still views around the person, and three poses",
    )
    made.add_argument(
        "--size",
        type=whole_number(128, 2048),
        metavar="PX",
        help="height of the person in pixels to work at (default 640; never enlarged)",
    )
    made.add_argument(
        "--seed",
        type=whole_number(*SEEDS),
        default=0,
        metavar="N",
        help="where the random numbers begin: the same one repeats a result (default 0)",
    )
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STAGE.FIELD=VALUE",
        help="change a setting of the preset, such as diffusion.frames=48 (svad/config)",
    )
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0."""
    from svad.run.pipeline import Pipeline

    try:
        result = Pipeline(_preset(options)).run(
            options.pictures, options.output, listener=screen.show, stop=stop, say=screen.say
        )
    finally:
        screen.end()
    return say_made(result, options.output, screen)


def _preset(options: argparse.Namespace) -> Preset:
    from svad.run.sources import preset_for

    preset = replace(preset_for(options.pictures, options.preset), seed=options.seed)
    if options.holdout:
        if preset.film is None:
            raise SettingError(
                "--holdout keeps frames of a clip from the training; of one photo there is none."
            )
        preset = replace(preset, film=replace(preset.film, holdout=options.holdout))
    package = replace(preset.package, views=options.views)
    subject = preset.subject
    if options.size:
        subject = replace(subject, person_height=options.size)
    preset = replace(preset, subject=subject, package=package, body=options.body)
    return changed(preset, *options.set)
