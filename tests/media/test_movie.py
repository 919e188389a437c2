"""The ending of a name says what becomes of the frames."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svad.media.movie import write_movie
from svad.media.video import SYNTHETIC, probe

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 24, 16, 4)).astype(np.uint8)


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "h264"), (".WEBM", "vp9")])
def test_a_video(ending: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    write_movie(path, FRAMES[..., :3], 12)
    assert (probe(path).codec, probe(path).frames) == (codec, 3)


def test_frames_as_pictures_keep_every_value_and_say_what_they_are(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_movie(tmp_path / name, FRAMES, 12)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert names == ["00000.png", "00001.png", "00002.png", "README.txt"]
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in names[:3]]
        assert (np.stack([np.asarray(one) for one in pictures]) == FRAMES).all()
        assert all(one.info["Comment"] == SYNTHETIC for one in pictures)
        words = archive.read("README.txt").decode()
        assert "3 frames, 12 a second" in words and SYNTHETIC in words


def test_a_still_is_the_first_frame(tmp_path: Path) -> None:
    write_movie(tmp_path / "a.png", iter(FRAMES), 12)
    picture = Image.open(tmp_path / "a.png")
    assert (np.asarray(picture) == FRAMES[0]).all() and picture.info["Comment"] == SYNTHETIC
    with pytest.raises(ValueError, match="needs a frame"):
        write_movie(tmp_path / "b.png", [], 12)
    assert not (tmp_path / "b.png").exists()
