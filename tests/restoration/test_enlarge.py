"""Enlarging without a network: places, sharpness, noise of a still clip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from svad.media.images import read_rgb
from svad.restoration.enlarge import enlarge_sharpened
from tests.conftest import TESTS

PHOTOS = sorted((TESTS.parent / "examples").glob("*/photo.jpg"))


def noisy(picture: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])  # levels of 255
def test_a_still_clip_does_not_flicker_more_than_before(scale: float, sigma: float) -> None:
    rgb = read_rgb(PHOTOS[0])[150:450, 200:560]
    size = (round(rgb.shape[0] * scale), round(rgb.shape[1] * scale))
    before = [noisy(rgb, sigma, seed).astype(int) for seed in (1, 2)]
    after = [enlarge_sharpened(f.astype(np.uint8), size).astype(int) for f in before]
    assert np.abs(after[0] - after[1]).mean() < np.abs(before[0] - before[1]).mean()


def test_soft_edges_become_steeper() -> None:
    step = np.zeros((40, 60, 3), np.float32)
    step[:, 30:] = 200
    soft = cv2.GaussianBlur(step, (0, 0), 1.2).astype(np.uint8)
    plain = cv2.resize(soft, (120, 80), interpolation=cv2.INTER_LANCZOS4).astype(int)
    sharp = enlarge_sharpened(soft, (80, 120)).astype(int)
    steepest = [np.abs(np.diff(p[40, :, 0])).max() for p in (plain, sharp)]
    assert steepest[1] > 1.1 * steepest[0]


@pytest.mark.parametrize("scale", [1.5, 2.0])
def test_nothing_moves(scale: float) -> None:
    y, x = np.mgrid[:80, :100]
    ramp = np.stack([2 * x, 2 * y, x + y], -1).astype(np.uint8)
    height, width = round(80 * scale), round(100 * scale)
    found = enlarge_sharpened(ramp, (height, width)).astype(float)
    rows, columns = ((np.arange(n) + 0.5) / scale - 0.5 for n in (height, width))
    want = np.stack(np.broadcast_arrays(2 * columns, 2 * rows[:, None]), -1)
    inner = slice(8, -8)
    assert np.abs(found[inner, inner, :2] - want[inner, inner]).max() <= 1
