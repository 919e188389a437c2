"""How a video is taken: what is behind the person, and what cannot be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from svad.core import given
from svad.core.errors import MissingFile, SettingError
from svad.media import opening
from svad.media.shot import Shot, backdrop
from svad.media.video import OWN_FFMPEG


@pytest.mark.parametrize(
    ("settings", "name", "words"),
    [
        ({"camera": "above"}, "a.mp4", "no view named above.*portrait"),
        ({"height": 63}, "a.mp4", "64 to 2160 px"),
        ({"height": 5000}, "a.mp4", "64 to 2160 px"),
        ({"fps": 0.0}, "a.mp4", "1 to 120 frames a second, not 0"),
        ({"fps": 1000.0}, "a.mp4", "not 1000"),
        ({"fps": float("nan")}, "a.mp4", "not nan"),
        ({}, "a.gif", "another ending"),
        ({"background": "transparent"}, "a.mp4", "cannot be transparent.*webm"),
        ({"frame": 3}, "a.webm", "still"),
        ({"background": "absent.png"}, "a.mp4", "no background absent.png"),
        ({"background": ""}, "a.mp4", "is a folder"),
        ({"background": "svad"}, "a.mp4", "svad is a folder"),
        ({"background": "/dev/zero"}, "a.mp4", "zero is a device"),
        ({"background": "README.md"}, "a.mp4", "cannot be opened as a picture"),
        ({"background": "a\0b"}, "a.mp4", "no background"),
    ],
)
def test_what_cannot_be_is_a_sentence(settings: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Shot(**settings).require_valid(Path(name))


@pytest.mark.parametrize("name", ["a.webm", "A.ZIP", "a.png"])
def test_what_can_be_transparent(name: str) -> None:
    Shot(background="transparent").require_valid(Path(name))


@pytest.mark.parametrize("words", ["#ff8000", "#f80", "rgb(255, 128, 0)", "hsl(30, 100%, 50%)"])
def test_a_colour_fills_the_picture(words: str) -> None:
    image = backdrop(words, 6, 4)
    assert image.shape == (4, 6, 3) and image.dtype == np.float32
    assert np.abs(image - (1, 0.5, 0)).max() < 0.04  # #f80 has four bits


@pytest.mark.parametrize(("width", "height"), [(40, 40), (90, 20)])
def test_a_picture_fills_the_frame_and_stands_upright(
    width: int, height: int, tmp_path: Path
) -> None:
    """As from a phone: it lies on its side, and its header says how to turn it."""
    picture = np.zeros((30, 60, 3), np.uint8)
    picture[:, 30:] = (0, 0, 200)
    exif = Image.Exif()
    exif[0x0112] = 8  # to be turned by a quarter against the clock
    Image.fromarray(picture).save(tmp_path / "wall.jpg", exif=exif, quality=95, subsampling=0)
    image = backdrop(str(tmp_path / "wall.jpg"), width, height)
    assert image.shape == (height, width, 3)
    assert image[: height // 4, :, 2].min() > 0.7 > 0.1 > image[-height // 4 :, :, 2].max()


def test_what_is_transparent_in_a_picture_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (backdrop(str(tmp_path / "clear.png"), 8, 8) == 1).all()


def test_a_large_picture_of_a_phone_is_decoded_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (4000, 3000), (0, 0, 200)).save(tmp_path / "wall.jpg")
    monkeypatch.setattr(opening, "MAX_MEMORY", 3 * 4000 * 3000 // 16)  # a quarter on each side
    image = backdrop(str(tmp_path / "wall.jpg"), 200, 300)
    assert image.shape == (300, 200, 3) and np.abs(image - (0, 0, 200 / 255)).max() < 0.03


def test_a_picture_is_refused_by_the_memory_it_takes_and_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few kilobytes of a file may be as large as this."""
    Image.new("RGB", (4000, 3000)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(opening, "MAX_MEMORY", 3 * 4000 * 3000 - 1)
    monkeypatch.setattr(Image.Image, "convert", None)
    with pytest.raises(SettingError, match="bomb.png has 12 million pixels"):
        backdrop(str(tmp_path / "bomb.png"), 200, 300)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_that_nobody_writes_to_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "wall.png")
    monkeypatch.setattr(given, "WAIT", 0.1)
    with pytest.raises(SettingError, match="Nothing came out of wall.png"):
        backdrop(str(tmp_path / "wall.png"), 200, 300)


def test_a_missing_ffmpeg_is_said_before_a_video_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN_FFMPEG, "/nowhere/ffmpeg")
    for name in ("a.mp4", "a.webm"):
        with pytest.raises(MissingFile, match="/nowhere/ffmpeg"):
            Shot().require_valid(Path(name))
    for name in ("a.zip", "a.png"):  # which want none
        Shot().require_valid(Path(name))
