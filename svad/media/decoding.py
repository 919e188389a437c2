"""A clip's frames out of an ffmpeg process, one at a time, at the size and rate asked for."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np

from svad.media.containers import INDEXED, ClipInfo, input_options
from svad.media.video import VideoError, ffmpeg_path

HDR = {"arib-std-b67", "smpte2084"}  # HLG and PQ, ITU-R BT.2100
# 203 cd/m2 is the white of a page in HDR (ITU-R BT.2408 section 2.1), and becomes ours; what is
# brighter, up to the 1000 that HLG is made for, is bent under it.
TO_SDR = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=mobius:param=0.7:peak=5:desat=0,zscale=t=iec61966-2-1:m=gbr:r=full,format=gbrp"
)
TURN = {0: [], 1: ["transpose=cclock"], 2: ["hflip", "vflip"], 3: ["transpose=clock"]}  # quarters
HD_ROWS = 720  # from here on, untagged colours are BT.709's, as players take them; else BT.601's
SEEK_MARGIN = 1.0  # seconds; frames are kept in another order than shown, by a few of them


def decode(
    path: Path,
    info: ClipInfo,
    rate: Fraction,  # frames per second
    height: int,  # px, at most; nothing is enlarged
    only: int | None = None,  # this frame alone, found by a seek where the container has an index
) -> Generator[np.ndarray, None, None]:  # each [h, w, 3] uint8 RGB
    """Frames number 0, 1, ... at the times number / rate from the clip's start.

    Of a variable rate, each time has the last frame that was shown by then, rounded to the
    nearest time, so that the same frames come on every read. When the generator is closed, ffmpeg
    ends at once. Raises `VideoError` if not one frame can be decoded, `MissingFile` without ffmpeg.
    """
    width, height = picture_size(info, height)
    channels = 4 if info.alpha else 3
    command = _command(Path(path), info, rate, (width, height), only)
    # messages are not read: of a damaged clip there may be any number
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    count = 0
    try:
        while (frame := _next(process.stdout, (height, width, channels))) is not None:
            count += 1
            yield _over_white(frame) if info.alpha else frame
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    if count == 0 and only is None:
        raise VideoError(
            f"The pictures of this clip ({info.codec}) cannot be read. Save it as .mp4 (H.264) "
            "and send that."
        )


def picture_size(info: ClipInfo, height: int) -> tuple[int, int]:
    """Width and height in px of the upright picture at most `height` px high."""
    height = min(height, info.height)
    return max(1, round(info.width * height / info.height)), height


def _command(
    path: Path, info: ClipInfo, rate: Fraction, size: tuple[int, int], only: int | None
) -> list[str]:
    seek: list[str] = []
    grid = f"fps={rate.numerator}/{rate.denominator}"
    start = 0.0 if only is None or info.container not in INDEXED else float(only / rate)
    if start > SEEK_MARGIN:
        # From the key frame before: without the frame before it, a gap could not be filled.
        seek = ["-noaccurate_seek", "-ss", f"{start - SEEK_MARGIN:.6f}"]
    else:
        grid += ":start_time=0"  # the pictures may begin later than the sound
    steps = [grid] if only is None else [grid, f"select=eq(pts\\,{only})"]
    return [
        *(ffmpeg_path(), "-nostdin", "-loglevel", "error"),
        *("-copyts", "-start_at_zero", *seek, *_decoder(info)),
        *(() if info.turns is None else ("-noautorotate",)),
        *input_options(path),
        *("-map", f"0:{info.stream}", "-vf", ",".join([*steps, *_to_rgb(info, size)])),
        *(() if only is None else ("-frames:v", "1")),
        *("-fps_mode", "passthrough", "-f", "rawvideo", "-"),
    ]


def _decoder(info: ClipInfo) -> tuple[str, ...]:
    # ffmpeg's own decoders of VP8 and VP9 leave out the transparency
    beside = info.alpha and info.codec in ("vp8", "vp9") and info.pixel_format.startswith("yuv4")
    return ("-c:v", "libvpx-vp9" if info.codec == "vp9" else "libvpx") if beside else ()


def _to_rgb(info: ClipInfo, size: tuple[int, int]) -> list[str]:
    """Filters from the decoder's pictures to upright 8-bit RGB of the given width and height."""
    # ffmpeg itself would turn them before they shrink, which takes as long as decoding in 4K.
    turn = TURN[info.turns or 0]
    columns, rows = size[::-1] if len(turn) == 1 else size
    scale = f"scale={columns}:{rows}:flags=area+accurate_rnd+full_chroma_int"
    if info.alpha:
        # Multiplied before it shrinks, or hidden colours would bleed out at the edges.
        return ["format=gbrap", "premultiply=inplace=1", scale, *turn, "format=rgba"]
    if info.transfer in HDR and _has_filter("zscale"):
        return [scale, TO_SDR, *turn, "format=rgb24"]
    if (
        not info.matrix
        and info.pixel_format.startswith("yuv")
        and min(info.width, info.height) >= HD_ROWS
    ):
        scale += ":in_color_matrix=bt709"
    return [scale, *turn, "format=rgb24"]


@cache
def _has_filter(name: str) -> bool:
    """Whether this ffmpeg was built with a filter; one set by hand may have fewer."""
    command = [ffmpeg_path(), "-hide_banner", "-filters"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return f" {name} " in told


def _next(pipe: IO[bytes], shape: tuple[int, int, int]) -> np.ndarray | None:
    """The next picture; None at the end, also if that cuts a picture."""
    frame = np.empty(shape, np.uint8)
    into = frame.data.cast("B")
    return frame if pipe.readinto(into) == len(into) else None  # type: ignore[attr-defined]


def _over_white(
    rgba: np.ndarray,  # [H, W, 4] uint8, multiplied by its alpha
) -> np.ndarray:  # [H, W, 3] uint8
    white = 255 - rgba[..., 3:]
    return np.minimum(rgba[..., :3], 255 - white) + white  # rounding may lift it over its alpha
