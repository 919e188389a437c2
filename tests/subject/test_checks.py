"""Reading a stranger's photo: every kind of file, upright and in RGB, or a clear refusal."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from svad.core.errors import PhotoError
from svad.media import opening
from svad.media.opening import is_heif, learn_heif
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
    "400 megapixels": (claimed_png(20000, 20000), "400 million pixels"),
    "a few kB of nothing": (encode(Image.new("1", (20000, 20000))), "400 million pixels"),
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
        read_photo(claimed_png(14000, 13000))


def heic(image: Image.Image, **settings: object) -> bytes:
    learn_heif()
    return encode(image, "HEIF", quality=95, **settings)


def test_a_heic_photo_is_read_whatever_its_name(tmp_path) -> None:
    (tmp_path / "IMG_0001.jpg").write_bytes(heic(picture(320, 240)))
    assert is_heif((tmp_path / "IMG_0001.jpg").read_bytes()[:12])
    photo = read_photo(tmp_path / "IMG_0001.jpg")
    away = np.abs(photo.rgb.astype(int) - np.asarray(picture(320, 240), int)).mean()
    assert away < 4 and photo.alpha is None and photo.warnings == ()


def test_a_heic_photo_is_upright_once_and_of_several_the_first_counts() -> None:
    exif = Image.Exif()
    exif[274] = 6  # turn clockwise to see it upright
    turned = picture(320, 240).rotate(90, expand=True)
    other = Image.new("RGB", (320, 240), (9, 9, 9))
    photo = read_photo(heic(turned, exif=exif.tobytes(), save_all=True, append_images=[other]))
    assert photo.rgb.shape == (240, 320, 3) and photo.warnings == ()
    assert np.abs(photo.rgb.astype(int) - np.asarray(picture(320, 240), int)).mean() < 6


def test_a_cut_heic_photo_is_a_sentence_and_so_is_one_without_the_reader(monkeypatch) -> None:
    for data in (heic(picture(320, 240))[:-400], heic(picture(320, 240))[:60]):
        with pytest.raises(PhotoError, match="damaged"):
            read_photo(data)
    whole = heic(picture(320, 240))
    monkeypatch.delitem(Image.OPEN, "HEIF")
    monkeypatch.setattr(Image, "ID", [one for one in Image.ID if one != "HEIF"])
    with pytest.raises(PhotoError, match="export it as JPEG"):
        read_photo(whole)


@pytest.mark.parametrize(
    ("size", "settings"),
    [((2048, 1536), {}), ((3000, 2250), {}), ((1536, 2048), {"progressive": True})],
)
def test_what_phones_take_at_most_is_decoded_small(size, settings, monkeypatch) -> None:
    """50 and 108 megapixels, and a progressive file, at a quarter of their sides."""
    sizes = []
    real = Image.Image.thumbnail

    def thumbnail(image: Image.Image, *arguments: object) -> None:
        sizes.append(image.size)
        real(image, *arguments)

    monkeypatch.setattr(checks, "MAX_SIDE", 1024)
    monkeypatch.setattr(Image.Image, "thumbnail", thumbnail)
    photo = read_photo(encode(picture(*size), "JPEG", quality=95, **settings))
    assert max(sizes[0]) == max(size) // 2  # a half on each side, where that is large enough
    assert max(photo.rgb.shape) == 1024
    small = picture(photo.rgb.shape[1], photo.rgb.shape[0])
    assert np.abs(photo.rgb.astype(int) - np.asarray(small, int)).mean() < 3


@pytest.mark.parametrize(
    ("image", "need"),
    [
        (lambda: encode(picture(400, 300), "JPEG"), 3),
        (
            lambda: encode(picture(400, 300), "JPEG", progressive=True),
            6,
        ),  # 4:2:0: half as many more
        (lambda: encode(picture(400, 300, "RGBA")), 8),
        (lambda: encode(picture(400, 300, "1")), 3),
        (lambda: heic(picture(400, 300)), opening.HEIF_BYTES),
    ],
)
def test_a_picture_is_refused_by_the_memory_it_takes(image, need, monkeypatch) -> None:
    data = image()
    monkeypatch.setattr(opening, "MAX_MEMORY", need * 400 * 300)
    read_photo(data)
    monkeypatch.setattr(opening, "MAX_MEMORY", need * 400 * 300 - 1)
    with pytest.raises(PhotoError, match="MB to open"):
        read_photo(data)
    monkeypatch.setattr(opening, "MAX_MEMORY", 1e9)
    monkeypatch.setattr(opening, "memory_free", lambda: 2.0 * need * 400 * 300 - 2)
    with pytest.raises(PhotoError, match="MB are there for it"):
        read_photo(data)
