"""The pictures that a visitor sent: how large they may be, and where they lie in the job folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from svad.core.errors import PhotoError, SourceError
from svad.core.files import writing
from svad.media.clips import is_clip
from svad.motion.readers.formats import is_motion
from svad.ui import texts
from svad.ui.engine import Settings

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
    """Copies what was sent into a job folder."""
    for n, file in enumerate(files, 1):
        with writing(folder / NAME.format(n=n)) as temporary:
            shutil.copyfile(file, temporary)


def kept(folder: Path) -> list[Path]:
    """What was sent for a job, in the order in which it came; nothing if it is not there."""
    return sorted(folder.glob(NAME.format(n="[0-9]")))
