"""Videos that every browser plays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from svad.core.errors import MissingFile, OutputError, Stopped
from svad.media import video


def frames(count: int = 12, height: int = 64, width: int = 48) -> Iterator[np.ndarray]:
    for i in range(count):
        yield np.full((height, width, 3), (10 * i, 120, 200), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(64, 48), (65, 47)])
def test_format(height: int, width: int, tmp_path: Path) -> None:
    video.write_mp4(tmp_path / "a.mp4", frames(12, height, width), fps=24)
    info = video.probe(tmp_path / "a.mp4")
    even = (width + width % 2, height + height % 2)
    assert info == video.VideoInfo("h264", "yuv420p", *even, frames=12, fps=24.0, faststart=True)


def test_a_video_says_that_it_is_synthetic_and_nothing_of_this_machine(tmp_path: Path) -> None:
    video.write_mp4(tmp_path / "my name.mp4", frames())
    data = (tmp_path / "my name.mp4").read_bytes()
    assert video.SYNTHETIC.encode() in data
    assert b"my name" not in data and str(tmp_path).encode() not in data


def test_colours_survive(tmp_path: Path) -> None:
    video.write_mp4(tmp_path / "a.mp4", frames())
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "a.mp4"))
    width, height = next(reader)["size"]
    for i, data in enumerate(reader):
        picture = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        # 3: rounding of the limited range of yuv420p, and of the encoder at crf 18
        assert np.abs(picture.mean((0, 1)) - (10 * i, 120, 200)).max() < 3


def test_an_interrupted_video_leaves_no_file(tmp_path: Path) -> None:
    def interrupted() -> Iterator[np.ndarray]:
        yield from frames(3)
        raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        video.write_mp4(tmp_path / "a.mp4", interrupted())
    assert not list(tmp_path.iterdir())


def test_frames_must_be_there_and_alike(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        video.write_mp4(tmp_path / "a.mp4", [])
    with pytest.raises(ValueError, match="frames must be"):
        video.write_mp4(tmp_path / "a.mp4", [*frames(2), np.zeros((8, 8, 3), np.uint8)])
    assert not list(tmp_path.iterdir())


def test_what_ffmpeg_cannot_write_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "COLOR", ("-vf", "nonsense"))
    with pytest.raises(OutputError, match="could not be written"):
        video.write_mp4(tmp_path / "a.mp4", frames(100, 640, 480))
    assert not list(tmp_path.iterdir())


def test_no_ffmpeg_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(MissingFile, match="make setup"):
        video.write_mp4(tmp_path / "a.mp4", frames())


def test_a_text_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(ValueError, match="no video"):
        video.probe(tmp_path / "a.mp4")


@pytest.mark.parametrize(("channels", "size"), [(3, (64, 48)), (4, (65, 47))])
def test_a_webm_keeps_what_is_transparent(
    channels: int, size: tuple[int, int], tmp_path: Path
) -> None:
    frame = np.full((*size, 4), (200, 120, 40, 255), np.uint8)
    frame[:, 24:, 3] = 0
    path = tmp_path / "a.webm"
    video.write_webm(path, [frame[..., :channels]] * 3, fps=30)
    info = video.probe(path)
    assert (info.codec, info.frames, info.fps) == ("vp9", 3, 30.0)
    assert video.SYNTHETIC.encode() in path.read_bytes()
    # ffmpeg's own decoder of VP9 leaves out the transparency
    command = [video.ffmpeg_path(), "-v", "error", "-c:v", "libvpx-vp9", "-i", str(path)]
    raw = subprocess.check_output([*command, "-f", "rawvideo", "-pix_fmt", "rgba", "-"])
    back = np.frombuffer(raw, np.uint8).reshape(3, info.height, info.width, 4)
    assert (back[:, 4:-4, 2:20, 3] > 250).all()
    assert ((back[:, 4:-4, 30:44, 3] < 5) == (channels == 4)).all()
    # 6: the limited range of yuv420p, and the encoder
    assert np.abs(back[:, 4:-4, 2:20, :3].mean((0, 1, 2)) - (200, 120, 40)).max() < 6


def test_an_ffmpeg_without_vp9_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "VP9", "libnone")
    with pytest.raises(MissingFile, match=r"libvpx.*BSD-3-Clause.*write an .mp4"):
        video.write_webm(tmp_path / "a.webm", frames())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["-y", "http:", "%d", "a'b"])
def test_a_folder_may_have_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a relative path is what could be taken for an option
    video.write_mp4(Path(name, "a.mp4"), frames())
    assert video.probe(Path(name, "a.mp4")).frames == 12


def test_an_ffmpeg_of_ones_own_that_cannot_be_run_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("no program")
    for own in (tmp_path / "absent", tmp_path / "text", tmp_path):
        monkeypatch.setenv(video.OWN_FFMPEG, str(own))
        with pytest.raises(MissingFile, match="IMAGEIO_FFMPEG_EXE"):
            video.write_mp4(tmp_path / "a.mp4", frames())
