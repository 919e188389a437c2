"""Reading a stranger's photo: every kind of file, upright and in RGB, or a clear refusal."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from svad.core.errors import PhotoError
from svad.subject import checks
from svad.subject.checks import has_shape, read_photo


def picture(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, a green top edge."""
    image = Image.new("RGB", (width, height), (0, 0, 200))
    image.paste((200, 0, 0), (0, 0, width // 2, height))
    image.paste((0, 200, 0), (0, 0, width, height // 8))
    return image.convert(mode)


def encode(image: Image.Image, kind: str = "PNG", **settings: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **settings)
    return stream.getvalue()


def test_plain_picture_is_unchanged() -> None:
    photo = read_photo(encode(picture()))
    np.testing.assert_array_equal(photo.rgb, np.asarray(picture()))
    assert photo.alpha is None and photo.warnings == ()


def test_path_and_bytes_agree(tmp_path) -> None:
    data = encode(picture())
    (tmp_path / "a.png").write_bytes(data)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").rgb, read_photo(data).rgb)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "CMYK"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    source = picture(mode=mode)
    photo = read_photo(encode(source, "TIFF" if mode == "CMYK" else "PNG"))
    assert photo.rgb.shape == (120, 160, 3) and photo.rgb.dtype == np.uint8
    expected = np.asarray(source.convert("RGB"), np.int16)
    assert np.abs(photo.rgb.astype(np.int16) - expected).mean() < 6


def test_cmyk_jpeg_is_not_inverted() -> None:
    photo = read_photo(encode(picture(mode="CMYK"), "JPEG", quality=95))
    assert np.abs(photo.rgb.astype(int) - np.asarray(picture(), int)).mean() < 25


def test_sixteen_bit_grey_keeps_its_range() -> None:
    ramp = np.linspace(0, 65535, 160).astype(np.uint16)[None].repeat(120, 0)
    photo = read_photo(encode(Image.fromarray(ramp)))
    assert photo.rgb[0, 0, 0] == 0 and photo.rgb[0, -1, 0] == 255
    assert abs(int(photo.rgb[0, 80, 0]) - 128) < 3


def test_exif_turn_is_applied() -> None:
    exif = Image.Exif()
    exif[274] = 6  # turn clockwise to see it upright
    turned = picture().rotate(90, expand=True)
    photo = read_photo(encode(turned, "JPEG", exif=exif, quality=95))
    assert photo.rgb.shape == (120, 160, 3)
    assert np.abs(photo.rgb.astype(int) - np.asarray(picture(), int)).mean() < 8


def test_animation_gives_its_first_picture_and_a_warning() -> None:
    frames = [picture(), Image.new("RGB", (160, 120), (9, 9, 9))]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    photo = read_photo(data)
    assert "first picture" in photo.warnings[0]
    assert photo.rgb[60, 20, 0] > 150


def test_transparency_with_a_shape_is_kept_and_even_transparency_is_not() -> None:
    image = picture(mode="RGBA")
    assert read_photo(encode(image)).alpha is None
    alpha = np.zeros((120, 160), np.uint8)
    alpha[20:110, 50:110] = 255
    image.putalpha(Image.fromarray(alpha))
    photo = read_photo(encode(image))
    np.testing.assert_array_equal(photo.alpha, alpha)
    assert (photo.rgb[0, 0] == 255).all()  # nothing of what hid under full transparency
    assert not has_shape(np.full((50, 50), 128, np.uint8))


def test_transparent_palette_colour_is_alpha() -> None:
    image = Image.new("P", (120, 120), 0)
    image.putpalette([0, 0, 0, 250, 10, 10])
    image.paste(1, (30, 10, 90, 120))
    photo = read_photo(encode(image, "PNG", transparency=0))
    assert photo.alpha is not None and photo.alpha[60, 60] == 255 and photo.alpha[5, 5] == 0


def test_colour_profile_is_honoured() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(encode(picture(), icc_profile=profile))
    assert np.abs(photo.rgb.astype(int) - np.asarray(picture(), int)).max() <= 2
    broken = read_photo(encode(picture(), icc_profile=b"not a profile"))
    np.testing.assert_array_equal(broken.rgb, np.asarray(picture()))


def test_very_large_sides_are_shrunk() -> None:
    photo = read_photo(encode(Image.new("L", (5000, 900), 128)))
    assert max(photo.rgb.shape) == checks.MAX_SIDE


def claimed_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds a handful of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 64)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


BAD = {
    "empty": (b"", "empty"),
    "text renamed .png": (b"Dear reader, this is a letter.\n" * 20, "text"),
    "noise": (bytes(range(256)) * 8, "not a picture"),
    "pdf": (b"%PDF-1.7\n" + b"\0" * 100, "PDF"),
    "svg": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 64, "HEIC"),
    "video": (b"\0\0\0\x18ftypisom" + b"\0" * 64, "video"),
    "one pixel": (encode(Image.new("RGB", (1, 1))), "1 x 1 pixels"),
    "too small": (encode(picture(60, 60)), "60 x 60 pixels"),
    "strip": (encode(picture(1600, 100)), "strip"),
    "60 megapixels": (claimed_png(10000, 6000), "60 million pixels"),
    "bomb": (claimed_png(60000, 60000), "pixels"),
    "truncated png": (encode(picture())[:-120], "damaged or incomplete"),
    "truncated jpeg": (encode(picture(800, 600), "JPEG")[:2500], "damaged or incomplete"),
    "png header only": (b"\x89PNG\r\n\x1a\n", "damaged or incomplete"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_refused_in_a_sentence(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(PhotoError) as caught:
        read_photo(data)
    text = str(caught.value)
    assert words in text
    assert text.endswith((".", ").")) and "Error" not in text and "\n" not in text


def test_missing_file_and_folder_are_refused(tmp_path) -> None:
    with pytest.raises(PhotoError, match="no file"):
        read_photo(tmp_path / "nothing.jpg")
    with pytest.raises(PhotoError, match="folder"):
        read_photo(tmp_path)


def test_pixel_limit_is_checked_before_decoding(monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", fail)
    with pytest.raises(PhotoError, match="million pixels"):
        read_photo(claimed_png(9000, 7000))
