"""PSNR and SSIM against plain references."""

from __future__ import annotations

import numpy as np
import pytest

from svad.core.errors import MissingFile
from svad.evaluate import metrics
from svad.evaluate.metrics import compared, perceptual_distance, psnr, ssim


def some_pictures(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 256, (19, 23, 3), np.uint8)
    return a, np.clip(a + rng.normal(0, 12, a.shape), 0, 255).astype(np.uint8)


def plain_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Equation 13 of Wang et al. 2004, window by window."""
    x = np.arange(11) - 5
    kernel = np.exp(-(x[:, None] ** 2 + x**2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    a, b, values = a / 255.0, b / 255.0, []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            for c in range(3):
                p, q = a[y : y + 11, x : x + 11, c], b[y : y + 11, x : x + 11, c]
                mp, mq = (kernel * p).sum(), (kernel * q).sum()
                vp, vq = (kernel * (p - mp) ** 2).sum(), (kernel * (q - mq) ** 2).sum()
                cov = (kernel * (p - mp) * (q - mq)).sum()
                top = (2 * mp * mq + 1e-4) * (2 * cov + 9e-4)
                values.append(top / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4)))
    return float(np.mean(values))


def test_psnr_of_a_known_error():
    black = np.zeros((8, 8, 3), np.uint8)
    assert psnr(black + np.uint8(51), black) == pytest.approx(20 * np.log10(5), abs=1e-9)
    assert psnr(black, black) == metrics.IDENTICAL


def test_ssim_is_that_of_the_paper():
    a, b = some_pictures()
    # double precision on both sides: only the order of sums differs
    assert ssim(a, b) == pytest.approx(plain_ssim(a, b), abs=1e-7)
    assert ssim(a, a) == pytest.approx(1, abs=1e-12)


def test_means_are_over_pictures_and_lpips_is_there_only_with_a_network():
    a, b = some_pictures()
    found = compared(np.stack([a, b]), np.stack([b, b]), None)
    assert found == {
        "psnr": pytest.approx((psnr(a, b) + metrics.IDENTICAL) / 2),
        "ssim": pytest.approx((ssim(a, b) + 1) / 2),
    }
    assert compared(a[None], b[None], lambda p, t: 0.25)["lpips"] == 0.25


def test_no_network_is_no_error(monkeypatch: pytest.MonkeyPatch):
    def absent(name: str):
        raise ModuleNotFoundError(name=name)

    def without_file(name: str):
        raise MissingFile("vgg.pth", "its authors", "their terms")

    for reason in (absent, without_file):
        monkeypatch.setattr(metrics, "import_module", reason)
        assert perceptual_distance() is None

    def broken(name: str):
        raise ModuleNotFoundError(name="torch")

    monkeypatch.setattr(metrics, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        perceptual_distance()
