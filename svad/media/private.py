"""Copies of what people send without what it tells of place, time and device."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from PIL import Image

from svad.media.containers import ClipInfo, clip_info, input_options
from svad.media.opening import DAMAGE, opened
from svad.media.video import VideoError, ffmpeg_path

# What the pictures of a container are put into: demuxer to muxer.
MUXERS = {
    **{name: name for name in ("mov", "matroska", "avi", "mpegts", "ogg", "nut", "asf", "flv")},
    "mpeg": "mov",  # it holds the same streams, and the muxers of its own kind name programs
}
BARE_FORMATS = ("JPEG", "PNG", "WEBP")
# What Pillow tells of a file that says how it is to be shown.
BARE = {
    *("jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "gamma", "srgb", "icc_profile"),
    *("transparency", "progressive", "progression", "aspect", "chromaticity", "interlace"),
}
SAME_SECONDS = 0.5  # that a copy may differ by: sound may last longer than the pictures
CAMCORDER = b"MDPM"  # before place, date and device between the pictures of H.264 (AVCHD)
UNITS = ("-bsf:v", "filter_units=remove_types=6")  # without what H.264 tells between its pictures
CHUNK = 1 << 22  # bytes
PATIENCE = 120.0  # seconds; nothing is encoded, so it is as fast as the disk


def tells_nothing(photo: Path) -> bool:
    """Whether a photo's file holds its pixels and how to show them, and surely nothing else."""
    try:
        with opened(photo, BARE_FORMATS) as image:
            if image.format == "PNG":
                image.load()  # texts may stand behind the pixels
            return not image.getexif() and set(image.info) <= BARE
    except (*DAMAGE, Image.DecompressionBombError):
        return False


def copy_clip(source: Path, target: Path) -> None:
    """The pictures of a clip as they are; its sound, places, dates and names stay behind.

    A clip whose container is not known to be copied whole is copied with all that is in it. Raises
    `VideoError` for what is no clip, `MissingFile` without ffmpeg, OSError where it cannot be
    written.
    """
    info = clip_info(source)
    if not _copied(source, target, info):
        shutil.copyfile(source, target)


def _copied(source: Path, target: Path, info: ClipInfo) -> bool:
    """Whether the pictures alone could be copied, and are found again as they were."""
    if info.container not in MUXERS:
        return False
    told = info.codec == "h264" and _holds(source, CAMCORDER)
    command = [
        *(ffmpeg_path(), "-y", "-nostdin", "-loglevel", "error", *input_options(source)),
        *("-map", f"0:{info.stream}", "-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"),
        *(UNITS if told else ()),
        *("-fflags", "+bitexact", "-f", MUXERS[info.container], str(target)),
    ]
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE)
        found = clip_info(target)
    except (subprocess.SubprocessError, VideoError):
        return False
    near = abs(found.seconds - info.seconds) <= SAME_SECONDS or found.seconds == info.seconds
    alike = replace(found, seconds=info.seconds, stream=info.stream, warnings=info.warnings)
    alike = replace(alike, fps=info.fps, container=info.container)
    return near and alike == info and abs(found.fps - info.fps) < 0.1


def _holds(path: Path, word: bytes) -> bool:
    """Whether some bytes are anywhere in a file."""
    before = b""
    with open(path, "rb") as file:
        while part := file.read(CHUNK):
            if word in before + part:
                return True
            before = part[1 - len(word) :]
    return False
