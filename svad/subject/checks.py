"""Opens a stranger's photo: upright RGB, optional alpha, or a clear reason why not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from svad.core.errors import PhotoError
from svad.core.given import read_given
from svad.media.opening import (
    DAMAGE,
    JPEGS,
    MAX_BYTES,
    is_heif,
    learn_heif,
    memory_of,
    memory_there,
    opened,
)
from svad.types import Photo

MAX_SIDE = 3072  # px; larger pictures are shrunk on reading: half as much is drawn at most
HEAD = 2000  # bytes by which a file is told
MIN_SIDE = 96  # px; smaller pictures hold no usable person
MAX_RATIO = 8.0  # longer side over shorter side
_ADVICE = "Please use a JPEG, PNG, WebP or HEIC photo of one person."
TOO_MANY = (
    "The picture has {size} pixels{more}. Please use a smaller copy: 2000 pixels on the longer "
    "side are plenty."
)


def read_photo(source: Path | str | bytes) -> Photo:
    """Read a photo from a file or from the bytes of one.

    Returns an upright `Photo` (rgb [H, W, 3] uint8) without metadata, at most 3072 px a side, in
    sRGB, with `alpha` [H, W] when the file's transparency can be a matte. Raises `PhotoError`
    with a sentence for the person for everything that cannot be used.
    """
    data = _read_bytes(source)
    head = data[:HEAD]
    if is_heif(head):
        learn_heif()
    warnings: list[str] = []
    try:
        with opened(io.BytesIO(data)) as image:
            _check_size(image)
            if getattr(image, "n_frames", 1) > 1 and image.format not in ("MPO", "HEIF"):
                warnings.append("The file is animated; its first picture is used.")
            pixels = image.width * image.height
            if image.format in JPEGS:  # decodes at 1/2, 1/4, 1/8, whatever stays large enough
                image.draft("RGB", _shrunk(*image.size))
            _require_memory(image, pixels)
            image.load()
            del data
            image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
            ImageOps.exif_transpose(image, in_place=True)
            rgb, alpha = _to_rgb(image)
    except Image.DecompressionBombError as error:
        raise PhotoError(TOO_MANY.format(size="far too many", more="")) from error
    except UnidentifiedImageError as error:
        raise PhotoError(_what_else(head)) from error
    except MemoryError as error:
        raise PhotoError("The picture is too large to open. Please use a smaller copy.") from error
    except DAMAGE as error:
        raise PhotoError(
            "The picture is damaged or incomplete. Please save or download it again."
        ) from error
    if alpha is not None and not has_shape(alpha):
        alpha = None
    return Photo(rgb=rgb, alpha=alpha, warnings=tuple(warnings))


def has_shape(
    alpha: np.ndarray,  # [H, W] uint8
) -> bool:
    """Whether an alpha channel shows a shape, not just an even or nearly even sheet."""
    opaque = float((alpha > 127).mean())
    return 0.01 < opaque < 0.98 and float((alpha < 16).mean()) > 0.02


def _read_bytes(source: Path | str | bytes) -> bytes:
    data = source if isinstance(source, bytes) else read_given(Path(source), MAX_BYTES, PhotoError)
    if not data:
        raise PhotoError(f"The file is empty. {_ADVICE}")
    if len(data) > MAX_BYTES:
        raise PhotoError("The file is larger than 200 MB. Please use a smaller copy.")
    return data


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The picture is only {width} x {height} pixels. Please use one in which the person "
            "is at least 300 pixels high."
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise PhotoError(
            f"The picture is a very narrow strip ({width} x {height} pixels). "
            "Please use an ordinary photo of one person."
        )


def _shrunk(width: int, height: int) -> tuple[int, int]:
    """The size at which a picture is used, its shape kept."""
    share = min(1.0, MAX_SIDE / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def _require_memory(image: Image.Image, pixels: int) -> None:
    """Raises `PhotoError` for a picture that takes more memory to decode than there is for one."""
    need, room = memory_of(image, pixels), memory_there()
    if need > room:
        more = f", which take {need / 1e6:.0f} MB to open; {room / 1e6:.0f} MB are there for it"
        raise PhotoError(TOO_MANY.format(size=f"{pixels / 1e6:.0f} million", more=more))


def _to_rgb(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """(rgb [H, W, 3] uint8, alpha [H, W] uint8 or None) of any Pillow mode."""
    transparent = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_to_8_bit(np.asarray(image)))
    alpha = None
    if transparent:
        image = image.convert("RGBA")
        alpha = np.array(image.getchannel("A"))
        rgb = np.array(_to_srgb(image.convert("RGB"), image.info))
        rgb[alpha == 0] = 255  # what lies under full transparency is arbitrary
        return rgb, alpha
    return np.array(_to_srgb(image, image.info)), alpha


def _to_srgb(image: Image.Image, info: dict) -> Image.Image:
    """To RGB, through the embedded colour profile where there is a usable one."""
    profile = info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            return cast("Image.Image", found)  # None only where it changes the picture in place
        except (ImageCms.PyCMSError, OSError, ValueError):
            return image.convert("RGB")  # a broken profile: the plain numbers are the best guess
    return image.convert("RGB")


def _to_8_bit(
    values: np.ndarray,  # [H, W] any number type
) -> np.ndarray:
    """Deep grey values to uint8: 16-bit ones by their full range, others by their own range."""
    values = np.nan_to_num(values.astype(np.float32))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and 255 < high <= 65535:
        return (values / 257 + 0.5).astype(np.uint8)
    if low >= 0 and 1 < high <= 255:
        return values.astype(np.uint8)
    return ((values - low) / max(high - low, 1e-9) * 255 + 0.5).astype(np.uint8)


def _what_else(head: bytes) -> str:
    """A sentence for a file that Pillow does not know."""
    if is_heif(head):
        return (
            "This HEIC photo is damaged or of a kind that cannot be opened here. Please export it "
            "as JPEG (on the phone: Settings > Camera > Formats > Most Compatible)."
        )
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis"):
        return "This is a video, not a picture. Please use a single photo of one person."
    if head[:5] == b"%PDF-":
        return f"This is a PDF document, not a picture. {_ADVICE}"
    known = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    if head.startswith(known) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "The picture is damaged or incomplete. Please save or download it again."
    if b"<svg" in head:
        return f"This is an SVG drawing, not a photo. {_ADVICE}"
    if b"\0" not in head:
        return f"This file holds text, not a picture, whatever its name says. {_ADVICE}"
    return f"This file is not a picture that can be opened here. {_ADVICE}"
