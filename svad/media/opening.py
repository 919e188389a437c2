"""Opens a stranger's picture with Pillow: HEIC too, and no size is refused by a round number."""

from __future__ import annotations

import functools
import struct
import zlib
from pathlib import Path
from typing import IO
from warnings import catch_warnings, filterwarnings, simplefilter

from PIL import Image

from svad.core.memory import memory_free

# Of ISO/IEC 23008-12; the last two are of any codec, told apart by the reader.
BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
MOST_PIXELS = 250_000_000
MAX_BYTES = 200_000_000  # of a file
MAX_MEMORY = 500_000_000  # bytes that decoding may take, if the machine has twice that to spare
HEIF_BYTES = 4.5  # a pixel, with the planes that the decoder keeps beside the picture
JPEGS = ("JPEG", "MPO")  # the second has others behind it, as phones write them
SUFFIXES = (".heic", ".heif", ".hif")
# What photos and drawings come as. Others that Pillow knows are for other uses, and some are handed
# to a program that runs what is in them (EPS to Ghostscript, WMF to Windows).
FORMATS = (
    *("JPEG", "MPO", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "DIB", "TIFF", "JPEG2000"),
    *("ICO", "ICNS", "TGA", "PPM", "PCX", "DDS", "SGI"),
)
# What Pillow and its decoders raise where a file is damaged: beside those it documents, whatever
# comes of numbers that make no sense.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, RuntimeError),
    *(ArithmeticError, struct.error, zlib.error),
)


def is_heif(
    head: bytes,  # the file's first bytes, at least 12
) -> bool:
    """Whether a file is a HEIF picture, whatever its name says."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


def opened(source: Path | IO[bytes], formats: tuple[str, ...] | None = None) -> Image.Image:
    """The picture, its header read and nothing decoded, in one of `formats`, or of all of photos.

    Raises what `PIL.Image.open` raises: `UnidentifiedImageError`, `DAMAGE`, and for sizes above
    `MOST_PIXELS` `DecompressionBombError`. Made-up sizes are for whoever decodes it to refuse, by
    the memory that it takes. Pillow's own limit, an error at twice this many pixels, is above what
    phones take.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    filterwarnings("ignore", module=r"PIL\.")  # what it thinks of a file helps nobody
    if formats is None:
        Image.init()
        formats = tuple(name for name in FORMATS if name in Image.OPEN)
    with catch_warnings():
        simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(source, formats=formats)


def memory_there() -> float:
    """Bytes that there are for decoding one picture."""
    return min(MAX_MEMORY, memory_free() // 2)


def memory_of(
    image: Image.Image,  # not decoded yet; of a JPEG, told at which size it will be
    pixels: int,  # that its file holds
) -> float:
    """Bytes that decoding takes at most."""
    if image.format in JPEGS:
        need = 3.0 * image.width * image.height
        if image.info.get("progressive"):  # all coefficients are kept until the last scan
            shares = [across * down for _, across, down, _ in image.layer]  # type: ignore[attr-defined]
            need += 2.0 * pixels * sum(shares) / max(shares)
        return need
    if image.format in ("HEIF", "AVIF"):
        return HEIF_BYTES * pixels
    # Transparent ones are shrunk as a second copy, multiplied by their alpha.
    return (8.0 if "A" in image.getbands() else 3.0) * pixels


@functools.cache
def learn_heif() -> None:
    """Teaches Pillow to open them; without the package it says what it says of unknown files."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener(thumbnails=False)
