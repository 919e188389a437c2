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


KINDS = {
    "a.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "b.avi": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "a.ts": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "a.mkv": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "a.webm": ("-c:v", "libvpx", "-deadline", "realtime"),
    "a.wmv": ("-c:v", "wmv2"),
    "a.flv": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-ar", "44100"),
    "a.mpg": ("-c:v", "mpeg2video"),
    "a.ogv": ("-c:v", "libtheora"),
}


@pytest.mark.parametrize("name", KINDS)
def test_no_container_keeps_what_it_tells(name: str, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2")
    sound = ("-f", "lavfi", "-i", "sine=duration=2.3", "-ar", "48000")  # outlasts the pictures
    told = [word for key, value in TOLD for word in ("-metadata", f"{key}={value}")]
    clip, copy = tmp_path / name, tmp_path / "copy"
    run(*picture, *sound, *KINDS[name], *told, str(clip))
    copy_clip(clip, copy)
    data = copy.read_bytes()
    for _, value in TOLD:
        assert value.encode() not in data and value.encode("utf-16-le") not in data
    assert len(data) < clip.stat().st_size  # its sound is gone, too
    before, after = frames(clip), frames(copy)
    found = [any(np.array_equal(one, other) for other in after) for one in before[5:40]]
    assert sum(found) >= 33  # some begin elsewhere between two of our times, where sound was first


def test_what_a_camcorder_writes_between_its_pictures_goes(tmp_path: Path) -> None:
    clip, copy = tmp_path / "a.ts", tmp_path / "copy"
    uuid = "17ee8c60-f84d-11d9-8cd6-0800200c9a66"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2")
    coded = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0")
    told = ("-bsf:v", f"h264_metadata=sei_user_data={uuid}+MDPM{PLACE}")
    run(*picture, *coded, *told, str(clip))
    assert PLACE.encode() in clip.read_bytes()
    copy_clip(clip, copy)
    assert PLACE.encode() not in copy.read_bytes()
    assert np.array_equal(frames(copy), frames(clip))


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
