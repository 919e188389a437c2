"""Copies of clips keep the pictures and nothing that tells of place, time or device."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from svad.media import private
from svad.media.clips import every_frame
from svad.media.containers import clip_info
from svad.media.private import copy_clip
from svad.media.video import VideoError, ffmpeg_path

PLACE = "+48.8577+002.295/"
TOLD = ("location", PLACE), ("comment", "at home"), ("title", "Ada's birthday")


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with sound, as a phone writes it: turned, with place and names."""
    folder = tmp_path_factory.mktemp("filmed")
    plain = folder / "plain.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=2")
    sound = ("-f", "lavfi", "-i", "sine=duration=2")
    run(*picture, *sound, "-pix_fmt", "yuv420p", str(plain))
    told = [word for name, value in TOLD for word in ("-metadata", f"{name}={value}")]
    turned = ("-display_rotation", "90", "-i", str(plain), "-c", "copy")
    run(*turned, *told, "-movflags", "use_metadata_tags", str(folder / "a.mov"))
    return folder / "a.mov"


def run(*arguments: str) -> None:
    subprocess.run([ffmpeg_path(), "-y", "-loglevel", "error", *arguments], check=True)


def frames(path: Path) -> np.ndarray:
    return np.stack([rgb for _, rgb in every_frame(path, clip_info(path), 25.0, 48)])


def test_the_pictures_stay_and_what_tells_of_the_place_goes(filmed: Path, tmp_path: Path) -> None:
    assert PLACE.encode() in filmed.read_bytes()
    copy_clip(filmed, tmp_path / "copy")
    data = (tmp_path / "copy").read_bytes()
    for _, value in TOLD:
        assert value.encode() not in data
    assert b"mp4a" in filmed.read_bytes() and b"mp4a" not in data  # nor what was said
    assert clip_info(tmp_path / "copy").turns == clip_info(filmed).turns == 1
    assert np.array_equal(frames(tmp_path / "copy"), frames(filmed))


def test_what_cannot_be_copied_so_is_copied_whole(
    filmed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "MUXERS", {"mov": "gif"})  # a copy that is not the same clip
    copy_clip(filmed, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == filmed.read_bytes()
    monkeypatch.setattr(private, "MUXERS", {})
    copy_clip(filmed, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == filmed.read_bytes()
    (tmp_path / "none.mp4").write_bytes(b"no clip")
    with pytest.raises(VideoError):
        copy_clip(tmp_path / "none.mp4", tmp_path / "copy")
