"""Sizes that containers of video tell of their parts: is the file whole, and in which order?"""

from __future__ import annotations

import struct
from pathlib import Path

EBML = b"\x1a\x45\xdf\xa3"
FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # of .mp4 and .mov
SEGMENT = b"\x18\x53\x80\x67"


def box_names(path: Path) -> list[str]:
    """The names of the top-level boxes of an .mp4, in order (ISO/IEC 14496-12 section 4.2)."""
    names: list[str] = []
    with open(path, "rb") as file:
        while len(header := file.read(8)) == 8:
            size, name = struct.unpack(">I4s", header)
            names.append(name.decode("latin-1"))
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0] - 8
            if size < 8:  # 0: to the end of the file
                break
            file.seek(size - 8, 1)
    return names


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
            return _matroska_end(file.seek(0) or file.read(4096)) > size
        if head[4:8] not in FIRST_BOXES:
            return False
        place = 0
        while place < size:  # ISO/IEC 14496-12 section 4.2
            file.seek(place)
            head = file.read(16)
            length = struct.unpack(">I", head[:4])[0] if len(head) >= 8 else 16
            if length == 1 and len(head) == 16:
                length = struct.unpack(">Q", head[8:])[0]
            if length == 0:  # to the end of the file
                return False
            place += max(length, 8)
        return place > size


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
