"""Every odd file a person may give the command line: an avatar or a sentence, never a traceback."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svad import cli
from svad.media.images import read_rgb
from svad.run import pipeline
from svad.run.card import read_card
from svad.types import Photo
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

WIDTH, HEIGHT = 300, 400


def picture(mode: str = "RGB") -> Image.Image:
    subject = tiny_subject(WIDTH, HEIGHT)
    if mode == "RGBA":
        return Image.fromarray(np.dstack([subject.photo.rgb, subject.matte]))
    if mode == "I;16":
        return Image.fromarray(subject.photo.rgb[..., 0].astype(np.uint16) * 257)
    if mode == "P":
        return Image.fromarray(subject.photo.rgb).quantize(64)
    return Image.fromarray(subject.photo.rgb).convert(mode)


def encoded(image: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def rotated() -> bytes:
    """A photo as a phone held sideways stores it: turned, with a note, and where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned right by 90 degrees
    exif[0x8825] = {2: (52.0, 31.0, 0.0)}  # GPS
    turned = picture().transpose(Image.Transpose.ROTATE_90)
    return encoded(turned, "JPEG", exif=exif, quality=95)


def animated(kind: str) -> bytes:
    first = picture()
    return encoded(first, kind, save_all=True, append_images=[Image.new("RGB", first.size)])


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "text named png": (lambda: b"Dear photo,\nhow are you?\n" * 50, "text, not a picture"),
    "random bytes": (lambda: np.random.default_rng(0).bytes(5000), "not a picture"),
    "truncated jpg": (lambda: encoded(picture(), "JPEG")[:-2000], "damaged or incomplete"),
    "truncated png": (lambda: encoded(picture(), "PNG")[:-2000], "damaged or incomplete"),
    "truncated gif": (lambda: animated("GIF")[:-600], "damaged or incomplete"),
    "senseless tags": (lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(5000), "damaged or incomplete"),
    "postscript": (lambda: encoded(picture(), "EPS"), "text, not a picture"),
    "only a header": (lambda: encoded(picture(), "PNG")[:20], "damaged or incomplete"),
    "one pixel": (lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), "only 1 x 1 pixels"),
    "a bomb": (lambda: encoded(Image.new("1", (20_000, 20_000)), "PNG"), "400 million pixels"),
    "a strip": (lambda: encoded(Image.new("RGB", (3000, 100)), "PNG"), "strip"),
    "pdf": (lambda: b"%PDF-1.7\n" + bytes(100), "PDF"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "video": (lambda: b"\0\0\0\x18ftypmp42" + bytes(100), "video"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(100), "damaged or of a kind"),
}
ACCEPTED: dict[str, Callable[[], bytes]] = {
    "cmyk": lambda: encoded(picture("CMYK"), "JPEG", quality=95),
    "grey": lambda: encoded(picture("L"), "PNG"),
    "grey jpg": lambda: encoded(picture("L"), "JPEG", quality=95),
    "black and white": lambda: encoded(picture("1"), "PNG"),
    "palette": lambda: encoded(picture("P"), "PNG"),
    "16 bit": lambda: encoded(picture("I;16"), "PNG"),
    "bmp": lambda: encoded(picture(), "BMP"),
    "tiff": lambda: encoded(picture(), "TIFF"),
    "webp": lambda: encoded(picture(), "WEBP", quality=95),
    "animated gif": lambda: animated("GIF"),
    "animated webp": lambda: animated("WEBP"),
    "animated png": lambda: animated("PNG"),
    "turned": rotated,
    "transparent": lambda: encoded(picture("RGBA"), "PNG"),
    "transparent webp": lambda: encoded(picture("RGBA"), "WEBP", lossless=True),
}


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> FakeStages:
    """Quick stages behind the real reading of photos."""
    fakes = FakeStages(seconds=0)
    monkeypatch.setattr(pipeline, "stage_makers", lambda preset: fakes.makers())
    return fakes


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_sentence(
    name: str, fakes: FakeStages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, words = REFUSED[name]
    (tmp_path / "photo.png").write_bytes(make())
    assert cli.main([str(tmp_path / "photo.png"), "-o", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err.strip()
    assert shown.startswith("svad: ") and words in shown and shown.endswith((".", ")"))
    assert len(shown.splitlines()) == 1 and not (tmp_path / "out").exists() and not fakes.ran


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_upright_and_in_its_colours(name: str, fakes: FakeStages, tmp_path: Path) -> None:
    (tmp_path / "photo.any").write_bytes(ACCEPTED[name]())
    assert cli.main([str(tmp_path / "photo.any"), "-o", str(tmp_path / "out")]) == 0
    photo: Photo = fakes.photos[0]
    assert photo.rgb.shape == (HEIGHT, WIDTH, 3) and photo.rgb.dtype == np.uint8
    assert (photo.alpha is not None) == name.startswith("transparent")
    subject = tiny_subject(WIDTH, HEIGHT)
    grey = name in ("grey", "grey jpg", "black and white", "16 bit")
    person = subject.matte > 0
    expected = subject.photo.rgb.astype(float)
    if grey:
        channel = expected[..., 0] if name == "16 bit" else expected.mean(2)
        expected = np.repeat(channel[..., None], 3, 2)
    away = np.abs(photo.rgb - expected)[person].mean()
    assert away < (130 if name == "black and white" else 25)  # palette, CMYK, grey weights
    warnings = read_card(tmp_path / "out")["warnings"]
    assert any("animated" in w for w in warnings) == name.startswith("animated")


def test_nothing_of_where_the_photo_was_taken_is_kept(fakes: FakeStages, tmp_path: Path) -> None:
    (tmp_path / "at_home.jpg").write_bytes(rotated())
    assert cli.main([str(tmp_path / "at_home.jpg"), "-o", str(tmp_path / "out")]) == 0
    for path in (tmp_path / "out").rglob("*.[jp][pn]g"):
        with Image.open(path) as stored:
            assert not stored.getexif() and not stored.info.get("exif")
        assert read_rgb(path).size
    for path in (tmp_path / "out").rglob("*.*"):
        assert path.is_dir() or b"at_home" not in path.read_bytes()
