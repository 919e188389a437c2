"""Timings of the photometric loss and of Adam."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from svad.compute.adam import Adam
from svad.learn.ssim import TargetStats, photometric, target_stats

SIZE = (1, 512, 256, 3)  # a person cropped from 512 px
GAUSSIANS = (54_000, 10)  # numbers each: offset, log scale, colour, opacity
RUNS = 30


def run() -> Iterator[dict]:
    """One dict per figure: the least milliseconds of many runs, and on which device."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        random = torch.Generator().manual_seed(0)
        target = torch.rand(SIZE, generator=random).to(device)
        image, stats = (target + 0.1).requires_grad_(), target_stats(target)
        loss = _least(partial(_loss, image, target, stats))
        yield {"bench": f"loss.{device}.photometric_and_grad", "size": SIZE, "ms": loss}
        values, gradient = (torch.randn(GAUSSIANS, generator=random).to(device) for _ in range(2))
        adam = Adam([values], [1e-3])
        step = _least(partial(adam.step, [gradient]))
        yield {"bench": f"loss.{device}.adam_step", "size": GAUSSIANS, "ms": step}


def _loss(image: Tensor, target: Tensor, stats: TargetStats) -> None:
    torch.autograd.grad(photometric(image, target, stats=stats), image)


def _least(function: Callable[[], None]) -> float:
    function()  # compiles
    best = float("inf")
    for _ in range(RUNS):
        begun = _now()
        function()
        best = min(best, _now() - begun)
    return round(best * 1e3, 3)


def _now() -> float:
    """Seconds, once the GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
