"""Values, sizes and files of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svad.core.errors import OutputError
from svad.media import images


def test_every_8_bit_value_survives_the_way_to_float_and_back() -> None:
    values = np.arange(256, dtype=np.uint8)
    there = images.to_float(values)
    assert there.dtype == np.float32 and there[0] == 0 and there[-1] == 1
    assert np.array_equal(images.to_uint8(there), values)


def test_float_values_are_rounded_and_clipped() -> None:
    assert images.to_uint8(np.array([-1, 0.5 / 255, 0.49 / 255, 2])).tolist() == [0, 1, 0, 255]


def test_the_channels_are_turned_round() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)
    bgr = images.to_bgr(rgb)
    assert bgr[0, 0].tolist() == rgb[0, 0, ::-1].tolist()
    assert np.array_equal(images.to_bgr(bgr), rgb) and bgr.flags.c_contiguous


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3), (40, 30, 4)])
@pytest.mark.parametrize("size", [(15, 20), (60, 80), (30, 40)])
def test_sizes(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    even = np.full(shape, 7, np.uint8)
    out = images.resize(even, *size)
    assert out.shape == (size[1], size[0], *shape[2:]) and (out == 7).all()


def test_shrinking_keeps_the_mean() -> None:
    noise = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    assert images.resize(noise, 16, 16).mean() == pytest.approx(noise.mean(), abs=1e-6)


def test_fitting_keeps_the_shape_and_never_enlarges() -> None:
    wide = np.zeros((100, 400, 3), np.uint8)
    assert images.fit_within(wide, 200, 200).shape == (50, 200, 3)
    assert images.fit_within(wide, 1000, 1000) is wide
    assert images.fit_within(np.zeros((1, 4000), np.uint8), 100, 100).shape == (1, 100)


@pytest.mark.parametrize("channels", [None, 3, 4])
def test_png_round_trip(channels: int | None, tmp_path: Path) -> None:
    shape = (9, 7) if channels is None else (9, 7, channels)
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    images.save_png(tmp_path / "new" / "a.png", picture)
    assert np.array_equal(images.read_png(tmp_path / "new" / "a.png"), picture)
    assert images.read_rgb(tmp_path / "new" / "a.png").shape == (9, 7, 3)


def test_jpg_has_no_metadata_and_looks_the_same(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (64, 1, 3))
    images.save_jpg(tmp_path / "a.jpg", ramp)
    with Image.open(tmp_path / "a.jpg") as stored:
        assert not stored.getexif() and "icc_profile" not in stored.info
    difference = images.read_rgb(tmp_path / "a.jpg").astype(int) - ramp
    assert np.abs(difference).mean() < 1


def test_only_8_bit_pictures_are_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="uint8"):
        images.save_png(tmp_path / "a.png", np.zeros((4, 4, 3), np.float32))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        images.save_png(tmp_path / "file" / "a.png", np.zeros((4, 4, 3), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
