"""The background network on frames: published tiles, no seams, places, batches."""

from __future__ import annotations

import re
from copy import deepcopy

import numpy as np
import pytest
import torch

from svad.config.restoration import TileConfig
from svad.media.images import read_rgb
from svad.restoration.upsampler import Upsampler, aligned_box, span_weight, spans
from tests.conftest import TESTS
from tests.restoration.golden import LEVELS, NETWORK, Golden, assert_close
from tests.restoration.networks import rrdb_of, tiny_rrdb

PHOTO = TESTS.parent / "examples" / "ada" / "photo.jpg"
WHOLE = TileConfig(pixels=2**30)


def test_published_tiles(golden: Golden) -> None:
    for case in golden.cases("upsampler_tiled"):
        upsampler = Upsampler(rrdb_of(case), WHOLE)
        rgb = case.part("in")["image_bgr"].numpy()[..., ::-1]
        for name, want in case.part("out").items():
            tile, scale = re.fullmatch(r"tile(\d+)_scale([\d.]+)", name).groups()
            context = case.config["tile_pad"]
            size = tuple(int(n * float(scale)) for n in rgb.shape[:2])
            found = upsampler.published(rgb, size, int(tile), context)[..., ::-1]
            assert found.shape == tuple(want.shape)
            assert np.abs(found.astype(int) - want.numpy().astype(int)).max() <= LEVELS, name


class Doubling(torch.nn.Module):
    """Repeats each pixel, in place of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_first = torch.nn.Conv2d(1, 1, 1)
        self.calls: list[tuple[int, ...]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0
        self.calls.append(tuple(x.shape))
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    """A part of a photo, [1, 3, 200, 260] in 0..1."""
    rgb = read_rgb(PHOTO)[200:400, 250:510]
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255


def test_overlap_as_wide_as_the_network_sees_gives_the_whole_picture(x: torch.Tensor) -> None:
    # 2 blocks of 15 convolutions and 2 more at half the size: 64 px, and a few at full size
    plan = TileConfig(pixels=1, tile=176, overlap=160, blind=70)
    with torch.no_grad():
        whole = Upsampler(tiny_rrdb(), WHOLE).double(x)
        tiled = Upsampler(tiny_rrdb(), plan).double(x)
    assert_close(tiled, whole, NETWORK, "the picture in tiles")


def test_tiles_leave_no_step(x: torch.Tensor) -> None:
    plan = TileConfig(pixels=1, tile=128, overlap=64, blind=16)
    edges = [2 * start for start, _ in spans(260, plan)[1:]] + [2 * e for _, e in spans(260, plan)]
    with torch.no_grad():
        whole = Upsampler(tiny_rrdb(), WHOLE).double(x)
        away = Upsampler(tiny_rrdb(), plan).double(x) - whole  # what tiling changes
    steps = (away[..., 1:] - away[..., :-1]).abs().amax((0, 1, 2))
    inner = [e - 1 for e in edges if 0 < e < 520]
    assert inner and steps[inner].max() < 1 / 510  # half a level
    assert steps.max() < 2 / 255


@pytest.mark.parametrize("length", [100, 512, 513, 600, 1000, 2000])
def test_tiles_cover_evenly(length: int) -> None:
    length += length % 2
    plan = TileConfig()
    found = spans(length, plan)
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(start % 2 == 0 and end - start == min(plan.tile, length) for start, end in found)
    total = torch.zeros(2 * length)
    for start, end in found:
        total[2 * start : 2 * end] += span_weight((start, end), length, plan)
    assert total.min() > 0.4 and total.max() < 2.1


@pytest.mark.parametrize("shape", [(90, 120), (91, 121), (64, 75)])
@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_the_box_lies_where_the_rest_lies(shape: tuple[int, int], scale: float) -> None:
    height, width = shape
    y, x = np.mgrid[:height, :width]
    frame = np.stack([2 * x, 2 * y, x + y], -1).astype(np.uint8)
    size = (round(height * scale), round(width * scale))
    large = Upsampler(Doubling(), WHOLE).enlarge(frame[None], size, (24, 8, 72, 56))
    found = large[0].astype(float)
    rows, columns = ((np.arange(n) + 0.5) / (n / m) - 0.5 for n, m in zip(size, shape, strict=True))
    want = np.stack(np.broadcast_arrays(2 * columns, 2 * rows[:, None]), -1)
    inner = slice(8, -8)
    assert np.abs(found[inner, inner, :2] - want[inner, inner]).max() <= 1.6  # steps of Doubling


def test_only_the_box_goes_through_the_network() -> None:
    network = Doubling()
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 80, 3)).astype(np.uint8)
    ticks: list[int] = []
    Upsampler(network, WHOLE).enlarge(frames, (96, 120), (16, 8, 48, 64), lambda: ticks.append(1))
    assert network.calls == [(2, 3, 56, 32)] and len(ticks) == 1


def test_a_batch_gives_what_single_frames_give() -> None:
    rgb = read_rgb(PHOTO)
    frames = np.stack([rgb[200:280, 250 + 20 * i : 350 + 20 * i] for i in range(3)])
    upsampler, box = Upsampler(tiny_rrdb(), WHOLE), (8, 0, 96, 80)
    together = upsampler.enlarge(frames, (120, 150), box)
    for i in range(3):
        single = upsampler.enlarge(frames[i : i + 1], (120, 150), box)[0]
        assert np.abs(single.astype(int) - together[i]).max() <= 1


def test_the_box_holds_the_person_and_ignores_noise_at_its_edge() -> None:
    matte = np.zeros((2, 201, 151), np.uint8)
    matte[0, 60:118, 50:90], matte[1, 61:117, 49:91] = 255, 255
    x0, y0, x1, y1 = aligned_box(matte)
    assert x0 <= 49 - 8 and y0 <= 60 - 8 and x1 >= 91 + 8 and y1 >= 118 + 8
    assert (x0, y0, x1, y1) == aligned_box(matte[:1])
    assert all(edge % 2 == 0 for edge in (x0, y0, x1, y1))
    matte[:, :, 120:] = 255
    assert aligned_box(matte)[1::2] == (0, 202) and aligned_box(matte)[2] == 152
    assert aligned_box(0 * matte) is None


@pytest.mark.gpu
def test_half_precision_on_a_gpu_is_near() -> None:
    frame = read_rgb(PHOTO)[None, 200:328, 250:378]
    here = Upsampler(tiny_rrdb(), WHOLE).enlarge(frame, (192, 192), (0, 0, 128, 128))
    there = Upsampler(deepcopy(tiny_rrdb()).to("cuda", torch.float16), WHOLE)
    found = there.enlarge(frame, (192, 192), (0, 0, 128, 128))
    assert np.abs(found.astype(int) - here).max() <= 3
