"""The command line: photos or a clip in, an avatar folder out; videos of a finished avatar."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

from svad.core.startup import check_python, prepare

check_python()  # before anything that an older Python would stumble over
prepare()

from svad.config import (  # noqa: E402
    BODIES,
    BUILT_IN,
    CLIP,
    PHOTO_PRESETS,
    PRESETS,
    PREVIEW,
    Preset,
    SettingError,
    changed,
    with_video,
)
from svad.core.arguments import add_output_folder, named_path, whole_number  # noqa: E402
from svad.core.errors import JobError, Stopped, SvadError  # noqa: E402
from svad.core.files import plain, require_writable  # noqa: E402
from svad.run.bars import Bars  # noqa: E402
from svad.types import Report, StageState  # noqa: E402

Command = Callable[[argparse.Namespace, threading.Event], int]
OK, BROKEN, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
USAGE = """\
python -m svad PHOTO -o OUT [--preset NAME] [--body NAME] [--views N] [--size PX] [--seed N]
       python -m svad CLIP -o OUT [--holdout N]
       python -m svad PHOTO PHOTO [PHOTO [PHOTO]] -o OUT
       python -m svad animate OUT --motion NAME -o VIDEO.mp4 [--camera NAME] [--size PX] [--fps N]
       python -m svad animate OUT --motion NAME -o VIDEO.webm|FRAMES.zip --background transparent
       python -m svad animate OUT --motion NAME -o PICTURE.png [--frame N] [--background WHAT]
       python -m svad animate OUT --motion CLIP|MOTION -o VIDEO.mp4
       python -m svad animate OUT --motion NAME|CLIP|MOTION -o MOTION.bvh|.npz|.vrma
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0, 1 a defect, 2 bad input, 130 interrupted."""
    _prepare_streams()
    command, options = parse(list(sys.argv[1:] if argv is None else argv))
    stop = threading.Event()
    try:
        with _interrupts(stop):
            _require_here()
            code = command(options, stop)
            _flush()
            return code
    except (Stopped, KeyboardInterrupt):
        print("Stopped. What was finished is kept: the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    except SvadError as error:
        print(f"svad: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output has left
        return OK
    except Exception as error:
        told = plain(error) if isinstance(error, OSError) else None
        if told is not None and not options.debug:
            print(f"svad: {told}", file=sys.stderr)
            return BAD_INPUT
        if options.debug:
            raise
        print(
            f"svad: something went wrong that should not have ({type(error).__name__}: {error}). "
            "Run the same command with --debug to see where.",
            file=sys.stderr,
        )
        return BROKEN


def _prepare_streams() -> None:
    """Somewhere to write, whatever was closed; letters a terminal does not know are written out."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _require_here() -> None:
    """Raises `JobError` where the folder this was started in is gone, or may not be entered."""
    try:
        os.getcwd()
    except OSError as error:
        raise JobError(
            f"The current folder cannot be found ({error.strerror}). Change into another one."
        ) from error


def _flush() -> None:
    """Writes out what was printed; raises OSError where that cannot be, and then only once."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise


def parse(arguments: list[str]) -> tuple[Command, argparse.Namespace]:
    """The command that the arguments name, and its options; bad ones end the program (argparse)."""
    if arguments[:1] == ["animate"]:
        return _animate, _animate_parser().parse_args(arguments[1:])
    if arguments[:1] == ["track"]:
        return _track, _track_parser().parse_args(arguments[1:])
    if arguments[:1] == ["drive"]:
        return _drive, _drive_parser().parse_args(arguments[1:])
    if (found := _module_of(arguments)) is not None:
        module, rest = found
        return partial(_run_module, module), module.parser().parse_args(rest)
    return _create, _create_parser().parse_args(arguments)


def _module_of(arguments: list[str]) -> tuple[ModuleType, list[str]] | None:
    """The module of a command that has one of its own, and the arguments that follow its name."""
    word, *rest = [*arguments, ""]
    if word == "weights":
        from svad.weights import command
    elif word == "deploy":
        from svad.deploy import command
    elif word == "import":
        from svad.run import adopt_command as command
    elif word == "batch":
        from svad.run.batch import command
    elif word == "export":
        from svad.run import export_command as command
    elif word == "evaluate" and rest[0] == "filmed":
        from svad.evaluate import filmed_command as command
    elif word == "evaluate" and rest[0] == "looks":
        from svad.evaluate import looks_command as command
    elif word == "evaluate" and rest[0] == "clip":
        from svad.evaluate import clip as command
    elif word == "evaluate":
        from svad.evaluate import command
    else:
        return None
    own = word == "evaluate" and rest[0] in ("filmed", "looks", "clip")
    return command, arguments[2 if own else 1 :]


def _run_module(module: ModuleType, options: argparse.Namespace, stop: threading.Event) -> int:
    return module.run(options, stop, Bars(sys.stderr))


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m svad",
        usage=USAGE,
        description="Makes an animatable 3D avatar from one photo of a person, from several, or "
        "from a clip.",
        epilog="`python -m svad animate --help` tells about videos of a finished avatar, "
        "`python -m svad import --help` about avatars trained elsewhere, `python -m svad export "
        "--help` about files for other programs, `python -m svad weights --help` about pretrained "
        "files.",
    )
    parser.add_argument(
        "pictures",
        nargs="+",
        type=named_path,
        metavar="PHOTO",
        help="a JPEG, PNG, WebP or HEIC file; or two to four of the same person from several "
        "sides; or one clip (.mp4, .mov, .webm ...) of somebody turning around",
    )
    add_output_folder(parser)
    parser.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        metavar="NAME",
        help=f"{', '.join(sorted(PHOTO_PRESETS))}; default: {PREVIEW.name}; "
        f"{' and '.join(with_video())} need a GPU and pretrained files. A clip or several photos "
        f"take a preset of their own, {CLIP.name}",
    )
    parser.add_argument(
        "--holdout",
        type=whole_number(2, 1000),
        metavar="N",
        help="of a clip: every N-th frame is kept from the training, and the avatar is compared "
        "with it (OUT/holdout)",
    )
    parser.add_argument(
        "--body",
        choices=BODIES,
        default=BUILT_IN,
        help="default: the built-in body; the others want your own SMPL-X file in the folder that "
        "SVAD_WEIGHTS names, and its terms (non-commercial) then cover the avatar, too",
    )
    parser.add_argument(
        "--views",
        type=whole_number(0, 360),
        default=0,
        metavar="N",
        help="also write N still views around the person, and three poses",
    )
    parser.add_argument(
        "--size",
        type=whole_number(128, 2048),
        metavar="PX",
        help="height of the person in pixels to work at (default 640; never enlarged)",
    )
    parser.add_argument("--seed", type=whole_number(0, 2**31 - 1), default=0, metavar="N")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STAGE.FIELD=VALUE",
        help="change a setting of the preset, such as diffusion.frames=48 (svad/config.py)",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def _animate_parser() -> argparse.ArgumentParser:
    from svad.media.shot import CAMERAS
    from svad.motion.authored import authored
    from svad.motion.readers.formats import SUFFIXES
    from svad.motion.standing import STAND

    parser = argparse.ArgumentParser(
        prog="python -m svad animate",
        description="Writes a video of a finished avatar in motion, a picture of it, or that "
        "motion on its skeleton (.bvh, .npz, .vrma).",
    )
    parser.add_argument(
        "folder",
        type=named_path,
        metavar="OUT",
        help="folder of a finished avatar, or its avatar.zip, packed or unpacked",
    )
    parser.add_argument(
        "--motion",
        required=True,
        metavar="NAME",
        help=f"{', '.join(authored())}; {STAND}; or a clip in which somebody moves; or a "
        f"file of a motion ({', '.join(SUFFIXES)}) or a folder of SMPL-X parameters",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=named_path,
        required=True,
        metavar="VIDEO.mp4",
        help="a video (.mp4, .webm); its frames as pictures (.zip); one of them (.png); or with "
        "the ending .bvh, .npz or .vrma the motion itself",
    )
    parser.add_argument(
        "--camera", "--view", default="front", metavar="NAME",
        help=f"{', '.join(CAMERAS)} (default front; side is the person's left)",
    )  # fmt: skip
    parser.add_argument(
        "--background", default="studio", metavar="WHAT",
        help="studio, transparent (.webm, .zip, .png), a colour (white, #20a040) or a picture's "
        "file; default studio",
    )  # fmt: skip
    parser.add_argument(
        "--size", "--height", dest="height", type=whole_number(64, 2160), default=720, metavar="PX",
        help="height of the picture (default 720)",
    )  # fmt: skip
    parser.add_argument(
        "--fps", type=whole_number(1, 120), metavar="N",
        help="frames a second (default: those of the motion)",
    )  # fmt: skip
    parser.add_argument(
        "--frame", type=whole_number(0, 1_000_000), metavar="N",
        help="of a .png: which frame, the first is 0 (default: the middle one)",
    )  # fmt: skip
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def _track_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m svad track",
        description="Keeps the motion of the person in a clip for `animate` and other programs: "
        "as .npz with SMPL-X names, or as .bvh with Mixamo's.",
    )
    parser.add_argument(
        "clip",
        type=named_path,
        metavar="CLIP",
        help="a video of one moving person; or a file of a motion, which is written anew",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=named_path,
        required=True,
        metavar="MOTION",
        help="an .npz or .bvh file",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def _drive_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m svad drive",
        description="Writes a video of the person of a photo in the movements of a clip. "
        "Needs the video model's files and a GPU.",
    )
    parser.add_argument(
        "photo", type=named_path, metavar="PHOTO", help="a JPEG, PNG, WebP or HEIC file"
    )
    parser.add_argument(
        "clip", type=named_path, metavar="CLIP", help="a video of one moving person"
    )
    parser.add_argument("-o", "--output", type=named_path, required=True, metavar="VIDEO.mp4")
    parser.add_argument("--preset", choices=with_video(), default=with_video()[0])
    parser.add_argument("--seed", type=whole_number(0, 2**31 - 1), default=0, metavar="N")
    parser.add_argument("--set", action="append", default=[], metavar="STAGE.FIELD=VALUE")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def _create(options: argparse.Namespace, stop: threading.Event) -> int:
    from svad.run.jobs import read_card
    from svad.run.pipeline import Pipeline

    bars = Bars(sys.stderr)
    try:
        result = Pipeline(_preset(options)).run(
            options.pictures, options.output, listener=bars.show, stop=stop, say=bars.say
        )
    finally:
        bars.end()
    for warning in read_card(options.output)["warnings"]:
        bars.say(f"Note: {warning}")
    print(result.archive.parent)
    return OK


def _drive(options: argparse.Namespace, stop: threading.Event) -> int:
    from svad.run.pipeline import drive

    preset = _with_settings(replace(PRESETS[options.preset], seed=options.seed), options.set)
    return _video(
        options.output, options.clip.name, stop,
        lambda report, _: drive(options.photo, options.clip, options.output, preset, report),
    )  # fmt: skip


def _animate(options: argparse.Namespace, stop: threading.Event) -> int:
    from svad.media.shot import Shot
    from svad.motion.authored import authored
    from svad.run.motions import PLAYED
    from svad.run.pipeline import clip_motion, motion_video

    shot = Shot(
        height=options.height, camera=options.camera, background=options.background,
        fps=options.fps, frame=options.frame,
    )  # fmt: skip
    given = Path(options.motion)
    own = options.motion not in authored() and (given.suffix != "" or given.is_dir())
    name = given.name

    def make(report: Report, say: Callable[[str], None]) -> Path:
        if own:
            return clip_motion(
                options.folder, given, options.output, report=report, shot=shot, say=say
            )
        return motion_video(
            options.folder, options.motion, options.output, report=report, shot=shot
        )

    data = options.output.suffix.lower() in PLAYED
    if not data:
        shot.require_valid(options.output)
    require_writable(options.output)
    kind, title = ("track", "Motion") if data else ("video", "Video")
    return _watched(kind, f"{title}: {name}", stop, make)


def _track(options: argparse.Namespace, stop: threading.Event) -> int:
    from svad.run.motions import require_kept
    from svad.run.pipeline import track

    require_kept(options.output)
    require_writable(options.output)
    return _watched(
        "track", f"Motion: {options.clip.name}", stop,
        lambda report, say: track(options.clip, options.output, report, say=say),
    )  # fmt: skip


Make = Callable[[Report, Callable[[str], None]], Path]
"""`make(report, say)`: writes a file and returns its path."""


def _video(output: Path, name: str, stop: threading.Event, make: Make) -> int:
    """Makes a video behind one bar."""
    if output.suffix.lower() != ".mp4":
        raise JobError(f"The video is an .mp4 file; {output.name} has another ending.")
    require_writable(output)
    return _watched("video", f"Video: {name}", stop, make)


def _watched(kind: str, title: str, stop: threading.Event, make: Make) -> int:
    """Makes a file behind one bar."""
    bars = Bars(sys.stderr)
    begun = time.monotonic()

    def report(done: int, total: int, note: str, picture: object = None) -> None:
        if stop.is_set():
            raise Stopped("Stopped.")
        state = "done" if done >= total else "running"
        seconds = time.monotonic() - begun
        left = seconds / done * (total - done) if done else None
        bars.show((StageState(kind, title, state, done, total, note, seconds, left, None),))

    try:
        path = make(report, bars.say)
    finally:
        bars.end()
    print(path)
    return OK


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
    return _with_settings(preset, options.set)


def _with_settings(preset: Preset, settings: Sequence[str]) -> Preset:
    for setting in settings:
        preset = changed(preset, setting)
    return preset


@contextmanager
def _interrupts(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C asks the run to stop; a second one ends it at once."""

    def ask(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    before = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
