"""Clips of the example people as a phone films them: `python -m tools.truth.clips ada -o FOLDER`.

Everything is known of them: poses, cameras, exact mattes, the side that is seen. Drawn once, then
kept in the cache; FOLDER gets `clip.mp4` and what `svad.evaluate.filmed` reads.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from svad.core.errors import JobError, SvadError
from svad.core.files import write_bytes
from svad.core.places import cache_folder
from svad.core.startup import prepare
from svad.evaluate.filmed import CLIP, MATTE, PHOTO, RGB, TRUTH, Filmed, packed, read_filmed
from svad.media.images import save_jpg, save_png
from svad.media.video import write_mp4
from tools.examples.people import PEOPLE
from tools.truth.acting import MOTIONS
from tools.truth.filming import PAIR, Drawn, Shot, drawn, shot
from tools.truth.kept import BUILDERS, kept_person, key

SIZE, PHOTO_SIZE = (540, 720), (768, 1024)  # px, width and height: a phone held upright
KINDS = (*MOTIONS, PAIR)
QUALITY = 23  # crf: what phones' encoders come to at this size
DRAWERS = (
    *(f"tools/truth/{part}.py" for part in ("acting", "filming", "handheld", "plain", "room")),
    *("svad/motion/rig.py", "svad/motion/gestures.py", "tools/examples/raster.py"),
    *(f"svad/motion/authored/{motion}.py" for motion in MOTIONS),
)

Tell = Callable[[int, int, str], None]
"""`tell(done, total, note)`."""


def clip(
    name: str,
    motion: str,  # one of `KINDS`
    kept: Path,  # folder of the cache
    tell: Tell,
    size: tuple[int, int] | None = None,  # px, width and height; None = as usual
    seconds: float | None = None,  # of a turn; None = its own
    jobs: int = 1,  # processes that draw
) -> Filmed:
    """A clip of a person, from the cache if the same code drew it before.

    Raises `SvadError` for a person or a motion that is not there.
    """
    for word, known in ((name, tuple(PEOPLE)), (motion, KINDS)):
        if word not in known:
            raise SvadError(f"There is no {word} here. Choose from: {', '.join(known)}.")
    size = size or (PHOTO_SIZE if motion == PAIR else SIZE)
    mark = key((*BUILDERS, *DRAWERS), name, motion, size, seconds)
    folder = kept / "clips" / f"{name}-{motion}-{mark}"
    try:
        return read_filmed(folder)
    except JobError:  # not drawn yet, or not to its end
        tell(0, 1, f"building {name}")
        planned = planned_shot(name, motion, kept, size, seconds)
        frames = _frames(name, motion, kept, size, seconds, jobs)
        _whole(planned, frames, folder, tell)
        return read_filmed(folder)


@cache
def planned_shot(
    name: str, motion: str, kept: Path, size: tuple[int, int], seconds: float | None
) -> Shot:
    """What a clip is drawn from; each person has a room, a lens and a way of moving."""
    return shot(kept_person(name, kept), motion, *size, tuple(PEOPLE).index(name), seconds)


def _frames(
    name: str,
    motion: str,
    kept: Path,
    size: tuple[int, int],
    seconds: float | None,
    jobs: int,
) -> Iterator[Drawn]:
    """All frames in order; with more than one job each process plans the shot for itself."""
    arguments = (name, motion, kept, size, seconds)
    count = len(planned_shot(*arguments).cameras)
    if jobs == 1:
        yield from (drawn(planned_shot(*arguments), place) for place in range(count))
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start_worker) as pool:
        yield from pool.map(_frame, *zip(*((arguments, i) for i in range(count)), strict=True))


def _start_worker() -> None:
    prepare()
    import torch

    torch.set_num_threads(1)


def _frame(arguments: tuple, place: int) -> Drawn:
    return drawn(planned_shot(*arguments), place)


def _whole(planned: Shot, frames: Iterator[Drawn], folder: Path, tell: Tell) -> None:
    """Writes a clip beside its place, then moves it there: the folder is whole or absent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        write(planned, frames, made, tell)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write(planned: Shot, frames: Iterator[Drawn], folder: Path, tell: Tell) -> Filmed:
    """Writes clip, pictures and truth of a shot into a folder."""
    total = len(planned.cameras)

    def filmed() -> Iterator[np.ndarray]:
        for place, one in enumerate(frames):
            save_png(folder / RGB.format(place), one.rgb)
            save_png(folder / MATTE.format(place), one.matte)
            tell(place + 1, total, f"frame {place + 1} of {total}")
            yield one.filmed

    if planned.act.fps:
        write_mp4(folder / CLIP, filmed(), planned.act.fps, QUALITY)
    else:
        for place, photo in enumerate(filmed()):
            save_jpg(folder / PHOTO.format(place), photo)
    truth = Filmed(
        folder=folder,
        fps=planned.act.fps,
        poses=planned.act.middles,
        cameras=planned.cameras,
        joints=planned.person.joints,
        parents=planned.person.parents,
        yaw=planned.yaw,
        gain=planned.gain,
        blurred=planned.blurred,
    )
    write_bytes(folder / TRUTH, save(packed(truth)))
    return truth


def main() -> int:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=tuple(PEOPLE), metavar="NAME")
    parser.add_argument("--motion", choices=KINDS, default=KINDS[0])
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--size", type=int, nargs=2, metavar="PX", help="width and height")
    parser.add_argument("--seconds", type=float, help="of a turn; default: 8")
    parser.add_argument("--jobs", type=int, default=1, help="processes that draw")
    options = parser.parse_args()
    prepare()
    kept = cache_folder(os.environ) / "truth"
    for name in options.names:
        size = tuple(options.size) if options.size else None
        seconds, motion = options.seconds, options.motion
        found = clip(name, motion, kept, _told, size, seconds, options.jobs)
        target = options.output / f"{name}_{motion}"
        shutil.copytree(found.folder, target, dirs_exist_ok=True)
        print(f"\n{target}: {len(found.cameras)} frames")
    return 0


def _told(done: int, total: int, note: str) -> None:
    print(f"\r{note}      ", end="", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
