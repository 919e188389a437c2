"""Frames to an .mp4 that every browser plays or a .webm, and what such a file says of itself."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from svad.core.errors import MissingFile, OutputError, SvadError
from svad.core.files import writing
from svad.core.given import require_file
from svad.media.boxes import box_names

# RGB is turned into BT.709, and the file says so: players would otherwise guess by the height.
COLOR = (
    *("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"),
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
    *("-color_range", "tv"),
)

VP9 = "libvpx-vp9"
OWN_FFMPEG = "IMAGEIO_FFMPEG_EXE"  # names an ffmpeg of the person's own

# In the file's metadata, where players and platforms show it: nothing written here was filmed.
SYNTHETIC = "Synthetic media: a computer-generated person, drawn by SVAD. Not a recording."


class VideoError(SvadError):
    """A file is no video that can be read."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself."""

    codec: str
    pixel_format: str
    width: int
    height: int
    frames: int
    fps: float
    faststart: bool  # the index stands before the pictures, so that playing starts at once


def write_mp4(
    path: Path,
    frames: Iterable[np.ndarray],  # each [H, W, 3] uint8 RGB, all of one size
    fps: float = 24.0,
    crf: int = 18,  # x264's quality: 18 looks lossless, + 6 halves the size
) -> None:
    """Writes H.264, yuv420p, index first, atomically; the file says that it is synthetic.

    yuv420p needs even sizes; an odd one gets its last row or column doubled. Raises `OutputError`
    when the file cannot be written, `MissingFile` without ffmpeg, `ValueError` without frames.
    """
    codec = ("-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-movflags", "+faststart")
    _write(Path(path), frames, fps, (*COLOR, *codec), "mp4")


def write_webm(
    path: Path,
    frames: Iterable[np.ndarray],  # each [H, W, 3] RGB or [H, W, 4] RGBA straight, uint8, all alike
    fps: float = 24.0,
    crf: int = 24,  # libvpx's quality
) -> None:
    """Writes VP9, with the alpha of frames that have one, atomically; otherwise as `write_mp4`.

    Chromium, Firefox, OBS and editors show what is transparent as such. Raises `MissingFile` where
    ffmpeg was built without libvpx.
    """
    if not _has_encoder(VP9):
        raise MissingFile(
            "libvpx",
            "an ffmpeg that was built with it, as the Python package imageio-ffmpeg brings it",
            "BSD-3-Clause",
            "Unset IMAGEIO_FFMPEG_EXE, or write an .mp4, or a .zip of pictures.",
        )
    codec = (
        *("-c:v", VP9, "-crf", str(crf), "-b:v", "0", "-deadline", "good", "-cpu-used", "5"),
        *("-row-mt", "1", "-auto-alt-ref", "0"),  # frames that are not shown cannot have an alpha
    )
    _write(Path(path), frames, fps, (*COLOR, *codec), "webm")


def _write(
    path: Path, frames: Iterable[np.ndarray], fps: float, codec: tuple[str, ...], container: str
) -> None:
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("a video needs at least one frame")
    height, width, channels = _even(first).shape
    raw, coded = {3: ("rgb24", "yuv420p"), 4: ("rgba", "yuva420p")}[channels]
    command = [
        *(ffmpeg_path(), "-y", "-nostdin", "-loglevel", "error"),
        *("-f", "rawvideo", "-pix_fmt", raw, "-s", f"{width}x{height}", "-r", str(fps)),
        *("-i", "-", "-an", *(word.replace("yuv420p", coded) for word in codec)),
        *("-metadata", f"comment={SYNTHETIC}", "-f", container),
    ]
    with writing(path) as temporary:
        shape = (height, width, channels)
        _encode([*command, f"file:{temporary.absolute()}"], itertools.chain([first], frames), shape)


def read_frames(
    path: Path,
    limit: int,  # frames
) -> tuple[list[np.ndarray], float]:  # each [H, W, 3] uint8 RGB; frames per second
    """The first frames of a video; raises `VideoError` where there is none."""
    import imageio.v3 as iio

    require_file(Path(path), VideoError)
    try:
        fps = float(iio.immeta(path, plugin="FFMPEG").get("fps") or 25.0)
        frames = list(itertools.islice(iio.imiter(path, plugin="FFMPEG"), limit))
    except (OSError, ValueError, RuntimeError, IndexError) as error:
        raise VideoError(
            f"{Path(path).name} cannot be read as a video. Use an .mp4, .mov or .webm file."
        ) from error
    if not frames:
        raise VideoError(f"{Path(path).name} holds no frames. Use another video.")
    return frames, fps


def probe(path: Path) -> VideoInfo:
    """Reads the header of a video; raises `ValueError` if there is no video in it."""
    # `-f null` decodes all frames, which is the only way to count them that needs no ffprobe.
    command = [ffmpeg_path(), "-nostdin", "-hide_banner", "-i"]
    command += [f"file:{Path(path).absolute()}", "-f", "null", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    stream = re.search(r"Video: (\w+).*?, (\w+)[(,].*? (\d+)x(\d+).*?, ([\d.]+) fps", text)
    counts = re.findall(r"frame=\s*(\d+)", text)
    if stream is None or not counts:
        raise ValueError(f"there is no video in {Path(path).name}")
    codec, pixels, width, height, fps = stream.groups()
    boxes = box_names(Path(path))
    faststart = "moov" in boxes and boxes.index("moov") < boxes.index("mdat")
    return VideoInfo(codec, pixels, int(width), int(height), int(counts[-1]), float(fps), faststart)


def ffmpeg_path() -> str:
    """The path of the ffmpeg that comes with imageio-ffmpeg; raises `MissingFile` without one."""
    import imageio_ffmpeg

    own = os.environ.get(OWN_FFMPEG, "")
    missing = MissingFile(
        f"{own} (named by {OWN_FFMPEG})" if own else "ffmpeg",
        "the Python package imageio-ffmpeg",
        "LGPL or GPL",
        f"Run `make setup` again, or install ffmpeg and set {OWN_FFMPEG} to its path.",
    )
    if own and shutil.which(own) is None:
        raise missing
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise missing from error


@cache
def _has_encoder(name: str) -> bool:
    """Whether this ffmpeg was built with an encoder; one set by hand may have fewer."""
    command = [ffmpeg_path(), "-hide_banner", "-encoders"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return f" {name} " in told


def _even(frame: np.ndarray) -> np.ndarray:
    odd_rows, odd_columns = frame.shape[0] % 2, frame.shape[1] % 2
    if not (odd_rows or odd_columns):
        return frame
    return np.pad(frame, ((0, odd_rows), (0, odd_columns), (0, 0)), mode="edge")


def _encode(command: list[str], frames: Iterable[np.ndarray], shape: tuple[int, int, int]) -> None:
    """Feeds the frames to ffmpeg; whatever goes wrong, no process is left behind."""
    with tempfile.TemporaryFile() as log:  # a pipe for messages could fill up and block
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
        try:
            assert process.stdin is not None
            for frame in frames:
                frame = _even(frame)
                if frame.shape != shape or frame.dtype != np.uint8:
                    raise ValueError(f"frames must be uint8 {shape}, one is {frame.shape}")
                process.stdin.write(np.ascontiguousarray(frame).data)
            process.stdin.close()
        except BrokenPipeError:
            pass  # ffmpeg ended early; its exit code and message tell why
        except BaseException:
            process.kill()
            raise
        finally:
            code = process.wait()
        if code != 0:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines() or ["no message"]
            raise OutputError(
                f"The video could not be written ({lines[-1].strip()}). If the disk is full, free "
                "some space and start again: what is finished is kept."
            )
