"""PSNR and SSIM of pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from svad.learn.metrics import IDENTICAL, compared, psnr, ssim
from tests.learn.test_ssim import plain


def pictures(height: int = 40, width: int = 30) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    a = random.integers(0, 256, (height, width, 3), np.uint8)
    b = np.clip(a + random.normal(0, 20, a.shape), 0, 255).astype(np.uint8)
    return a, b


def test_psnr_of_a_known_error() -> None:
    a = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(a, a + np.uint8(51)) == pytest.approx(20 * math.log10(5))
    assert psnr(a, a) == IDENTICAL


def test_ssim_is_that_of_the_one_window_inside_of_the_smallest_picture() -> None:
    """11 x 11 has one such pixel, whose window needs no padding: check it by weighted sums."""
    a, b = pictures(11, 11)
    at = np.arange(11) - 5
    bell = np.exp(-(at**2) / 4.5)
    w = (np.outer(bell, bell) / bell.sum() ** 2)[..., None]
    x, y = a / 255, b / 255
    mx, my = (w * x).sum((0, 1)), (w * y).sum((0, 1))
    vx, vy = (w * (x - mx) ** 2).sum((0, 1)), (w * (y - my) ** 2).sum((0, 1))
    vxy = (w * (x - mx) * (y - my)).sum((0, 1))
    above = (2 * mx * my + 1e-4) * (2 * vxy + 9e-4)
    expected = above / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    assert ssim(a, b) == pytest.approx(expected.mean(), abs=1e-7)  # constants are float32


def test_ssim_is_that_of_the_loss_but_for_the_border() -> None:
    a, b = pictures(300, 280)
    tensors = (torch.from_numpy(p / 255)[None] for p in (a, b))
    # the border is 7 % of the pixels, where zeros outside make both more alike
    assert ssim(a, b) == pytest.approx(1 - plain(*tensors).item(), abs=0.01)
    assert ssim(a, a) == 1 and ssim(a, b) < 0.999


def test_means_over_pictures_with_and_without_a_distance() -> None:
    a, b = pictures()
    found = compared(np.stack([a, a]), np.stack([b, a]))
    assert found == {
        "psnr": pytest.approx((psnr(a, b) + IDENTICAL) / 2),
        "ssim": pytest.approx((ssim(a, b) + 1) / 2),
    }
    assert compared(a[None], b[None], lambda x, y: float((x != y).any()))["lpips"] == 1


def test_pictures_of_other_forms_are_refused() -> None:
    a, b = pictures()
    with pytest.raises(ValueError, match=r"\(40, 30, 3\) uint8 and \(39, 30, 3\) uint8"):
        psnr(a, b[1:])
    with pytest.raises(ValueError, match="float64"):
        ssim(a, b / 255)
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(a[:10], b[:10])
