"""Clips of any kind: their headers, their frames, and the same frame again."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svad.media import containers, decoding
from svad.media.clips import candidates, every_frame, frame_at
from svad.media.containers import clip_info, is_clip
from svad.media.video import VideoError, ffmpeg_path, write_mp4

SIZE = (64, 48)  # width, height
# Every frame of it differs from all others, and moves
MOVING = f"testsrc2=s={SIZE[0]}x{SIZE[1]}:r=30"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def make(path: Path, *arguments: str) -> Path:
    command = [ffmpeg_path(), "-nostdin", "-v", "error", "-y", *arguments, str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def drawn(path: Path, *options: str, source: str = MOVING, seconds: float = 2) -> Path:
    codec = () if "-c:v" in options or path.suffix == ".gif" else H264
    return make(path, "-f", "lavfi", "-t", str(seconds), "-i", source, *options, *codec)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("clips") / "plain.mp4", "-movflags", "+faststart")


# --- headers


def test_a_header(plain: Path) -> None:
    info = clip_info(plain)
    assert (info.width, info.height, info.seconds, info.fps) == (*SIZE, 2.0, 30.0)
    assert (info.codec, info.container, info.warnings) == ("h264", "mov", ())


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_a_rotation_tag_is_followed(angle: int, turns: int, plain: Path, tmp_path: Path) -> None:
    turned = make(
        tmp_path / "a.mp4", "-display_rotation", str(angle), "-i", str(plain), "-c", "copy"
    )
    info, upright = clip_info(turned), clip_info(plain)
    assert (info.width, info.height) == (SIZE[::-1] if turns % 2 else SIZE)
    expected = np.rot90(frame_at(plain, upright, 0.5), turns)
    # chroma is spread over other pixels after a turn than before it
    assert np.abs(frame_at(turned, info, 0.5) - expected.astype(float)).mean() < 4


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [((-1, 0, 0, 1), np.fliplr), ((0, 1, 1, 0), lambda rgb: rgb.transpose(1, 0, 2))],
)
def test_a_mirrored_clip_is_shown_as_its_file_says(
    matrix: tuple[int, int, int, int],
    expected: Callable[[np.ndarray], np.ndarray],
    plain: Path,
    tmp_path: Path,
) -> None:
    clip, data = tmp_path / "a.mp4", bytearray(plain.read_bytes())
    start = data.index(b"tkhd") + 44
    a, b, c, d = (each << 16 for each in matrix)
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip.write_bytes(data)
    info = clip_info(clip)
    upright = expected(frame_at(plain, clip_info(plain), 0.5))
    assert (info.height, info.width) == upright.shape[:2]
    assert np.abs(frame_at(clip, info, 0.5) - upright.astype(float)).mean() < 4  # chroma, again


def test_pixels_become_square(tmp_path: Path) -> None:
    info = clip_info(drawn(tmp_path / "a.mp4", "-vf", "setsar=3/2"))
    assert (info.width, info.height) == (96, 48)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mov", ("-c:v", "prores_ks", "-profile:v", "0")),
        ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime")),
        ("a.mkv", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")),
        ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
        ("a.ts", ()),
        ("a.wmv", ("-c:v", "wmv2")),
        ("a.flv", ()),
        ("a.mpg", ("-c:v", "mpeg2video")),
        ("a.gif", ()),
        ("odd.mp4", ("-vf", "scale=51:37", "-c:v", "libx264", "-pix_fmt", "yuv444p")),
    ],
)
def test_any_container_and_codec(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    clip = drawn(tmp_path / name, *options)
    info = clip_info(clip)
    unnamed = clip.rename(tmp_path / "upload")
    assert is_clip(unnamed)
    assert info.seconds == pytest.approx(2, abs=0.1)  # a frame or two at either end
    found = list(candidates(unnamed, info, most=20, height=1000))
    assert 18 <= len(found) <= 20
    assert found[0].rgb.shape == (info.height, info.width, 3)
    assert np.array_equal(frame_at(unnamed, info, found[9].time), found[9].rgb)


def test_a_file_that_does_not_tell_its_length_is_counted(tmp_path: Path) -> None:
    live = drawn(tmp_path / "a.webm", "-c:v", "libvpx", "-live", "1")
    assert "N/A" in containers._report(live)
    assert clip_info(live).seconds == pytest.approx(2, abs=0.05)
    parts = drawn(tmp_path / "a.mp4", "-movflags", "frag_keyframe+empty_moov", "-g", "10")
    info = clip_info(parts)
    assert info.seconds == pytest.approx(2, abs=0.05) and not info.warnings
    assert len(list(every_frame(parts, info, 30, 48))) == 60


def test_a_tail_of_no_use_is_no_damage(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(plain.read_bytes() + bytes(4))
    assert clip_info(tmp_path / "a.mp4") == clip_info(plain)


def test_tags_cannot_pass_for_streams(tmp_path: Path) -> None:
    title = "x\n  Stream #0:0: Video: none\n  Duration: 99:00:00.00"
    info = clip_info(drawn(tmp_path / "a.mp4", "-metadata", f"title={title}"))
    assert info.codec == "h264" and info.seconds == 2


def test_two_minutes_are_used(tmp_path: Path) -> None:
    source = f"color=s={SIZE[0]}x{SIZE[1]}:r=1"
    info = clip_info(drawn(tmp_path / "a.mp4", source=source, seconds=130))
    assert info.seconds == 130 and "only its first 2 minutes" in info.warnings[0]


# --- what is no clip


def sentence(path: Path) -> str:
    with pytest.raises(VideoError) as error:
        clip_info(path)
    return str(error.value)


def test_sound_is_no_clip(tmp_path: Path) -> None:
    cover = drawn(tmp_path / "cover.png", "-frames:v", "1", "-c:v", "png")
    sound = ("-f", "lavfi", "-i", "sine=d=2")
    assert "only sound" in sentence(make(tmp_path / "a.m4a", *sound))
    covered = ("-i", str(cover), "-map", "0", "-map", "1", "-disposition:v", "attached_pic")
    assert "only sound" in sentence(make(tmp_path / "b.mp3", *sound, *covered))
    assert is_clip(tmp_path / "b.mp3")


def test_one_picture_is_a_photo(tmp_path: Path) -> None:
    for name in ("a.gif", "a.png", "a.jpg", "a.webp"):
        Image.new("RGB", SIZE).save(tmp_path / name)
        assert "as a photo" in sentence(tmp_path / name)
        assert not is_clip(tmp_path / name)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    assert not is_clip(tmp_path / "a.heic")


def test_others_are_named(plain: Path, tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    assert "There is no file a.mp4" in sentence(clip)
    clip.write_bytes(b"")
    assert "empty" in sentence(clip)
    clip.write_text("no video")
    assert "cannot be read as a video" in sentence(clip)
    assert is_clip(clip)  # by its name, so that it is told what is wrong
    assert not is_clip(clip.rename(tmp_path / "a.txt"))
    clip.write_text(f"ffconcat version 1.0\nfile '{plain.name}'\n")
    assert "cannot be read as a video" in sentence(clip)  # a script that names another file
    clip.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{plain}\n#EXT-X-ENDLIST\n")
    assert "cannot be read as a video" in sentence(clip)
    assert "too short" in sentence(drawn(clip, seconds=1))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Clips of four seconds with their index first, at an even rate of bytes."""
    folder = tmp_path_factory.mktemp("long")
    bytes_ = ("-vf", "noise=alls=40:allf=t", "-movflags", "+faststart")
    return {
        name: drawn(folder / f"a.{name}", *bytes_, "-g", "15", seconds=4)
        for name in ("mp4", "mkv", "avi")
    }


@pytest.mark.parametrize("name", ["mp4", "mkv", "avi"])
def test_of_a_file_cut_off_what_is_there_is_read(
    name: str, long: dict[str, Path], tmp_path: Path
) -> None:
    whole = long[name].read_bytes()
    clip = tmp_path / "a"
    clip.write_bytes(whole[: int(len(whole) * 0.7)])
    info = clip_info(clip)
    assert 2.2 < info.seconds < 3.2 and "incomplete" in info.warnings[0]
    times = [each.time for each in candidates(clip, info, most=100, height=48)]
    assert times[-1] == pytest.approx(info.seconds, abs=0.2)
    clip.write_bytes(whole[: int(len(whole) * 0.2)])
    assert "too short" in sentence(clip)


def test_an_index_that_is_missing(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "a.mp4", "-vf", "noise=alls=40")
    clip.write_bytes(clip.read_bytes()[:-3000])
    assert "index is missing" in sentence(clip)


def test_a_clip_that_breaks_off_unannounced_is_refused_at_its_end(
    long: dict[str, Path], tmp_path: Path
) -> None:
    clip = tmp_path / "a.mp4"
    info = clip_info(long["mp4"])
    clip.write_bytes(long["mp4"].read_bytes()[:40_000])
    with pytest.raises(VideoError, match="too short"):
        list(candidates(clip, info, most=100, height=48))


def test_pictures_that_cannot_be_decoded(long: dict[str, Path], tmp_path: Path) -> None:
    clip, data = tmp_path / "a.mp4", bytearray(long["mp4"].read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    clip.write_bytes(data)
    with pytest.raises(VideoError, match="cannot be read"):
        list(candidates(clip, clip_info(clip), most=100, height=48))


# --- frames


def test_times_are_even_and_the_same_again(plain: Path) -> None:
    info = clip_info(plain)
    first, again = (list(every_frame(plain, info, 15, 48)) for _ in range(2))
    assert [when for when, _ in first] == pytest.approx([i / 15 for i in range(30)])
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))
    assert len(list(every_frame(plain, info, 1000, 48))) == 60  # its own rate at most
    assert len(list(every_frame(plain, info, 30, 48, seconds=0.5))) == 15


def test_one_sharp_frame_of_each_window(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    blurred = np.full_like(scene, 128)
    frames = [np.roll(scene if i % 10 == 7 else blurred, i, 1) for i in range(60)]
    write_mp4(tmp_path / "a.mp4", frames, fps=30)
    info = clip_info(tmp_path / "a.mp4")
    found = list(candidates(tmp_path / "a.mp4", info, most=6, height=48))
    assert [each.index for each in found] == [7, 17, 27, 37, 47, 57]
    assert [each.time for each in found] == pytest.approx([each.index / 30 for each in found])
    assert len(list(candidates(tmp_path / "a.mp4", info, most=240, height=48))) <= 20  # 10 a second


def test_what_stands_still_is_not_taken_twice(tmp_path: Path) -> None:
    source = f"color=gray:s={SIZE[0]}x{SIZE[1]}:r=30"
    still = drawn(tmp_path / "a.mkv", "-c:v", "ffv1", source=source)
    assert len(list(candidates(still, clip_info(still), most=100, height=48))) == 1


VARIABLE = "setpts='if(lt(N,20),N/30,if(lt(N,40),20/30+(N-20)/12,20/30+20/12+0.7+(N-40)/60))/TB'"


@pytest.mark.parametrize(
    "options",
    [
        ("a.mp4", "-vf", VARIABLE, "-fps_mode", "vfr", "-g", "12", "-bf", "3", "-c:v", "libx264"),
        ("a.mkv", "-vf", VARIABLE, "-fps_mode", "vfr", "-g", "300", "-c:v", "libx264"),
        (
            *("a.mov", "-vf", VARIABLE, "-fps_mode", "vfr", "-c:v", "libx265", "-x265-params"),
            "log-level=none:keyint=10:open-gop=1:bframes=4",
        ),
        ("a.gif", "-r", "10"),
        ("a.ts", "-vf", VARIABLE, "-fps_mode", "vfr", "-g", "12"),
        # the sound begins before the pictures
        ("b.mp4", "-vf", "setpts=PTS+0.31/TB", "-f", "lavfi", "-i", "sine=d=3", "-g", "12"),
        ("c.mp4", "-r", "30000/1001", "-g", "7"),
    ],
    ids=lambda options: options[0],
)
def test_a_time_has_the_same_frame_by_a_seek(options: tuple[str, ...], tmp_path: Path) -> None:
    name, *rest = options
    if "lavfi" in rest:  # an input stands before what is done with it
        where = rest.index("-f")
        rest = rest[where : where + 4] + rest[:where] + rest[where + 4 :]
    clip = drawn(tmp_path / name, *rest, seconds=3)
    info = clip_info(clip)
    rows = list(every_frame(clip, info, 30, 1000))
    assert len(rows) > 2.5 * min(info.fps, 30)
    for when, rgb in rows[:: max(1, len(rows) // 8)] + rows[-1:]:
        assert np.array_equal(frame_at(clip, info, when), rgb), when


def test_a_time_behind_the_end(plain: Path) -> None:
    with pytest.raises(VideoError, match="no picture at 9"):
        frame_at(plain, clip_info(plain), 9)


def test_a_stopped_read_leaves_no_process(long: dict[str, Path]) -> None:
    others = _children()  # of tests before this one
    frames = every_frame(long["mp4"], clip_info(long["mp4"]), 30, 48)
    next(frames)
    children = _children() - others
    assert children
    frames.close()
    assert not children & _children()


def _children() -> set[int]:
    me = Path(f"/proc/self/task/{Path('/proc/self').resolve().name}/children")
    return {int(each) for each in me.read_text().split()}


# --- colours

CHART = np.array(
    [(235, 60, 40), (40, 180, 60), (30, 60, 200), (240, 200, 30), (128, 128, 128), (230, 170, 140)],
    np.uint8,
)


def chart(path: Path, size: int, *options: str) -> Path:
    picture = np.repeat(np.repeat(CHART.reshape(2, 3, 3), size // 2, 0), size // 2, 1)
    Image.fromarray(picture).save(path.with_suffix(".png"))
    looped = ("-loop", "1", "-r", "5", "-t", "2", "-i", str(path.with_suffix(".png")))
    return make(path, *looped, *options, "-c:v", "libx264", "-crf", "5", "-preset", "ultrafast")


def patches(path: Path, height: int) -> np.ndarray:
    rgb = frame_at(path, clip_info(path), 0.4, height)
    half = rgb.shape[0] // 2
    return np.stack(
        [rgb[y * half + half // 2, x * half + half // 2] for y in (0, 1) for x in range(3)]
    )


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (96, ("-vf", "scale=out_color_matrix=bt601,format=yuv420p")),
        (720, ("-vf", "scale=out_color_matrix=bt709,format=yuv420p")),
        (96, ("-vf", "scale=out_color_matrix=bt709,format=yuv420p", "-colorspace", "bt709")),
        (720, ("-vf", "scale=out_color_matrix=bt601,format=yuv420p", "-colorspace", "smpte170m")),
        (96, ("-vf", "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p")),
        (96, ("-vf", "scale=out_color_matrix=bt709,format=yuv420p10le", "-colorspace", "bt709")),
    ],
    ids=["untagged SD", "untagged HD", "tagged SD", "HD tagged as BT.601", "full range", "10 bit"],
)
def test_colours_come_back(size: int, options: tuple[str, ...], tmp_path: Path) -> None:
    clip = chart(tmp_path / "a.mp4", size, *options)
    for height in (size, size // 2):
        # 3: limited range and chroma round by one each, the encoder by one
        assert np.abs(patches(clip, height) - CHART.astype(int)).max() <= 3


@pytest.mark.parametrize(("transfer", "white"), [("arib-std-b67", 0.75), ("smpte2084", 0.58)])
def test_a_page_in_hdr_becomes_a_page(transfer: str, white: float, tmp_path: Path) -> None:
    # ITU-R BT.2408 table 1: a white page is shown at 203 cd/m2, a grey card, 0.38 in both, at 26
    page, card = (4 * round(16 + 219 * signal) for signal in (white, 0.38))
    clip = drawn(
        *(tmp_path / "a.mp4", "-c:v", "libx265", "-x265-params"),
        f"log-level=none:crf=5:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc",
        source="nullsrc=s=64x48:r=5,format=yuv420p10le,"
        f"geq=lum='if(lt(X,32),{page},{card})':cb=512:cr=512",
    )
    rgb = frame_at(clip, clip_info(clip), 0.4)
    left, right = rgb[24, 12].astype(int), rgb[24, 50].astype(int)
    assert np.ptp(left) <= 2 and np.ptp(right) <= 2  # grey stays grey
    assert 225 <= left[0] <= 250  # room for what is brighter
    # 0.128 of white in sRGB's curve; the table's figures are rounded, by 2 % of the signal
    assert abs(right[0] - 101) <= 4


def test_without_the_filter_hdr_is_read_as_it_is(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_has_filter", lambda _: False)
    info = replace(clip_info(plain), transfer="arib-std-b67")
    assert np.array_equal(frame_at(plain, info, 0), frame_at(plain, clip_info(plain), 0))


@pytest.mark.parametrize("name", ["a.webm", "a.mov", "a.gif"])
def test_what_is_transparent_becomes_white(name: str, tmp_path: Path) -> None:
    # red on the left, and a hidden blue on the right
    source = (
        "nullsrc=s=64x48:r=10:d=2,format=rgba,geq=r='if(lt(X,32),200,0)':g=30"
        ":b='if(lt(X,32),30,255)':a='if(lt(X,32),255,0)'"
    )
    codec = {
        "a.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime"),
        "a.mov": ("-c:v", "png"),
        "a.gif": ("-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse"),
    }[name]
    clip = make(tmp_path / name, "-f", "lavfi", "-i", source, *codec)
    info = clip_info(clip)
    rgb = next(candidates(clip, info, most=10, height=24)).rgb.astype(int)
    assert info.alpha
    assert np.abs(rgb[12, 4] - (200, 30, 30)).max() < 8  # VP9 at its fastest
    assert rgb[12, -4].min() >= 253
    assert (rgb[..., 2] - rgb[..., 0]).max() < 8  # no blue anywhere
