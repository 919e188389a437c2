"""Every kind of file a visitor may drop that is no plain good photo."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from svad.media.heif import learn_heif

Photo = Image.Image


def encoded(image: Photo, format: str = "PNG", **settings) -> bytes:
    """The image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **settings)
    return buffer.getvalue()


def rotated(person: Photo) -> bytes:
    """Lying in the file, upright by its EXIF entry (6: turn clockwise to show)."""
    exif = Image.Exif()
    exif[274] = 6
    return encoded(person.rotate(90, expand=True), "JPEG", exif=exif)


def heic(person: Photo) -> bytes:
    learn_heif()
    return encoded(person, "HEIF", quality=80)


def animated(person: Photo) -> bytes:
    frames = [ImageOps.mirror(person).convert("P"), person.convert("P")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def transparent(person: Photo) -> bytes:
    cut = person.convert("RGBA")
    rows, columns = np.mgrid[: cut.height, : cut.width]
    near = (columns / cut.width - 0.5) ** 2 / 0.2 + (rows / cut.height - 0.5) ** 2 / 0.24 < 1
    cut.putalpha(Image.fromarray((near * 255).astype(np.uint8)))
    return encoded(cut)


def sixteen_bit(person: Photo) -> bytes:
    grey = np.asarray(person.convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey))


def two(person: Photo) -> bytes:
    both = Image.new("RGB", (2 * person.width, person.height))
    both.paste(person, (0, 0))
    small = person.resize((person.width * 3 // 4, person.height * 3 // 4))
    both.paste(small, (person.width, person.height // 4))
    return encoded(both)


def part(share: float) -> Callable[[Photo], bytes]:
    """Cut off below."""
    return lambda person: encoded(person.crop((0, 0, person.width, int(person.height * share))))


def noise(person: Photo) -> bytes:
    values = np.random.default_rng(0).integers(90, 160, (400, 300, 3))
    return encoded(Image.fromarray(values.astype(np.uint8)))


REFUSED: dict[str, tuple[Callable[[Photo], bytes], str]] = {
    "text": (lambda p: b"This is no picture.", "not a picture"),
    "empty": (lambda p: b"", "empty"),
    "truncated": (lambda p: encoded(p)[: len(encoded(p)) // 2], "damaged or incomplete"),
    "one pixel": (lambda p: encoded(p.resize((1, 1))), "only 1 x 1 pixels"),
    "a bomb": (lambda p: encoded(Image.new("1", (20_000, 20_000))), "400 million pixels"),
    "no person": (noise, "No person was found"),
}
TAKEN: dict[str, tuple[Callable[[Photo], bytes], str]] = {
    "heic": (heic, ""),
    "cmyk": (lambda p: encoded(p.convert("CMYK"), "JPEG"), ""),
    "greyscale": (lambda p: encoded(p.convert("L")), "black-and-white"),
    "palette": (lambda p: encoded(p.convert("P")), ""),
    "16 bit": (sixteen_bit, "black-and-white"),
    "turned by exif": (rotated, ""),
    "transparent": (transparent, ""),
    "animated": (animated, "its first picture is used"),
    "two people": (two, "more than one person"),
    "cut at the knees": (part(0.7), "body model"),
    "cut at the waist": (part(0.5), "body model"),
}
