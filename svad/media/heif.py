"""HEIC photos, as iPhones take them: told by their first bytes, read by libheif."""

from __future__ import annotations

import functools

# Of ISO/IEC 23008-12; the last two are of any codec, told apart by the reader.
BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
SUFFIXES = (".heic", ".heif", ".hif")


def is_heif(
    head: bytes,  # the file's first bytes, at least 12
) -> bool:
    """Whether a file is a HEIF picture, whatever its name says."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


@functools.cache
def learn_heif() -> None:
    """Teaches Pillow to open them; without the package it says what it says of unknown files."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener(thumbnails=False)
