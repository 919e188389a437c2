"""What was sent is read and told apart, or a sentence says what does not go together."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from svad.config.presets import CLIP, PREVIEW, QUICK
from svad.core.errors import PhotoError, SettingError, SourceError
from svad.media.images import save_png
from svad.media.video import VideoError, write_mp4
from svad.run.sources import is_one_photo, photo_hash, preset_for, read_source, source_hash
from tests.helpers import tiny_subject


def photo(path: Path, shade: int = 0) -> Path:
    rgb = tiny_subject(300, 400).photo.rgb.copy()
    rgb[:8] = shade
    save_png(path, rgb)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [photo(tmp_path / f"side{k}.png", 40 * k) for k in range(6)]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a plain colour that changes."""
    path = tmp_path_factory.mktemp("clip") / "turn.mp4"
    write_mp4(path, [np.full((64, 48, 3), k * 4, np.uint8) for k in range(48)], fps=24)
    return path


def test_one_photo_is_hashed_by_its_pixels(photos: list[Path]) -> None:
    one = read_source(photos[0])
    assert len(one.photos) == 1 and one.clip is None
    assert source_hash(one) == photo_hash(one.photos[0])
    assert source_hash(read_source([photos[0].read_bytes()])) == source_hash(one)


def test_photos_keep_their_order(photos: list[Path]) -> None:
    forth, back = read_source(photos[:3]), read_source(photos[2::-1])
    assert [int(p.rgb[0, 0, 0]) for p in forth.photos] == [0, 40, 80]
    hashes = {source_hash(s) for s in (forth, back, read_source(photos[0]))}
    assert len(hashes) == 3 and source_hash(read_source(photos[:3])) in hashes


def test_a_clip_is_hashed_by_its_bytes(clip: Path, tmp_path: Path) -> None:
    source = read_source([clip])
    assert source.clip == clip and source.photos == ()
    assert source_hash(source) == hashlib.sha256(clip.read_bytes()).hexdigest()
    (tmp_path / "other_name").write_bytes(clip.read_bytes())
    assert source_hash(read_source(tmp_path / "other_name")) == source_hash(source)


def test_what_does_not_go_together_is_said(photos: list[Path], clip: Path) -> None:
    for sent, words in (
        ([], "There is no picture"),
        ([clip, photos[0]], "a clip beside a photo"),
        ([photos[0], clip, photos[1]], "a clip beside 2 photos"),
        ([clip, clip], "2 clips; an avatar is made from one"),
        (photos[:5], "5 photos; at most 4"),
        ([photos[0], photos[1], photos[0]], r"side0\.png and side0\.png are the same photo"),
        ([photos[0].read_bytes(), photos[0]], r"Photo 1 and side0\.png are the same photo"),
    ):
        with pytest.raises(SourceError, match=words):
            read_source(sent)


def test_an_unreadable_photo_among_several_is_named(photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("I am not a picture.")
    with pytest.raises(PhotoError, match=r"^notes\.png: "):
        read_source([photos[0], tmp_path / "notes.png"])
    with pytest.raises(PhotoError, match=r"^Photo 2: "):
        read_source([photos[0], b"nothing"])
    with pytest.raises(PhotoError, match=r"^gone\.png: There is no file gone\.png"):
        read_source([photos[0], tmp_path / "gone.png"])
    with pytest.raises(PhotoError, match="^There is no file"):
        read_source(tmp_path / "gone.png")


def test_a_damaged_clip_is_refused_before_anything_runs(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:200])
    with pytest.raises(VideoError):
        read_source(tmp_path / "cut.mp4")


def test_the_preset_follows_from_what_was_sent(photos: list[Path], clip: Path) -> None:
    assert is_one_photo(photos[0]) and not is_one_photo(clip) and not is_one_photo(photos[:2])
    assert preset_for(photos[0]) is PREVIEW and preset_for([photos[0]], "quick") is QUICK
    assert preset_for(clip) is CLIP and preset_for(photos[:2]) is CLIP
    assert preset_for([clip], "clip") is CLIP
    for sent in (clip, photos[:2]):
        with pytest.raises(SettingError, match="quick makes its own frames from one photo"):
            preset_for(sent, "quick")
    with pytest.raises(SettingError, match="this is one photo. Choose preview, quick or paper"):
        preset_for(photos[0], "clip")
