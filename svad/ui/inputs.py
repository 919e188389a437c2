"""The pictures that a visitor sent: how large they may be, and where they lie in the job folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from svad.core.errors import PhotoError, SourceError
from svad.core.files import writing
from svad.media.clips import is_clip
from svad.media.containers import VIDEO_SUFFIXES
from svad.media.images import save_png, with_alpha
from svad.media.opening import SUFFIXES as HEIF_SUFFIXES
from svad.media.private import copy_clip, tells_nothing
from svad.motion.readers.formats import is_motion
from svad.run.makers.builders import read_photo
from svad.ui import texts
from svad.ui.engine import Settings

# By name, too, since many browsers do not know the kind of these files.
VIDEOS = ["video", *sorted(VIDEO_SUFFIXES)]
PICTURES = ["image", *HEIF_SUFFIXES, ".avif", *VIDEOS]
NAME = "picture-{n}"  # in the job folder, whatever they were called


def require_small(files: Sequence[Path], settings: Settings) -> None:
    """Raises `PhotoError` or `SourceError` for a file above the limits of the page."""
    for file in files:
        size = file.stat().st_size / 1e6
        motion = is_motion(file)
        clip = motion or is_clip(file)
        limit = settings.clip_megabytes if clip else settings.upload_megabytes
        if size > limit:
            words = texts.TOO_LARGE_CLIP if clip else texts.TOO_LARGE
            words = texts.TOO_LARGE_MOTION if motion else words
            kind = SourceError if clip else PhotoError
            raise kind(words.format(size=f"{size:.0f}", limit=limit))


def keep(files: Sequence[Path], folder: Path) -> None:
    """Copies what was sent into a job folder, without what it tells of place, time and device.

    Of a photo its pixels are kept, upright, as it is used; of a clip its pictures.
    """
    for n, file in enumerate(files, 1):
        target = folder / NAME.format(n=n)
        if is_clip(file):
            with writing(target) as temporary:
                copy_clip(file, temporary)
        elif tells_nothing(file):
            with writing(target) as temporary:
                shutil.copyfile(file, temporary)
        else:
            photo = read_photo(file)
            save_png(target, with_alpha(photo.rgb, photo.alpha))


def kept(folder: Path) -> list[Path]:
    """What was sent for a job, in the order in which it came; nothing if it is not there."""
    return sorted(folder.glob(NAME.format(n="[0-9]")))
