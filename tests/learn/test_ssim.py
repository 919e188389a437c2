"""SSIM and L1 on both ways, against a plain statement in float64."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from svad.learn import ssim
from svad.learn.ssim import TargetStats, photometric, target_stats

SIZES = [(1, 40, 33, 3), (2, 7, 64, 1), (3, 1, 1, 2), (1, 90, 5, 4), (2, 33, 300, 3)]


def dissimilarity(image: Tensor, target: Tensor, stats: TargetStats | None = None) -> Tensor:
    """1 - the mean SSIM alone."""
    return photometric(image, target, l1_weight=0.0, ssim_weight=1.0, stats=stats)


def plain(image: Tensor, target: Tensor) -> Tensor:
    """1 - mean SSIM from one 11 x 11 window, zero padded (Wang et al. 2004, equation 13)."""
    at = torch.arange(11, dtype=torch.float64) - 5
    bell = torch.exp(-(at**2) / (2 * 1.5**2))
    window = torch.outer(bell, bell)
    channels = image.shape[-1]
    window = (window / window.sum()).expand(channels, 1, 11, 11)

    def mean(values: Tensor) -> Tensor:
        return F.conv2d(values, window, padding=5, groups=channels)

    x, y = (t.double().permute(0, 3, 1, 2) for t in (image, target))
    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    above = (2 * mx * my + 1e-4) * (2 * vxy + 9e-4)
    return 1 - (above / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))).mean()


def pair(size: tuple[int, ...], dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(3)
    target = torch.rand(size, generator=random, dtype=torch.float64)
    image = (target + 0.2 * torch.randn(size, generator=random, dtype=torch.float64)).clamp(0, 1)
    image[:, : size[1] // 3] = 0.5  # flat, where variances are small differences
    return image.to(dtype).requires_grad_(), target.to(dtype)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_are_those_of_the_plain_statement(
    size: tuple[int, ...], dtype: torch.dtype
) -> None:
    """float32 takes the compiled loops, float64 torch's convolutions."""
    image, target = pair(size, dtype)
    loss = dissimilarity(image, target)
    (ours,) = torch.autograd.grad(2 * loss, image)
    expected = plain(image, target)
    (theirs,) = torch.autograd.grad(2 * expected, image)
    # float32 variances have an error of 1e-7, which divides by C2 = 9e-4
    tolerance = 2e-5 if dtype == torch.float32 else 1e-7  # C1 and C2 are float32 constants
    assert abs(loss.item() - expected.item()) < tolerance
    scale = theirs.abs().max().item()
    torch.testing.assert_close(ours, theirs, atol=max(20 * tolerance, 1e-6) * scale, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_l1_comes_in_the_same_pass(dtype: torch.dtype) -> None:
    image, target = pair((2, 30, 20, 3), dtype)
    image.data[0, :4] = target[0, :4]  # equal pixels pull nowhere
    loss = photometric(image, target, 0.7, 0.3)
    expected = 0.7 * (image - target).abs().mean() + 0.3 * dissimilarity(image, target)
    (ours,), (theirs,) = (torch.autograd.grad(value, image) for value in (loss, expected))
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    torch.testing.assert_close(ours, theirs, atol=1e-8, rtol=1e-4)


def test_gradient_is_the_slope_of_the_value() -> None:
    image, target = pair((1, 14, 13, 2), torch.float64)
    (gradient,) = torch.autograd.grad(photometric(image, target), image)
    step = 1e-6
    for at in [(0, 0, 0, 0), (0, 6, 7, 1), (0, 13, 12, 0), (0, 2, 11, 1)]:
        moved = torch.zeros_like(image)
        moved[at] = step
        with torch.no_grad():
            slope = photometric(image + moved, target) - photometric(image - moved, target)
        assert gradient[at].item() == pytest.approx(slope.item() / (2 * step), abs=1e-7)


def test_same_bits_on_any_number_of_threads() -> None:
    image, target = pair((2, 150, 40, 3))

    def result(threads: int) -> tuple[Tensor, Tensor]:
        loss = photometric(image, target, threads=threads)
        return loss.detach(), torch.autograd.grad(loss, image)[0]

    one, three = result(1), result(3)
    assert torch.equal(one[0], three[0]) and torch.equal(one[1], three[1])


def test_statistics_of_a_target_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    image, target = pair((1, 20, 24, 3))
    stats = target_stats(target)
    expected = dissimilarity(image, target)
    monkeypatch.setattr(ssim, "target_stats", None)  # is not called again
    assert torch.equal(dissimilarity(image, target, stats), expected)


def test_views_of_larger_pictures_are_taken() -> None:
    image, target = pair((1, 40, 40, 3))
    crop = (slice(None), slice(3, 30), slice(8, 39))
    whole = dissimilarity(image[crop], target[crop])
    whole.backward()
    assert image.grad is not None
    assert image.grad[crop].abs().min() > 0 and image.grad[:, :3].abs().max() == 0
    copied = dissimilarity(image[crop].contiguous(), target[crop].contiguous())
    assert torch.equal(whole, copied)


def test_equal_pictures_have_no_loss() -> None:
    _, target = pair((1, 50, 50, 3))
    image = target.clone().requires_grad_()
    loss = photometric(image, target)
    loss.backward()
    assert image.grad is not None
    assert abs(loss.item()) < 1e-6
    assert image.grad.abs().max() < 1e-3 / image.numel()  # of 0.2 / n per pixel in general


def test_what_does_not_fit_together_is_said() -> None:
    image, target = pair((1, 20, 24, 3))
    with pytest.raises(ValueError, match=r"\(1, 20, 24, 3\) and \(1, 20, 24, 2\)"):
        dissimilarity(image, target[..., :2])
    with pytest.raises(ValueError, match="Two equal shapes"):
        dissimilarity(image[0], target[0])


@pytest.mark.gpu
def test_gpu_gives_the_numbers_of_the_cpu() -> None:
    image, target = pair((2, 60, 50, 3))
    there = image.detach().cuda().requires_grad_()
    losses = photometric(image, target), photometric(there, target.cuda())
    for loss in losses:
        loss.backward()
    assert image.grad is not None and there.grad is not None
    # were the moments rounded to TF32 (10 bits), both would be off by far more than these
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=2e-5)
    scale = image.grad.abs().max().item()
    torch.testing.assert_close(there.grad.cpu(), image.grad, atol=1e-3 * scale, rtol=0)
