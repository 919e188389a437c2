"""Sizes that containers of video tell of their parts: is the file whole, and in which order?"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_BOXES = 100_000  # a long live recording has a few thousand, a made-up file any number
EBML = b"\x1a\x45\xdf\xa3"
FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # of .mp4 and .mov
SEGMENT = b"\x18\x53\x80\x67"


def box_names(path: Path) -> list[str]:
    """The names of the top-level boxes of an .mp4, in order."""
    with open(path, "rb") as file:
        return [name.decode("latin-1") for name, _, _ in _boxes(file, 0, path.stat().st_size)]


def is_mirrored(path: Path) -> bool:
    """Whether a track of an .mp4 or .mov is to be shown as in a mirror, or does not say.

    ffmpeg's report of such a matrix names an angle only (ISO/IEC 14496-12 sections 8.3.2, 6.2.2).
    """
    size, found = path.stat().st_size, []
    with open(path, "rb") as file:
        for _, *moov in _named(file, b"moov", 0, size):
            for _, *track in _named(file, b"trak", *moov):
                for _, start, _ in _named(file, b"tkhd", *track):
                    file.seek(start)
                    header = file.read(4 + 32 + 16 + 36)
                    matrix = header[52:] if header[:1] == b"\1" else header[40:76]
                    a, b, _, c, d = struct.unpack(">5i", matrix[:20].ljust(20, b"\0"))
                    found.append(a * d - b * c <= 0)
    return not found or any(found)


def is_mp4(path: Path) -> bool:
    """Whether a file begins as an .mp4 or .mov does."""
    with open(path, "rb") as file:
        return file.read(8)[4:] in FIRST_BOXES


def is_cut(path: Path) -> bool:
    """Whether an .mp4 or .mov, .webm or .mkv, or .avi says that it is longer than it is."""
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            return struct.unpack("<I", head[4:8])[0] + 8 > size
        if head[:4] == EBML:
            return _matroska_end(head + file.read(4096)) > size
        if head[4:8] not in FIRST_BOXES:
            return False
        return max(end for _, _, end in _boxes(file, 0, size)) > size


def _matroska_end(head: bytes) -> int:
    """Where the segment ends that follows the header (RFC 8794 section 4); 0 = it does not say."""
    place, end = 0, 0
    for name in (EBML, SEGMENT):
        if head[place : place + 4] != name or len(head) < place + 12:
            return 0
        first = head[place + 4]
        width = 9 - first.bit_length()  # leading zeros tell how many bytes the size takes
        raw = int.from_bytes(head[place + 4 : place + 4 + width], "big")
        size = raw & ((1 << 7 * width) - 1)
        if size == (1 << 7 * width) - 1:  # unknown, as in a live recording
            return 0
        place += 4 + width
        end = place + size
        place = end if name == EBML else place
    return end


def _named(file: BinaryIO, name: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    return [box for box in _boxes(file, start, end) if box[0] == name]


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, where the content starts, and where it ends, of each box (ISO/IEC 14496-12 4.2)."""
    for _ in range(MOST_BOXES):
        if start >= end:
            return
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:  # less than a box: some cameras leave zeros behind
            return
        length, skipped = struct.unpack(">I", head[:4])[0], 8
        if length == 1 and len(head) == 16:
            length, skipped = struct.unpack(">Q", head[8:])[0], 16
        length = max(length, skipped) if length else end - start  # 0: to the end of the file
        yield head[4:8], start + skipped, start + length
        start += length
