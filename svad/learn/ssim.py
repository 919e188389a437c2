"""Photometric loss: L1 and structural similarity (SSIM) of pictures, with their gradient.

SSIM: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
structural similarity", 2004, equation 13, over a Gaussian window of 11 px with a deviation of
1.5 px; values in 0..1; outside of the picture is zero, as in the training of the published method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from svad.compute.compiled import spread
from svad.compute.moved import placed
from svad.learn import ssim_kernels as kernels


@dataclass(frozen=True)
class TargetStats:
    """What SSIM needs of a picture that is compared with again and again."""

    mean: Tensor  # [B, H, W, C] the window's mean
    square: Tensor  # [B, H, W, C] the window's mean of the square


def target_stats(
    target: Tensor,  # [B, H, W, C] 0..1
    threads: int | None = None,  # of the compiled loops; None = torch's number
) -> TargetStats:
    """The statistics of a target, on its device; no gradient goes through them."""
    target = target.detach()
    if not _fast(target):
        mean, square = _blur(torch.stack([target, target.square()]))
        return TargetStats(mean, square)
    target = target.contiguous()
    mean, square = torch.empty_like(target), torch.empty_like(target)
    arrays = [_rows(t) for t in (target, mean, square)]
    size = (target.shape[1], target.shape[3])
    _over_rows(kernels.target_moments, threads, arrays[0], *size, *arrays[1:])
    return TargetStats(mean, square)


def photometric(
    image: Tensor,  # [B, H, W, C] 0..1
    target: Tensor,  # [B, H, W, C] 0..1
    l1_weight: float = 0.8,  # Kerbl et al. 2023, equation 7
    ssim_weight: float = 0.2,
    stats: TargetStats | None = None,  # of the target, if at hand
    threads: int | None = None,  # of the compiled loops; None = torch's number
) -> Tensor:  # []
    """l1_weight mean |image - target| + ssim_weight (1 - mean SSIM), in one pass.

    Differentiable once in `image`, whose values and target are float32 for the fast way on the CPU;
    any device and type else. Raises ValueError for pictures of different shapes or without a pixel.
    """
    if image.shape != target.shape or image.ndim != 4 or image.numel() == 0:
        shapes = f"{tuple(image.shape)} and {tuple(target.shape)}"
        raise ValueError(f"Two equal shapes [B, H, W, C] were expected, not {shapes}.")
    target = target.detach()
    stats = stats or target_stats(target, threads)
    function = _Compiled if _fast(image) and _fast(target) else _Convolved
    weights = (l1_weight / image.numel(), ssim_weight / image.numel())
    loss = function.apply(image, target, stats.mean, stats.square, *weights, threads)
    return ssim_weight + loss


def _fast(picture: Tensor) -> bool:
    """Whether the compiled loops take it."""
    return (
        type(picture) is Tensor
        and picture.device.type == "cpu"
        and (picture.dtype == torch.float32)
    )


def _rows(picture: Tensor) -> np.ndarray:  # [B, H, W, C] -> [B H, W C]
    b, h, w, c = picture.shape
    return picture.detach().numpy().reshape(b * h, w * c)


def _over_rows(kernel: Callable, threads: int | None, *arguments: Any) -> None:
    """A kernel on all rows of its first array, shared by the threads."""
    rows, threads = len(arguments[0]), threads or torch.get_num_threads()
    # every part blurs ten rows more than it has
    parts = 1 if threads == 1 else max(1, min(2 * threads, rows // 32))
    spread(kernel, [rows * p // parts for p in range(parts + 1)], threads, *arguments)


class _Compiled(torch.autograd.Function):
    """The sums of L1 and SSIM, weighted, by the compiled loops."""

    @staticmethod
    def forward(ctx, image, target, mean, square, l1_weight, ssim_weight, threads):
        tensors = [t.contiguous() for t in (image, target, mean, square)]
        arrays = [_rows(t) for t in tensors]
        rows, n = arrays[0].shape
        ctx.size, ctx.weights = (image.shape[1], image.shape[3]), (l1_weight, ssim_weight)
        ctx.threads = threads
        derivatives = np.empty((3, rows if ctx.needs_input_grad[0] else 0, n), np.float32)
        sums = np.empty((rows, 2))
        _over_rows(kernels.forward_of_rows, threads, *arrays, *ctx.size, derivatives, sums)
        ctx.save_for_backward(*tensors[:2])
        ctx.derivatives = derivatives
        similarity, distance = sums.sum(0)
        return image.new_tensor(l1_weight * distance - ssim_weight * similarity)

    @staticmethod
    @once_differentiable
    def backward(ctx, upstream):
        image, target = ctx.saved_tensors
        gradient = torch.empty_like(image)
        l1_weight, ssim_weight = (np.float32(float(upstream) * w) for w in ctx.weights)
        _over_rows(
            kernels.backward_of_rows, ctx.threads, _rows(gradient), ctx.derivatives, _rows(image),
            _rows(target), *ctx.size, -ssim_weight, l1_weight,
        )  # fmt: skip
        return gradient, None, None, None, None, None, None


class _Convolved(torch.autograd.Function):
    """The same through torch's convolutions, on any device and type."""

    @staticmethod
    def forward(ctx, image, target, mean, square, l1_weight, ssim_weight, threads):
        moments = _blur(_products(image, target))
        similarity, derivatives = _terms(moments, TargetStats(mean, square))
        ctx.save_for_backward(image, target, derivatives)
        ctx.weights = (l1_weight, ssim_weight)
        return l1_weight * (image - target).abs().sum() - ssim_weight * similarity.sum()

    @staticmethod
    @once_differentiable
    def backward(ctx, upstream):
        image, target, derivatives = ctx.saved_tensors
        first, second, third = _blur(derivatives)
        of_similarity = first + 2 * image * second + target * third
        l1_weight, ssim_weight = ctx.weights
        gradient = l1_weight * (image - target).sign() - ssim_weight * of_similarity
        return upstream * gradient, None, None, None, None, None, None


def _products(image: Tensor, target: Tensor) -> Tensor:  # [3, B, H, W, C]
    return torch.stack([image, image.square(), image * target])


def _terms(moments: Tensor, stats: TargetStats) -> tuple[Tensor, Tensor]:
    """SSIM [B, H, W, C] and its derivatives [3, B, H, W, C] after the moments of the image.

    moments [3, B, H, W, C]: the window's means of x, x x and x y.
    """
    mx, xx, xy = moments
    my = stats.mean
    c1, c2 = float(kernels.C1), float(kernels.C2)
    a1, b1 = 2 * mx * my + c1, mx.square() + my.square() + c1
    a2 = 2 * (xy - mx * my) + c2
    b2 = (xx - mx.square()) + (stats.square - my.square()) + c2
    value = a1 * a2 / (b1 * b2)
    of_mean = 2 * (my * (a2 - a1) + mx * value * (b1 - b2)) / (b1 * b2)
    return value, torch.stack([of_mean, -value / b2, 2 * a1 / (b1 * b2)])


@cache
def _window(device: torch.device, dtype: torch.dtype) -> Tensor:  # [11]
    """Moved there once: each copy to a GPU waits for all that it was given before."""
    with torch.inference_mode(False):
        return placed(torch.from_numpy(kernels.WINDOW), device, dtype)


def _blur(pictures: Tensor) -> Tensor:  # [M, B, H, W, C] -> the same
    """Separable Gaussian blur with zeros around the picture."""
    m, b, h, w, c = pictures.shape
    # One group per plane: on CUDA that is torch's own kernel in full float32, not cuDNN's, which
    # rounds to TF32 by default; variances, differences of two means, would be lost in that.
    planes = pictures.permute(0, 1, 4, 2, 3).reshape(1, m * b * c, h, w)
    window = _window(planes.device, planes.dtype).expand(m * b * c, 1, -1)
    upright, flat, groups = window[..., None], window[:, :, None], m * b * c
    planes = F.conv2d(planes, upright, padding=(kernels.RADIUS, 0), groups=groups)
    planes = F.conv2d(planes, flat, padding=(0, kernels.RADIUS), groups=groups)
    return planes.view(m, b, c, h, w).permute(0, 1, 3, 4, 2)
