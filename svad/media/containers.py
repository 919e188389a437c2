"""What the file of a clip says of itself: size, length, rate and colours, before a decode.

ffmpeg's own report is read, since imageio-ffmpeg brings no ffprobe. Strangers' files are opened
with the demuxers of single files and the protocol `file` only: playlists and scripts, which name
other files or addresses, are refused.
"""

from __future__ import annotations

import math
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from svad.core.given import is_filled, require_file
from svad.media.boxes import is_cut, is_mirrored, is_mp4
from svad.media.opening import DAMAGE, opened
from svad.media.video import VideoError, ffmpeg_path

LEAST_SECONDS = 1.5  # nobody turns around in less
LONGEST_SECONDS = 120.0
LARGEST_SIDE = 8192  # px; 8K, and a bound on what a made-up header makes ffmpeg ask for
PATIENCE = 60.0  # seconds for a header; it takes 0.05
FPS_UNKNOWN = 25.0
FASTEST = 240.0  # frames/s; more is the clock of a container, not a camera
PICTURE_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ANIMATED_FORMATS = {"GIF", "PNG", "WEBP"}  # in others, more than one picture is a page or a preview
PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
VIDEO_SUFFIXES = {".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".3gp", ".mpg", ".mpeg", ".wmv"}
DEMUXERS = (
    *("mov", "matroska", "avi", "gif", "apng", "webp_anim", "mpegts", "mpeg", "mpegvideo", "asf"),
    *("flv", "ogg", "mxf", "nut", "dv", "rm", "ivf", "obu", "av1", "h264", "hevc", "m4v", "mjpeg"),
    *("wtv", "gxf", "yuv4mpegpipe", "mp3", "aac", "wav", "flac", "aiff", "amr", "caf", "w64"),
)
# Only these keep an index by which a seek lands on the same frames as reading from the start.
INDEXED = ("mov", "matroska", "avi")
EXACT = (*INDEXED, "gif", "apng", "nut", "mxf")  # tell their length, others guess by their bytes


@dataclass(frozen=True)
class ClipInfo:
    """What a clip's file says of itself."""

    width: int  # px, upright: after the rotation tag, with square pixels
    height: int
    seconds: float  # inf = more than is used, and not told by the file
    fps: float  # the mean of a variable rate
    codec: str
    container: str  # the first of the demuxer's names
    stream: int  # the picture's place among the streams
    pixel_format: str
    matrix: str  # of YUV, as tagged; "" = untagged
    transfer: str  # as tagged; "" = untagged
    alpha: bool  # parts may be transparent
    turns: int | None  # quarters to the left that make it upright; None = ffmpeg knows better
    warnings: tuple[str, ...]  # sentences for the person


def clip_info(path: Path) -> ClipInfo:
    """Reads the header of a clip.

    Only where the file does not tell its length, or is cut off, its packets are counted (without
    decoding them). Raises `VideoError` with a sentence for whatever cannot be used as a clip.
    """
    path = Path(path)
    _refuse_early(path)
    text = _report(path)
    container, streams = _container(text), _streams(text)
    if not container:
        raise VideoError(_why_unreadable(path, text))
    if not streams:
        raise VideoError(
            "There is no picture in this file, only sound. Send a clip in which the person is seen."
        )
    stream, line, details = streams[0]
    width, height = _square(line)
    angle = _angle(details)
    if angle is not None and angle % 180 == 90:
        width, height = height, width
    # None of a mirrored one; and in others than .mp4, matrices are kept in many places
    turns = angle // 90 if angle and container == "mov" and not is_mirrored(path) else None
    seconds, fps, warnings = _length(path, text, line, stream)
    matrix, transfer = _colours(line)
    pixel_format = _pixel_format(line)
    return ClipInfo(
        *(width, height, seconds, fps, line.split()[0].rstrip(","), container, stream),
        *(pixel_format, matrix, transfer, _has_alpha(pixel_format, details), turns, warnings),
    )


def is_clip(path: Path) -> bool:
    """Whether a file is to be read as a clip: by its content, and by its name only if damaged.

    True for GIFs that move for as long as a clip, and for sound alone, so that `clip_info` can say
    what is wrong with it.
    """
    path = Path(path)
    if not is_filled(path):
        return path.suffix.lower() in VIDEO_SUFFIXES
    picture = _picture(path)
    if picture is not None:
        return picture
    return bool(_container(_report(path))) or path.suffix.lower() in VIDEO_SUFFIXES


def input_options(path: Path) -> list[str]:
    """ffmpeg's arguments to open a stranger's file and nothing that the file may point to."""
    options = ["-protocol_whitelist", "file", "-format_whitelist", ",".join(DEMUXERS)]
    return [*options, "-i", f"file:{Path(path).absolute()}"]


def _refuse_early(path: Path) -> None:
    require_file(path, VideoError)
    if path.stat().st_size == 0:
        raise VideoError("The clip's file is empty. Copy or record it again.")
    if _picture(path) is False:
        raise VideoError("This is a single picture, not a clip. Send it as a photo.")


def _picture(path: Path) -> bool | None:
    """Whether a picture file moves; None if it is no picture file."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
        if head[4:8] == b"ftyp":
            return False if head[8:12] in PICTURE_BRANDS else None
        with opened(path, PICTURE_FORMATS) as image:
            return image.format in ANIMATED_FORMATS and _moves_long(image)
    except (*DAMAGE, Image.DecompressionBombError):
        return None


def _moves_long(image: Image.Image) -> bool:
    """Whether a moving picture lasts as long as a clip; a shorter one is taken as a photo."""
    seconds = 0.0
    try:
        frames = getattr(image, "n_frames", 1)
    except LookupError:  # cut off within the colours of a frame: whoever reads it says so
        return False
    for frame in range(frames):
        image.seek(frame)
        # 0 is shown for a tenth of a second by every browser
        seconds += (image.info.get("duration") or 100) / 1000
        if frame and seconds >= LEAST_SECONDS:
            return True
    return False


def _report(path: Path) -> str:
    command = [ffmpeg_path(), "-nostdin", "-hide_banner", *input_options(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, errors="replace", timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise VideoError("The clip's file cannot be read. Use an .mp4, .mov or .webm.") from error
    return done.stderr


def _container(text: str) -> str:
    found = re.search(r"^Input #0, ([\w-]+)", text, re.MULTILINE)
    return found[1] if found else ""


def _streams(text: str) -> list[tuple[int, str, str]]:
    """Number, description and details of each stream of pictures; covers of songs are none."""
    # Tags stand further to the right than streams, so that no title can pass for one.
    parts = re.split(r"^  Stream #0:(\d+)", text, flags=re.MULTILINE)[1:]
    found = []
    for number, block in zip(parts[::2], parts[1::2], strict=True):
        line, _, details = block.partition("\n")
        kind = re.match(r"[^:]*: Video: (.*)", line)
        if kind and "(attached pic)" not in line and "(timed thumbnails)" not in line:
            found.append((int(number), kind[1], details))
    return found


def _why_unreadable(path: Path, text: str) -> str:
    if "moov atom not found" in text and is_mp4(path):  # ffmpeg also says so of any file's .mp4
        return (
            "The clip's file is incomplete: its index is missing, as after a recording or a "
            "download that was cut off. Copy or record it again."
        )
    return "This file cannot be read as a video. Use an .mp4, .mov or .webm file."


def _square(line: str) -> tuple[int, int]:
    size = re.search(r", (\d+)x(\d+)", line)
    if size is None:
        raise VideoError(
            "The pictures of this clip cannot be read. Save it as .mp4 (H.264) and send that."
        )
    width, height = int(size[1]), int(size[2])
    if max(width, height) > LARGEST_SIDE:
        raise VideoError(
            f"The clip is {width} x {height} pixels large. Send one of at most "
            f"{LARGEST_SIDE} x {LARGEST_SIDE}; 1080 rows are enough."
        )
    aspect = re.search(r"SAR (\d+):(\d+)", line)
    if aspect and int(aspect[1]) and int(aspect[2]):
        width = max(1, round(width * int(aspect[1]) / int(aspect[2])))
    return width, height


def _angle(details: str) -> int | None:
    """The rotation tag in degrees to the left, 0..359; None if it is no quarter."""
    turn = re.search(r"display ?matrix: rotation of (-?[\d.]+)", details, re.IGNORECASE)
    if turn is None:
        return None
    angle = round(float(turn[1])) % 360
    return angle if angle % 90 == 0 else None


def _length(path: Path, text: str, line: str, stream: int) -> tuple[float, float, tuple[str, ...]]:
    """Seconds, frames per second and warnings."""
    told = re.search(r"^  Duration: (\d+):(\d+):([\d.]+)", text, re.MULTILINE)
    seconds = int(told[1]) * 3600 + int(told[2]) * 60 + float(told[3]) if told else math.inf
    rate = re.search(r" ([\d.]+)(k?) fps", line)
    fps = float(rate[1]) * (1000 if rate[2] else 1) if rate else 0.0
    cut = is_cut(path)
    if cut or told is None or _container(text) not in EXACT or not 0 < fps <= FASTEST:
        frames, counted = _count(path, stream)
        seconds = counted if counted < LONGEST_SECONDS else seconds
        if not 0 < fps <= FASTEST:
            fps = min(frames / counted, FASTEST) if counted > 0 and frames > 1 else FPS_UNKNOWN
    refuse_short(seconds)
    warnings = []
    if cut and seconds < LONGEST_SECONDS:
        warnings.append(
            f"The clip's file is incomplete: only its first {seconds:.1f} seconds can be read."
        )
    if seconds > LONGEST_SECONDS:
        warnings.append("The clip lasts more than 2 minutes: only its first 2 minutes are used.")
    return seconds, _exact_rate(fps), tuple(warnings)


def refuse_short(seconds: float) -> None:
    """Raises `VideoError` for what is too short to turn around in."""
    if seconds < LEAST_SECONDS:
        raise VideoError(
            f"The clip lasts {seconds:.1f} seconds, too short to turn around in. Send one of at "
            f"least {LEAST_SECONDS} seconds; about 10 are good."
        )


def _exact_rate(fps: float) -> float:
    """The header rounds: 29.97 stands for 30000/1001, which drifts by a frame in 10 minutes."""
    near = round(fps) * 1000 / 1001
    return near if abs(fps - near) < 0.006 else fps


def _count(path: Path, stream: int) -> tuple[int, float]:
    """Frames and seconds that can be read, counted without decoding; at most what is used."""
    command = [
        *(ffmpeg_path(), "-nostdin", "-loglevel", "error", "-nostats", "-progress", "-"),
        *("-t", str(LONGEST_SECONDS + 1), *input_options(path), "-map", f"0:{stream}"),
        *("-c", "copy", "-f", "null", "-"),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    frames = re.findall(r"^frame=\s*(\d+)", told, re.MULTILINE)
    times = re.findall(r"^out_time_us=\s*(\d+)", told, re.MULTILINE)
    return int(frames[-1]) if frames else 0, int(times[-1]) / 1e6 if times else 0.0


def _pixel_format(line: str) -> str:
    fields = re.split(r", ", re.sub(r"\([^()]*\)", "", line))
    return fields[1].strip() if len(fields) > 1 else ""


def _colours(line: str) -> tuple[str, str]:
    """Matrix and transfer as tagged: `(tv, bt2020nc/bt2020/arib-std-b67, progressive)`."""
    tags = re.search(r", \w+\((?:(?:tv|pc), )?([\w-]+)(?:/([\w-]+)/([\w-]+))?[,)]", line)
    if tags is None:
        return "", ""
    matrix, transfer = tags[1], tags[3] or tags[1]
    names = ("bt", "smpte", "fcc", "ycgco", "gbr", "arib", "iec", "linear", "log", "film")
    known = [name if name.startswith(names) else "" for name in (matrix, transfer)]
    return known[0], known[1]


def _has_alpha(pixel_format: str, details: str) -> bool:
    # VP8 and VP9 keep it beside the picture, where only a tag tells of it
    tagged = re.search(r"^\s+alpha_mode\s*: 1", details, re.MULTILINE | re.IGNORECASE)
    return bool(tagged) or pixel_format.startswith(
        ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "pal8", "ya8", "ya16")
    )
