"""Opens a stranger's photo: upright RGB, optional alpha, or a clear reason why not."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from svad.core.errors import PhotoError
from svad.core.given import read_given
from svad.types import Photo

MAX_PIXELS = 50_000_000  # refused before decoding: 150 MB as RGB
MAX_SIDE = 4096  # px; larger pictures are shrunk on reading
MIN_SIDE = 96  # px; smaller pictures hold no usable person
MAX_RATIO = 8.0  # longer side over shorter side
MAX_BYTES = 200_000_000
_ADVICE = "Please use a JPEG, PNG or WebP photo of one person."
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError)


def read_photo(source: Path | str | bytes) -> Photo:
    """Read a photo from a file or from the bytes of one.

    Returns an upright `Photo` (rgb [H, W, 3] uint8) without metadata, at most 4096 px a side, in
    sRGB, with `alpha` [H, W] when the file's transparency can be a matte. Raises `PhotoError`
    with a sentence for the person for everything that cannot be used.
    """
    data = _read_bytes(source)
    warnings: list[str] = []
    try:
        with Image.open(io.BytesIO(data)) as image:
            _check_size(image)
            if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
                warnings.append("The file is animated; its first picture is used.")
            if image.format == "JPEG":
                image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # decodes at 1/2, 1/4, 1/8: less memory
            image.load()
            rgb, alpha = _to_rgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as error:
        raise PhotoError(_too_many_pixels(None)) from error
    except UnidentifiedImageError as error:
        raise PhotoError(_what_else(data)) from error
    except MemoryError as error:
        raise PhotoError("The picture is too large to open. Please use a smaller copy.") from error
    except _DAMAGE as error:
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
    if width * height > MAX_PIXELS:
        raise PhotoError(_too_many_pixels(width * height))
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


def _too_many_pixels(pixels: int | None) -> str:
    size = "far too many" if pixels is None else f"{pixels / 1e6:.0f} million"
    return (
        f"The picture has {size} pixels; at most {MAX_PIXELS // 1_000_000} million are accepted. "
        "Please use a smaller copy: 2000 pixels on the longer side are plenty."
    )


def _to_rgb(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """(rgb [H, W, 3] uint8, alpha [H, W] uint8 or None) of any Pillow mode."""
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
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


def _what_else(data: bytes) -> str:
    """A sentence for a file that Pillow does not know."""
    head = data[:32]
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
            return (
                "This is a HEIC photo, as iPhones take them, and cannot be opened here. Please "
                "export it as JPEG (on the phone: Settings > Camera > Formats > Most Compatible)."
            )
        if brand not in (b"avif", b"avis"):
            return "This is a video, not a picture. Please use a single photo of one person."
    if head[:5] == b"%PDF-":
        return f"This is a PDF document, not a picture. {_ADVICE}"
    known = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    if head.startswith(known) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "The picture is damaged or incomplete. Please save or download it again."
    if b"<svg" in data[:2000]:
        return f"This is an SVG drawing, not a photo. {_ADVICE}"
    if b"\0" not in data[:2000]:
        return f"This file holds text, not a picture, whatever its name says. {_ADVICE}"
    return f"This file is not a picture that can be opened here. {_ADVICE}"
